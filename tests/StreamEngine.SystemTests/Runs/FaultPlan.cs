namespace StreamEngine.SystemTests.Runs;

/// <summary>What is done to a cluster.</summary>
internal enum FaultKind
{
    /// <summary>kill -9 of a member; it is started again at once or after a while.</summary>
    Kill,

    /// <summary>
    /// A member stands still (SIGSTOP) past the session timeout: its partitions go elsewhere, and it wakes up believing that they are its
    /// own.
    /// </summary>
    Zombie,

    /// <summary>
    /// A member stands still longer than the transaction timeout but within the session: its open transaction is ended, its partitions
    /// stay.
    /// </summary>
    Stall,

    /// <summary>A member ends as it should (SIGTERM), stays away for a while and comes back.</summary>
    Leave,

    /// <summary>A member that was never there joins, works, and ends as it should.</summary>
    Join,

    /// <summary>
    /// The broker ends as for maintenance and starts again on the same data, while no other fault is there and no engine is amid a commit:
    /// a single Kafka broker from 4.1 on takes its partitions for deleted ones while it stops and starts, and forgets the markers of what
    /// ends then (KAFKA-20734). What it commits by halves comes twice or is lost, and the group's offsets stay pending for ever, whatever a
    /// client does; nobody could tell that from an engine's fault.
    /// </summary>
    Broker,

    /// <summary>kill -9 of a member whose local files are gone when it starts again: its shards come from the checkpoint topic.</summary>
    StateLoss,

    /// <summary>
    /// The same of a member that no longer keeps the topic either: its shards come from the first event on. Until it is hit again the topic
    /// stands still, and is then older than the files.
    /// </summary>
    TopicLoss,
}

/// <summary>One fault.</summary>
/// <param name="Kind">What is done.</param>
/// <param name="After">How long after the fault before.</param>
/// <param name="Dice">A number that draws whom it hits and how hard.</param>
internal readonly record struct Fault(FaultKind Kind, TimeSpan After, int Dice)
{
    /// <summary>A length of time between two bounds, by the fault's own dice.</summary>
    public TimeSpan Between(double fewest, double most) => TimeSpan.FromSeconds(fewest + (most - fewest) * (Dice % 1_000 / 1_000.0));
}

/// <summary>
/// Faults by seed: every kind comes about as often as it stands in the bag, in any order; a bag's worth of faults has each kind at least
/// once.
/// </summary>
internal static class FaultPlan
{
    private static readonly FaultKind[] Bag = [FaultKind.Kill, FaultKind.Kill, FaultKind.Zombie, FaultKind.Stall, FaultKind.Leave,
        FaultKind.Join, FaultKind.Broker, FaultKind.StateLoss, FaultKind.TopicLoss];

    /// <summary>Faults that hold every kind at least once.</summary>
    public static int Least => Bag.Length;

    /// <summary>The faults in order.</summary>
    /// <param name="seed">Draws them.</param>
    /// <param name="count">How many.</param>
    /// <param name="kinds">Of which kinds.</param>
    public static IEnumerable<Fault> Make(int seed, int count, IReadOnlyCollection<FaultKind> kinds)
    {
        var random = new Random(seed);
        FaultKind[] bag = [.. Bag.Where(kinds.Contains)];
        for (var n = 0; n < count; n++)
        {
            if (n % bag.Length == 0) random.Shuffle(bag);
            yield return new Fault(bag[n % bag.Length], TimeSpan.FromSeconds(random.NextDouble() * 3), random.Next(int.MaxValue));
        }
    }
}
