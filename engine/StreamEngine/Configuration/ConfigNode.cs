namespace StreamEngine.Configuration;

/// <summary>
/// Where a value stands: file, line and column (both from 1; 0 for an override, whose file is its name), and its dotted path in the config.
/// </summary>
public readonly record struct ConfigLocation(string File, int Line, int Column, string Path)
{
    /// <inheritdoc/>
    public override string ToString() => Line == 0 ? File : $"{File}:{Line}:{Column}";
}

/// <summary>
/// One value of the config before it has a type: a scalar, a list or a mapping, with its place. Mappings keep the file's order.
/// </summary>
public sealed class ConfigNode(ConfigLocation at)
{
    /// <summary>Where the value stands; for an override from the command line or the environment, the file is its name.</summary>
    public ConfigLocation At { get; } = at;

    /// <summary>
    /// Where the scalar's first character stands, for errors inside its text: differs from <see cref="At"/> where a quote or the indicator
    /// of a block scalar comes before it. Each further line of the text begins in the same column.
    /// </summary>
    public (int Line, int Column) TextAt { get; init; } = (at.Line, at.Column);

    /// <summary>The scalar's text; null for a list, a mapping or an explicit null.</summary>
    public string? Scalar { get; init; }

    /// <summary>The list's items; null unless this is a list.</summary>
    public IReadOnlyList<ConfigNode>? Items { get; init; }

    /// <summary>The mapping's entries in the file's order; null unless this is a mapping.</summary>
    public IReadOnlyList<KeyValuePair<string, ConfigNode>>? Entries { get; init; }

    /// <summary>The entry of that name, or null.</summary>
    public ConfigNode? this[string key]
    {
        get
        {
            if (Entries is null) return null;
            foreach (var (name, node) in Entries)
                if (name == key) return node;
            return null;
        }
    }

    /// <summary>A node for options that were built in code rather than read.</summary>
    public static ConfigNode InCode { get; } = new(new ConfigLocation("(code)", 0, 0, ""));
}
