using StreamEngine.Configuration;

namespace StreamEngine.Host.Configuration;

/// <summary>Checks lists of the origins of web pages.</summary>
internal static class Origins
{
    /// <summary>Every origin.</summary>
    public const string Any = "*";

    /// <summary>Whether a page of this origin is one of those that are named.</summary>
    public static bool Allow(IReadOnlyList<string> origins, string origin) =>
        origins.Any(o => o == Any || o.Equals(origin, StringComparison.OrdinalIgnoreCase));

    /// <summary>Adds a mistake for each text that is no origin.</summary>
    public static void Check(IReadOnlyList<string> origins, ConfigNode node, ConfigErrors errors)
    {
        foreach (var origin in origins.Where(o => o != Any && !IsOrigin(o)))
            errors.Add(node, "origins", $"'{Printable.Text(origin)}' is no origin",
                "Write scheme and name, and the port where it is not the scheme's own: https://shop.example");
    }

    private static bool IsOrigin(string text) => Uri.TryCreate(text, UriKind.Absolute, out var uri)
        && uri.Scheme is "http" or "https" && uri.GetLeftPart(UriPartial.Authority).Equals(text, StringComparison.OrdinalIgnoreCase);
}
