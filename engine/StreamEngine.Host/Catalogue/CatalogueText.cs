using System.Globalization;
using StreamEngine.Runtime.Catalogue;

namespace StreamEngine.Host.Catalogue;

/// <summary>A catalogue of features as text.</summary>
internal static class CatalogueText
{
    /// <summary>A table for a terminal.</summary>
    public static IEnumerable<string> Table(IReadOnlyList<FeatureEntry> features) =>
        Aligned(["name", "bytes", "unit", "read by", "definition"],
            [.. features.Select(f => new[] { f.Name, Bytes(f), f.Unit, ReadBy(f), f.Definition })]);

    /// <summary>A table for a page.</summary>
    public static IEnumerable<string> Markdown(IReadOnlyList<FeatureEntry> features)
    {
        yield return "| feature | definition | unit | bytes | exact | from | read by |";
        yield return "|---|---|---|---|---|---|---|";
        foreach (var f in features)
            yield return Row(f.Name, Code(f.Definition), f.Unit, Bytes(f), f.Bound, Listed(f.Fields.Select(o => o.Field)), ReadBy(f));
    }

    /// <summary>One feature for a page.</summary>
    public static IEnumerable<string> Page(FeatureEntry feature)
    {
        yield return $"## {feature.Name}";
        yield return "| | |";
        yield return "|---|---|";
        foreach (var (name, text) in Facts(feature)) yield return Row(name, name == "definition" ? Code(text) : text);
    }

    /// <summary>One feature for a terminal.</summary>
    public static IEnumerable<string> Lines(FeatureEntry feature)
    {
        yield return feature.Name;
        foreach (var (name, text) in Facts(feature)) yield return $"  {name,-12} {text}";
    }

    /// <summary>Columns of equal width.</summary>
    public static IEnumerable<string> Aligned(string[] head, IReadOnlyList<string[]> rows)
    {
        var widths = head.Select((h, i) => rows.Select(r => r[i].Length).Append(h.Length).Max()).ToArray();
        foreach (var row in rows.Prepend(head)) yield return string.Join("  ", row.Select((cell, i) => cell.PadRight(widths[i]))).TrimEnd();
    }

    private static IEnumerable<(string Name, string Text)> Facts(FeatureEntry f)
    {
        yield return ("definition", f.Definition);
        if (f.Numbers.Count > 0) yield return ("numbers", Listed(f.Numbers));
        if (f.Texts.Count > 0) yield return ("texts", Listed(f.Texts));
        if (f.Window.Length > 0) yield return ("window", f.Window);
        if (f.Unit.Length > 0) yield return ("unit", f.Unit);
        yield return ("default", f.Default.ToString(CultureInfo.InvariantCulture));
        yield return ("fresh", f.Freshness);
        yield return ("exact", f.Bound);
        yield return ("bytes", f.SharedWith.Count == 0 ? Bytes(f) : $"{Bytes(f)}, some of them shared with {Listed(f.SharedWith)}");
        foreach (var origin in f.Fields) yield return ("from", $"event.{origin.Field} ({Listed(origin.From)})");
        if (f.Reads.Count > 0) yield return ("reads", Listed(f.Reads));
        foreach (var use in f.ReadBy) yield return ("read by", $"{use.Kind} {use.Name}, {use.As}");
        if (f.ReadBy.Count == 0) yield return ("read by", "nobody");
    }

    private static string ReadBy(FeatureEntry f) => Listed(f.ReadBy.Select(u => $"{u.Kind} {u.Name}").Distinct());

    private static string Bytes(FeatureEntry f) => f.Bytes.ToString(CultureInfo.InvariantCulture);

    private static string Listed(IEnumerable<string> texts) => string.Join(", ", texts);

    private static string Code(string text) => $"`{text}`";

    private static string Row(params string[] cells) =>
        $"| {string.Join(" | ", cells.Select(c => c.Replace("|", "\\|", StringComparison.Ordinal).ReplaceLineEndings(" ")))} |";
}
