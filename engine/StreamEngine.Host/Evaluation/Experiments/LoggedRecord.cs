using System.Globalization;
using System.Text.Json;
using Avro.Generic;

namespace StreamEngine.Host.Evaluation.Experiments;

/// <summary>
/// Fields of a decision or outcome record, in Avro as the engine writes it or as the JSON object that <c>replay</c> makes of it.
/// </summary>
internal readonly struct LoggedRecord
{
    private readonly GenericRecord? _avro;
    private readonly JsonElement _json;

    /// <summary>A record in Avro.</summary>
    public LoggedRecord(GenericRecord record) => _avro = record;

    /// <summary>A record as a JSON object.</summary>
    public LoggedRecord(JsonElement record) => _json = record;

    /// <summary>A text, or an enum's symbol; empty where there is none.</summary>
    public string Text(string field) => _avro is null
        ? _json.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : ""
        : Value(field) switch { string text => text, GenericEnum symbol => symbol.Value, _ => "" };

    /// <summary>A number; 0 where there is none.</summary>
    public double Number(string field) => _avro is null
        ? _json.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : 0
        : Value(field) is double number ? number : 0;

    /// <summary>A time; null where there is none.</summary>
    public DateTimeOffset? Time(string field) => _avro is null
        ? DateTimeOffset.TryParse(Text(field), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null
        : Value(field) is DateTime at ? new DateTimeOffset(DateTime.SpecifyKind(at, DateTimeKind.Utc)) : null;

    /// <summary>The experiments that the customer was in, each with the variation.</summary>
    public IEnumerable<(string Experiment, string Variation)> Assignments()
    {
        if (_avro is not null)
            return Value("assignments") is not Array all ? []
                : all.OfType<GenericRecord>().Select(a => ((string)a["experiment"], (string)a["variation"]));
        return !_json.TryGetProperty("assignments", out var list) || list.ValueKind != JsonValueKind.Array ? []
            : list.EnumerateArray().Select(a => (a.GetProperty("experiment").GetString()!, a.GetProperty("variation").GetString()!));
    }

    private object? Value(string field) => _avro!.TryGetValue(field, out var value) ? value : null;
}
