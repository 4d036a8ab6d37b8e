using StreamEngine.Configuration;
using StreamEngine.Decisions;

namespace StreamEngine.Runtime;

/// <summary>The numbers that all shards share.</summary>
public sealed record SharingOptions : ILocated
{
    [Doc("The compacted topic of the numbers that all shards share, with one partition. Only needed where decisions have budgets, or "
        + "placements learn (exploration with method: thompson).")]
    public string Topic { get; init; } = "shared";

    [Doc("How often each process looks for newer numbers.")]
    [Bounds(0.01, 60)]
    public TimeSpan Refresh { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;

    /// <summary>Whether a config shares numbers at all.</summary>
    public static bool AreUsed(EngineOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.Decisions.Budgets.Count > 0
            || options.Decisions.Exploration.Any(e => e.Method == ExplorationMethod.Thompson);
    }
}
