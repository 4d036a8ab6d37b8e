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
        foreach (var table in engine.Tables) call.Say(LogLevel.Info, Line(table));
    }

    /// <summary>A table in a line: rows, memory, and the hash that <c>sha256sum</c> tells of its file.</summary>
    public static string Line(LookupTable table) => string.Create(CultureInfo.InvariantCulture,
        $"table {table.Shape.Name}: {table.Rows:N0} rows of {table.Shape.Options.File}, {table.Memory / 1e6:N1} MB in memory, "
            + $"sha256 {table.Sha256}");

    /// <summary>The tables for programs, by name.</summary>
    public static JsonObject Json(CompiledEngine engine) => new(engine.Tables.Select(t =>
        new KeyValuePair<string, JsonNode?>(t.Shape.Name, new JsonObject
        {
            ["rows"] = t.Rows,
            ["bytes"] = t.Memory,
            ["sha256"] = t.Sha256,
        })));
}
