using System.IO.Enumeration;

namespace StreamEngine.Connectors.Files;

/// <summary>
/// Finds the files that a path means: a file, a folder with all below it, or a pattern with <c>*</c> and <c>?</c> in any part, and
/// <c>**</c> as a part of its own for any number of folders, none included.
/// </summary>
internal static class PathPattern
{
    /// <summary>The files in ordinal order of their paths; hidden ones are left out of folders.</summary>
    public static IReadOnlyList<string> Find(string path)
    {
        if (File.Exists(path)) return [path];
        var found = Directory.Exists(path) ? Below(path) : Match(path);
        return [.. found.Distinct().Order(StringComparer.Ordinal)];
    }

    private static IEnumerable<string> Below(string folder) =>
        Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Where(f => !Path.GetRelativePath(folder, f).Split(Path.DirectorySeparatorChar).Any(part => part.StartsWith('.')));

    private static IEnumerable<string> Match(string pattern)
    {
        var parts = pattern.Split('/');
        IEnumerable<string> at = [parts[0].Length == 0 ? "/" : "."];
        foreach (var part in parts.Where(p => p.Length > 0).SkipLast(1)) at = at.SelectMany(folder => Folders(folder, part)).ToList();
        return at.SelectMany(folder =>
            parts[^1] == "**" ? Below(folder) : Directory.EnumerateFiles(folder).Where(f => Fits(parts[^1], f)))
            .Select(f => f.StartsWith("./", StringComparison.Ordinal) && !pattern.StartsWith("./", StringComparison.Ordinal) ? f[2..] : f);
    }

    private static IEnumerable<string> Folders(string folder, string part)
    {
        if (part == "**")
            return Directory.EnumerateDirectories(folder).Where(f => !Path.GetFileName(f).StartsWith('.')).SelectMany(f => Folders(f, part))
                .Prepend(folder);
        if (!part.Contains('*', StringComparison.Ordinal) && !part.Contains('?', StringComparison.Ordinal))
            return Directory.Exists(Path.Combine(folder, part)) ? [Path.Combine(folder, part)] : [];
        return Directory.EnumerateDirectories(folder).Where(f => Fits(part, f));
    }

    /// <summary>Hidden names are found only by a pattern that says their dot, as in a shell.</summary>
    private static bool Fits(string pattern, string path) => (Path.GetFileName(path)[0] != '.' || pattern[0] == '.')
        && FileSystemName.MatchesSimpleExpression(pattern, Path.GetFileName(path), ignoreCase: false);
}
