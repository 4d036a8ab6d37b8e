namespace StreamEngine.Runtime;

/// <summary>How many partitions an engine's topics have in its log, as <see cref="Topics.Check"/> found them.</summary>
/// <param name="sources">Partitions of each source: the number of shards.</param>
/// <param name="outputs">Partitions by index in <see cref="OutputTopics.Names"/>; outputs that are not named here have one.</param>
public sealed class PartitionCounts(int sources, params int[] outputs)
{
    /// <summary>One of each, as files have it.</summary>
    public static PartitionCounts One { get; } = new(1);

    /// <summary>Partitions of each source.</summary>
    public int Sources { get; } = sources;

    /// <summary>Partitions of an output topic.</summary>
    /// <param name="topic">Its index in <see cref="OutputTopics.Names"/>.</param>
    public int OfOutput(int topic) => topic < outputs.Length ? outputs[topic] : 1;
}
