namespace StreamEngine.Decisions;

/// <summary>How the names of enum members are written in records and as metric labels.</summary>
public static class OutputNames
{
    /// <summary><c>NotEligible</c> as <c>not_eligible</c>.</summary>
    public static string Snake(string name) => Join(name, '_');

    /// <summary><c>UnknownSchema</c> as <c>unknown-schema</c>.</summary>
    public static string Kebab(string name) => Join(name, '-');

    private static string Join(string name, char separator) =>
        string.Concat(name.Select((c, i) => char.IsUpper(c) ? $"{(i > 0 ? separator.ToString() : "")}{char.ToLowerInvariant(c)}" : c.ToString()));
}
