namespace StreamEngine.Configuration;

/// <summary>What to say about a name that nobody declared.</summary>
internal static class KnownNames
{
    /// <summary>A remedy: the nearest known name where one is near, and all known names while they are few.</summary>
    /// <param name="name">The unknown name.</param>
    /// <param name="known">The declared names.</param>
    /// <param name="what">What they are, in the plural.</param>
    public static string Hint(string name, IReadOnlyCollection<string> known, string what)
    {
        if (known.Count == 0) return $"There are no {what} in the config";
        var near = Nearest(name, known);
        var all = known.Count <= 20 ? $"The {what} are: {string.Join(", ", known)}" : $"There are {known.Count} {what}";
        return near is null ? all : $"Did you mean '{near}'? {all}";
    }

    /// <summary>" (did you mean 'a' or 'b')", or nothing where no known name is near.</summary>
    public static string DidYouMean(string name, IEnumerable<string> known)
    {
        var near = Near(name, known);
        return near.Count == 0 ? "" : $" (did you mean {string.Join(" or ", near.Select(n => $"'{n}'"))})";
    }

    /// <summary>The known name with the fewest edits, a third of the letters at most; else null.</summary>
    public static string? Nearest(string name, IEnumerable<string> known)
    {
        string? best = null;
        var least = Math.Max(2, name.Length / 3) + 1;
        foreach (var candidate in known)
        {
            var edits = Edits(name, candidate);
            if (edits >= least || edits >= candidate.Length) continue;
            least = edits;
            best = candidate;
        }
        return best;
    }

    /// <summary>At most three known names within a third of the length in edits, nearest first.</summary>
    private static List<string> Near(string name, IEnumerable<string> known) =>
    [
        .. known.Select(k => (Name: k, Edits: Edits(name, k)))
            .Where(k => k.Edits <= Math.Max(1, name.Length / 3))
            .OrderBy(k => k.Edits)
            .ThenBy(k => k.Name, StringComparer.Ordinal)
            .Select(k => k.Name)
            .Take(3),
    ];

    /// <summary>
    /// Edits from one to the other, letter case ignored: a letter added, dropped, replaced, or swapped with its neighbour (the optimal
    /// string alignment distance, by three rows of its table).
    /// </summary>
    private static int Edits(string a, string b)
    {
        var (before, last, row) = (new int[b.Length + 1], new int[b.Length + 1], new int[b.Length + 1]);
        for (var j = 0; j <= b.Length; j++) row[j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            (before, last, row) = (last, row, before);
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                row[j] = Math.Min(last[j - 1] + (Same(a[i - 1], b[j - 1]) ? 0 : 1), Math.Min(last[j], row[j - 1]) + 1);
                if (i > 1 && j > 1 && Same(a[i - 1], b[j - 2]) && Same(a[i - 2], b[j - 1])) row[j] = Math.Min(row[j], before[j - 2] + 1);
            }
        }
        return row[b.Length];
    }

    private static bool Same(char a, char b) => char.ToLowerInvariant(a) == char.ToLowerInvariant(b);
}
