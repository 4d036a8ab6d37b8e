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

    /// <summary>Levenshtein's distance, letter case ignored.</summary>
    private static int Edits(string a, string b)
    {
        var row = new int[b.Length + 1];
        for (var j = 0; j <= b.Length; j++) row[j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var replace = diagonal + (char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replace, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[b.Length];
    }
}
