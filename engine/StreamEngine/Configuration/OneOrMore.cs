namespace StreamEngine.Configuration;

/// <summary>An option that takes one text, or a list of them in the order in which they count.</summary>
public sealed class OneOrMore
{
    /// <summary>A list.</summary>
    public OneOrMore(IReadOnlyList<string> all) => (All, IsList) = (all, true);

    private OneOrMore(string one) => All = [one];

    /// <summary>The texts in order; one where it is no list.</summary>
    public IReadOnlyList<string> All { get; }

    /// <summary>Whether it is written as a list, be it of one.</summary>
    public bool IsList { get; }

    /// <summary>One text.</summary>
    public static implicit operator OneOrMore(string one) => new(one);

    /// <summary>As the config writes it.</summary>
    public override string ToString() => IsList ? $"[{string.Join(", ", All)}]" : All[0];
}

/// <summary>An option that takes one text, or a mapping of names to texts.</summary>
public sealed class OneOrNamed
{
    /// <summary>Texts by name, in the config's order.</summary>
    public OneOrNamed(IReadOnlyList<KeyValuePair<string, string>> named) => Named = named;

    private OneOrNamed(string one) => One = one;

    /// <summary>The one text; empty where it is a mapping.</summary>
    public string One { get; } = "";

    /// <summary>The texts by name; empty where it is one text.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Named { get; } = [];

    /// <summary>Whether there is any.</summary>
    public bool Any => One.Length > 0 || Named.Count > 0;

    /// <summary>All texts.</summary>
    public IEnumerable<string> All => One.Length > 0 ? [One] : Named.Select(n => n.Value);

    /// <summary>One text.</summary>
    public static implicit operator OneOrNamed(string one) => new(one);

    /// <summary>As the config writes it.</summary>
    public override string ToString() => Named.Count == 0 ? One : $"{{{string.Join(", ", Named.Select(n => $"{n.Key}: {n.Value}"))}}}";
}
