using System.Text;

namespace StreamEngine.Configuration;

/// <summary>How C# names are written in a config, and which known name a misspelt one is nearest to.</summary>
internal static class OptionNames
{
    /// <summary><c>MaxPollRecords</c> as <c>max_poll_records</c>.</summary>
    public static string Snake(string name) => Join(name, '_');

    /// <summary><c>DeadLetter</c> as <c>dead-letter</c>.</summary>
    public static string Kebab(string name) => Join(name, '-');

    /// <summary>The known name that takes the fewest edits, or null where none is near.</summary>
    public static string? Nearest(string name, IEnumerable<string> known)
    {
        string? best = null;
        var least = Math.Max(2, name.Length / 3) + 1;
        foreach (var candidate in known)
        {
            var edits = Edits(name.ToLowerInvariant(), candidate);
            if (edits >= least) continue;
            least = edits;
            best = candidate;
        }
        return best;
    }

    private static string Join(string name, char separator)
    {
        var text = new StringBuilder();
        foreach (var c in name)
        {
            if (char.IsUpper(c) && text.Length > 0) text.Append(separator);
            text.Append(char.ToLowerInvariant(c));
        }
        return text.ToString();
    }

    /// <summary>Levenshtein's distance.</summary>
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
                var replace = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replace, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[b.Length];
    }
}
