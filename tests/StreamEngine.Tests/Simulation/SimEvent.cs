using System.Text.Json;

namespace StreamEngine.Tests.Simulation;

/// <summary>An event as the oracle reads it, with another parser than the engine's.</summary>
internal sealed record SimEvent(string Id, string Customer, string Type, long Time, decimal Value, string Placement, bool Consent)
{
    /// <summary>What its type weighs by the table, as of the version that it is decoded with.</summary>
    public decimal Weight { get; init; }

    /// <summary>Reads an event; null where it is none.</summary>
    public static SimEvent? Parse(byte[] json)
    {
        if (json[^1] != '}') return null;
        using var document = JsonDocument.Parse(json);
        var e = document.RootElement;
        return new SimEvent(Text("id"), Text("customer"), Text("type"), e.GetProperty("time").GetInt64(),
            e.GetProperty("value").GetDecimal(), Text("placement"), e.GetProperty("consent").GetArrayLength() > 0);

        string Text(string name) => e.GetProperty(name).GetString()!;
    }
}
