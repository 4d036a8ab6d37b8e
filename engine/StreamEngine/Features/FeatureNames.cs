using StreamEngine.Configuration;

namespace StreamEngine.Features;

/// <summary>The names of the feature vector.</summary>
internal static class FeatureNames
{
    /// <summary>The column of results that holds the customer's id.</summary>
    private const string Customer = "customer_id";

    private static readonly string[] Derived = [""];

    /// <summary>The names in vector order; bad and repeated ones are mistakes.</summary>
    public static List<string> Of(IReadOnlyList<FeatureOptions> options, ConfigErrors errors)
    {
        var names = new List<string>();
        var owners = new Dictionary<string, string>();
        foreach (var feature in options)
        {
            if (!IsIdentifier(feature.Name))
                errors.Add(feature.Node.At, $"'{feature.Name}' can't be a feature's name",
                    "Use letters, digits and underscores, with no digit first, so that expressions can say features.NAME");
            foreach (var name in Names(feature))
            {
                if (name == Customer)
                    errors.Add(feature.Node.At, $"'{name}' can't be a feature's name: results have the customer's id under it",
                        "Rename it");
                names.Add(name);
                if (!owners.TryAdd(name, feature.Name))
                    errors.Add(feature.Node.At, $"there are two features named '{name}'"
                        + (owners[name] == feature.Name ? "" : $" (from '{owners[name]}' and '{feature.Name}')"), "Rename one of them");
            }
        }
        return names;
    }

    /// <summary>How many places of the vector a feature takes.</summary>
    public static int Width(FeatureOptions feature) => Suffixes(feature).Count;

    private static IEnumerable<string> Names(FeatureOptions feature) => Suffixes(feature).Select(suffix => feature.Name + suffix);

    private static IReadOnlyList<string> Suffixes(FeatureOptions feature) =>
        feature.Op is { } op ? OperatorTable.Of(op).Suffixes : Derived;

    private static bool IsIdentifier(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');
}
