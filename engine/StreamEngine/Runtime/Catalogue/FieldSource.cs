using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Events.Tables;

namespace StreamEngine.Runtime.Catalogue;

/// <summary>What a config says of a field of events: two configs that say the same take the same values from the same events.</summary>
public static class FieldSource
{
    /// <summary>
    /// Every node of the config by which the field gets its values, with its path: its declarations in all sources, and for lookups the
    /// fields that have the keys and the tables.
    /// </summary>
    /// <param name="options">The config.</param>
    /// <param name="field">The field as expressions call it; <c>LIST.FIELD</c> is a field of a list's items.</param>
    public static IReadOnlyList<(string Path, ConfigNode Node)> Of(EngineOptions options, string field)
    {
        var found = new Dictionary<string, ConfigNode>(StringComparer.Ordinal);
        var tables = options.Tables.ToDictionary(t => t.Name, StringComparer.Ordinal);
        foreach (var source in options.Events) Add(source, field.Split('.')[0]);
        return [.. found.Select(f => (f.Key, f.Value))];

        void Add(EventSourceOptions source, string name)
        {
            if (source.Fields.FirstOrDefault(f => f.Name == name) is not { } declared) return;
            if (!found.TryAdd($"events.{source.Name}.fields.{name}", declared.Node)) return;
            foreach (var text in declared.Items.Select(i => i.Lookup).Append(declared.Lookup).OfType<string>())
                if (LookupText.Parse(text) is { } lookup)
                {
                    if (tables.TryGetValue(lookup.Table, out var table)) found.TryAdd($"tables.{table.Name}", table.Node);
                    if (!lookup.IsOfItem) Add(source, lookup.Key);
                }
        }
    }
}
