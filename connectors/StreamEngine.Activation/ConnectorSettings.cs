using StreamEngine.Connectors;
using StreamEngine.Runtime;

namespace StreamEngine.Activation;

/// <summary>What all connectors of a process get.</summary>
public sealed record ConnectorSettings
{
    /// <summary>The engine's name, with which the names of consumer groups begin.</summary>
    public required string Engine { get; init; }

    /// <summary>This node's name.</summary>
    public required string Node { get; init; }

    /// <summary>
    /// The command that runs the connectors. It is a part of the members' names in their groups: <c>run</c> and <c>activate</c> beside each
    /// other on one machine share the partitions, and neither takes the other for its own predecessor.
    /// </summary>
    public required string Command { get; init; }

    /// <summary>The log.</summary>
    public required ILog Log { get; init; }

    /// <summary>The clock of pauses, intervals and limits.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Whether connectors end at the log's present end.</summary>
    public bool Drain { get; init; }

    /// <summary>Whether the dead letter is read in the place of the topic, and sent again.</summary>
    public bool Replay { get; init; }

    /// <summary>Takes the lines for the log; any thread calls it.</summary>
    public Action<WorkerEvent> Report { get; init; } = _ => { };
}
