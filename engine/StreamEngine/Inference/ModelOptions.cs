using StreamEngine.Configuration;

namespace StreamEngine.Inference;

/// <summary>A model that offers refer to.</summary>
public sealed record ModelOptions : ILocated
{
    /// <summary>The name that offers refer to.</summary>
    public string Name { get; init; } = "";

    [Doc("The folder with one sub-folder per version, relative to the config file; models/NAME where absent.")]
    public string? Path { get; init; }

    [Doc("The version's folder; the newest (highest number) where absent.")]
    public string? Version { get; init; }

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}
