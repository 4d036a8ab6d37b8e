using System.Globalization;
using System.Text.Json.Nodes;
using StreamEngine.Events.Tables;
using StreamEngine.Host.Cli;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Configuration;

/// <summary>What commands tell of the tables that they have read.</summary>
internal static class TableText
{
    /// <summary>One line in the log for each table.</summary>
    public static void Say(Invocation call, CompiledEngine engine)
    {
        foreach (var line in Lines(engine)) call.Say(LogLevel.Info, line);
    }

    /// <summary>A line for each table.</summary>
    public static IEnumerable<string> Lines(CompiledEngine engine) => engine.TableShapes.Select(shape => shape.IsTopic
        ? $"table {shape.Name}: the topic '{shape.Options.Topic}', followed while the engine runs (replay and features need --table "
            + $"{shape.Name}=FILE)"
        : Line(engine.Tables.First(t => t.Shape.Name == shape.Name)));

    /// <summary>A table in a line: rows, memory, and the hash that <c>sha256sum</c> tells of its file.</summary>
    private static string Line(LookupTable table) => string.Create(CultureInfo.InvariantCulture,
        $"table {table.Shape.Name}: {table.Rows:N0} rows of {table.Shape.Options.File}, {table.Memory / 1e6:N1} MB in memory, "
            + $"sha256 {table.Sha256}");

    /// <summary>The tables for programs, by name.</summary>
    public static JsonObject Json(CompiledEngine engine) => new(engine.TableShapes.Select(s =>
        new KeyValuePair<string, JsonNode?>(s.Name, s.IsTopic ? new JsonObject { ["topic"] = s.Options.Topic } : Json(engine, s.Name))));

    private static JsonObject Json(CompiledEngine engine, string name) => engine.Tables.First(t => t.Shape.Name == name) is var t
        ? new JsonObject
        {
            ["rows"] = t.Rows,
            ["bytes"] = t.Memory,
            ["sha256"] = t.Sha256,
        } : [];
}
