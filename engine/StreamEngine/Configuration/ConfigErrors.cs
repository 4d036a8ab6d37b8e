namespace StreamEngine.Configuration;

/// <summary>One mistake in the config: where, what, and what to do about it.</summary>
public sealed record ConfigError(ConfigLocation At, string Message, string Remedy)
{
    /// <inheritdoc/>
    public override string ToString() =>
        Printable.Of($"{At}: {(At.Path.Length == 0 ? "" : $"{At.Path}: ")}{Message.TrimEnd('.')}. {Remedy}");
}

/// <summary>Collects every mistake, so that a bad config is told all at once.</summary>
public sealed class ConfigErrors
{
    private readonly List<ConfigError> _all = [];
    private readonly HashSet<ConfigLocation> _unreadable = [];

    /// <summary>The mistakes in the order found.</summary>
    public IReadOnlyList<ConfigError> All => _all;

    /// <summary>Whether there are any.</summary>
    public bool Any => _all.Count > 0;

    /// <summary>
    /// Adds a mistake at a known place; not where the value could not be read at all: that was told, and what follows from it is no mistake
    /// of its own.
    /// </summary>
    public void Add(ConfigLocation at, string message, string remedy)
    {
        if (!_unreadable.Contains(at)) _all.Add(new ConfigError(at, message, remedy));
    }

    /// <summary>Adds a mistake at a value that could not be read; nothing more is told of that value.</summary>
    public void AddUnreadable(ConfigLocation at, string message, string remedy)
    {
        Add(at, message, remedy);
        _unreadable.Add(at);
    }

    /// <summary>
    /// Adds a mistake at the entry <paramref name="key"/> of <paramref name="node"/>, or at the node itself where the entry is absent.
    /// </summary>
    public void Add(ConfigNode node, string key, string message, string remedy)
    {
        var at = (node[key] ?? node).At;
        if (node[key] is null && key.Length > 0) at = at with { Path = at.Path.Length == 0 ? key : $"{at.Path}.{key}" };
        Add(at, message, remedy);
    }

    /// <summary>Throws when there are any.</summary>
    /// <exception cref="ConfigException">There are mistakes.</exception>
    public void ThrowIfAny()
    {
        if (Any) throw new ConfigException(_all);
    }
}

/// <summary>The config can't be used: carries every mistake.</summary>
public sealed class ConfigException(IReadOnlyList<ConfigError> errors)
    : Exception(string.Join(Environment.NewLine, errors))
{
    /// <summary>Every mistake found.</summary>
    public IReadOnlyList<ConfigError> Errors { get; } = errors;
}
