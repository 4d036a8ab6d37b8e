namespace StreamEngine.Testing.Simulation;

/// <summary>Which of the two logs a simulated one behaves like.</summary>
public enum SimLogKind
{
    /// <summary>
    /// Markers and aborted records take offsets, a commit becomes visible partition by partition, the group fences by generation.
    /// </summary>
    Kafka,

    /// <summary>A commit is one atomic append, offsets are dense, the group fences by ownership.</summary>
    Embedded,
}

/// <summary>A boundary between two steps of whoever uses the log: here it may die, or others may go on.</summary>
public enum SimPoint
{
    /// <summary>A poll has begun.</summary>
    PollBegins,

    /// <summary>A poll has its records and is about to return them.</summary>
    PollEnds,

    /// <summary>Partitions are about to be handed over: the revocation follows.</summary>
    Revoking,

    /// <summary>A transaction is about to be begun: what was processed is not written.</summary>
    Begin,

    /// <summary>Outputs were given to the client.</summary>
    Written,

    /// <summary>A commit has begun: nothing of it has left the client.</summary>
    CommitBegins,

    /// <summary>The offsets are accepted, the commit is not asked for.</summary>
    OffsetsSent,

    /// <summary>The commit has its outcome and is about to return it.</summary>
    CommitEnds,

    /// <summary>An abort is about to be made.</summary>
    Aborting,

    /// <summary>The client is about to be replaced.</summary>
    Rebuilding,

    /// <summary>The client was replaced.</summary>
    Rebuilt,

    /// <summary>A reader is about to read: a slice of a restore, or the search for an interval.</summary>
    Reading,

    /// <summary>Somebody asks for a committed offset.</summary>
    AskingOffset,

    /// <summary>Somebody asks for watermarks.</summary>
    AskingEnds,
}

/// <summary>What becomes of a commit.</summary>
public enum SimFate
{
    /// <summary>Committed, and said so.</summary>
    Commit,

    /// <summary>Aborted, and said so.</summary>
    Abort,

    /// <summary>Committed; the answer is lost.</summary>
    CommitUnknown,

    /// <summary>The request is lost: the transaction stays open until somebody ends it.</summary>
    LostUnknown,

    /// <summary>The request is on its way and arrives at some time, unless somebody ends the transaction before.</summary>
    LateUnknown,

    /// <summary>The client is beyond repair; the transaction stays open until somebody ends it.</summary>
    Fenced,
}

/// <summary>
/// Whoever drives a <see cref="SimLog"/>: owns its clock, is told of every step boundary and makes every choice that a real log leaves to
/// chance. This one lets everything go well and at once.
/// </summary>
public class SimSchedule
{
    /// <summary>The clock; stands still but for waits.</summary>
    public ManualTime Time { get; } = new(DateTimeOffset.FromUnixTimeMilliseconds(Scenario.Start));

    /// <summary>For how long after a commit began nobody else can be taken for the owner.</summary>
    public TimeSpan Lease { get; init; } = Timeout.InfiniteTimeSpan;

    /// <summary>A step boundary. May throw, and may use the log on behalf of others.</summary>
    public virtual void At(SimPoint point)
    {
    }

    /// <summary>How many of the records that are there come now, 0 to <paramref name="max"/>.</summary>
    public virtual int Take(int max) => max;

    /// <summary>One of so many, where a real log would have no order.</summary>
    public virtual int Pick(int count) => 0;

    /// <summary>Whether something that happens by itself (a marker, a produce request) happens later.</summary>
    public virtual bool Later() => false;

    /// <summary>What becomes of a commit, or (as far as it applies) of an abort.</summary>
    public virtual SimFate Fate() => SimFate.Commit;

    /// <summary>Somebody waits in vain for so long.</summary>
    public virtual void Wait(TimeSpan time) => Time.Advance(time);
}
