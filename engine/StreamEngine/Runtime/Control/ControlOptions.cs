using StreamEngine.Configuration;

namespace StreamEngine.Runtime;

/// <summary>What is switched at run time.</summary>
public sealed record ControlOptions : ILocated
{
    [Doc("The compacted topic of switches, with one partition: `streamengine switch` writes there, and every process follows it. Where the "
        + "topic does not exist everything is on; empty follows none.")]
    public string Topic { get; init; } = "control";

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}
