using StreamEngine.Configuration;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Replay.Comparison;

/// <summary>A value that two configs write differently.</summary>
/// <param name="Path">Its path.</param>
/// <param name="A">What the first says; null where it says nothing.</param>
/// <param name="B">What the second says.</param>
internal sealed record ConfigDifference(string Path, string? A, string? B)
{
    /// <summary>Mappings in which the order means something: the first that fits is taken.</summary>
    private static readonly string[] Ordered = ["decisions.triggers", "outcomes.events"];

    /// <summary>All differences of what decides, as the configs are written; models and tables are compared by their files.</summary>
    public static IReadOnlyList<ConfigDifference> Of(CompiledEngine a, CompiledEngine b)
    {
        var found = CompiledEngine.Deciding
            .SelectMany(section => Between(a.Options.Node[section], b.Options.Node[section], section)).ToList();
        foreach (var name in a.Models.Models.Keys.Intersect(b.Models.Models.Keys).Order(StringComparer.Ordinal))
        {
            var (first, second) = (a.Models.Models[name].Manifest, b.Models.Models[name].Manifest);
            if ((first.Sha256, first.Choices) != (second.Sha256, second.Choices))
                found.Add(new($"models.{name}", $"version {first.Version}, {first.Sha256[..12]}",
                    $"version {second.Version}, {second.Sha256[..12]}"));
        }
        foreach (var first in a.Tables)
            if (b.Tables.FirstOrDefault(t => t.Shape.Name == first.Shape.Name) is { } second && first.Sha256 != second.Sha256)
                found.Add(new($"tables.{first.Shape.Name} (rows)", first.Sha256[..12], second.Sha256[..12]));
        return found;
    }

    /// <summary>The differences below two nodes.</summary>
    public static IEnumerable<ConfigDifference> Between(ConfigNode? a, ConfigNode? b, string path)
    {
        if (a?.Entries is null || b?.Entries is null)
        {
            var (first, second) = (Text(a), Text(b));
            if (first != second) yield return new ConfigDifference(path, first, second);
            yield break;
        }
        var (names, others) = (a.Entries.Select(e => e.Key).ToList(), b.Entries.Select(e => e.Key).ToList());
        foreach (var name in names.Union(others))
            foreach (var inner in Between(a[name], b[name], $"{path}.{name}")) yield return inner;
        if (Ordered.Contains(path) && !names.Intersect(others).SequenceEqual(others.Intersect(names)))
            yield return new ConfigDifference($"{path} (order)", string.Join(", ", names), string.Join(", ", others));
    }

    /// <summary>A node as it could be written on one line; null where there is none.</summary>
    public static string? Text(ConfigNode? node) => node is null ? null
        : node.Entries is { } entries ? $"{{ {string.Join(", ", entries.Select(e => $"{e.Key}: {Text(e.Value)}"))} }}"
        : node.Items is { } items ? $"[{string.Join(", ", items.Select(Text))}]" : node.Scalar ?? "null";
}
