namespace StreamEngine.Host.Replay.Comparison;

/// <summary>One of the two policies.</summary>
/// <param name="File">Its config.</param>
/// <param name="Engine">The engine's name in it.</param>
/// <param name="ConfigHash">The hash that its decisions name.</param>
internal sealed record ComparedPolicy(string File, string Engine, string ConfigHash);

/// <summary>What came out of a comparison.</summary>
internal sealed record ComparisonReport
{
    /// <summary>Said with every comparison: what it can't tell.</summary>
    public const string NoOutcomes = "Whether customers would have clicked or bought more can't be read from a replay: what came of "
        + "decisions in the history came of what was really shown then. `streamengine evaluate policy` estimates it from decisions that "
        + "explored.";

    /// <summary>Said where outcomes are declared: caps and suppressions on them see those of the history.</summary>
    public const string HistoryOutcomes = "The outcomes in the history are of what was shown then. In both replays they join the decision "
        + "that they name, though a replay gives ids anew, or the customer's last one: caps and suppressions on outcomes are as right as "
        + "that is.";

    /// <summary>Said where a placement of either learns: it does so from what the history's customers did.</summary>
    public const string HistoryRewards = "A placement learns (exploration, method: thompson). In this comparison it learns from the "
        + "rewards in the history, which came of what was really shown then, as if they had come of what it shows here. So what it "
        + "learns is not what it would have learnt, and its choices, shares and expected values are not to be relied on.";

    /// <summary>The two, in the order in which they were given.</summary>
    public required IReadOnlyList<ComparedPolicy> Policies { get; init; }

    /// <summary>What their configs write differently.</summary>
    public required IReadOnlyList<ConfigDifference> Differences { get; init; }

    /// <summary>Records that both have read.</summary>
    public required long Records { get; init; }

    /// <summary>The time up to which timers fired; null where there was no event.</summary>
    public required string? AsOf { get; init; }

    /// <summary>All placements together.</summary>
    public required PlacementComparison Total { get; init; }

    /// <summary>By placement.</summary>
    public required IReadOnlyDictionary<string, PlacementComparison> Placements { get; init; }

    /// <summary>What can't be concluded from it.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>How long it took.</summary>
    public required double Seconds { get; init; }
}
