namespace StreamEngine.Events;

/// <summary>Finds the names that a mistyped one may have meant.</summary>
internal static class NearNames
{
    /// <summary>" (did you mean 'a' or 'b')", or nothing where no known name is near.</summary>
    public static string Hint(string wrong, IEnumerable<string> known)
    {
        var near = Of(wrong, known);
        return near.Count == 0 ? "" : $" (did you mean {string.Join(" or ", near.Select(n => $"'{n}'"))})";
    }

    /// <summary>At most three known names within a third of the length in edits, nearest first.</summary>
    public static IReadOnlyList<string> Of(string wrong, IEnumerable<string> known) =>
        [.. known
            .Select(name => (name, distance: Distance(wrong.ToLowerInvariant(), name.ToLowerInvariant())))
            .Where(x => x.distance <= Math.Max(1, wrong.Length / 3))
            .OrderBy(x => x.distance)
            .ThenBy(x => x.name, StringComparer.Ordinal)
            .Select(x => x.name)
            .Take(3)];

    /// <summary>Edits from one to the other: a letter added, dropped, replaced, or swapped with its neighbour.</summary>
    private static int Distance(string a, string b)
    {
        var d = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            for (var j = 0; j <= b.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    d[i, j] = i + j;
                    continue;
                }
                d[i, j] = Math.Min(Math.Min(d[i - 1, j], d[i, j - 1]) + 1, d[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        }
        return d[a.Length, b.Length];
    }
}
