using StreamEngine.Decisions;
using StreamEngine.Decisions.Outcomes;
using StreamEngine.Events;
using StreamEngine.Inference;

namespace StreamEngine.Runtime;

/// <summary>
/// What a shard has done, in plain numbers: written by the shard's thread only, read by the metrics now and then (a torn or late value of a
/// counter does no harm there).
/// </summary>
public sealed class ShardCounters(int offers, int models, int variations, int explorations = 0, int tables = 0, int segments = 0,
    int experiments = 0)
{
    /// <summary>The counters of an engine's shard.</summary>
    public static ShardCounters Of(CompiledEngine engine) => new(engine.Policy.Offers.Count, engine.Policy.Models.Count,
        engine.Policy.VariationCount, engine.Policy.Explorations.Count, engine.TableShapes.Count, engine.Segments.Segments.Length,
        engine.Policy.Experiments.Count);

    /// <summary>Records processed live.</summary>
    public long Records;

    /// <summary>Bytes of keys and values processed live.</summary>
    public long Bytes;

    /// <summary>Events applied to a profile.</summary>
    public long Admitted;

    /// <summary>Records rejected, by <see cref="RejectReason"/>.</summary>
    public readonly long[] Rejected = new long[Enum.GetValues<RejectReason>().Length];

    /// <summary>Records in a partition that their customer does not hash to, by <see cref="Misplacement"/>.</summary>
    public readonly long[] WrongPartition = new long[Enum.GetValues<Misplacement>().Length];

    /// <summary>Ids of events and requests that were forgotten before their horizon because a customer had too many.</summary>
    public long DuplicatesEvicted;

    /// <summary>Values that were too large to be added to a fixed-point sum.</summary>
    public long ValuesNotAdded;

    /// <summary>How often a text took the place of another one among a customer's strongest.</summary>
    public long NamesEvicted;

    /// <summary>Keys of events, and of their items, that were in no row, by table.</summary>
    public readonly long[] LookupsMissed = new long[tables];

    /// <summary>Placements that were too long for a record and were cut.</summary>
    public long PlacementsCut;

    /// <summary>Decisions in which quiet hours did not know the customer's time zone.</summary>
    public long ZonesUnknown;

    /// <summary>Decisions that quiet hours let wait, by <see cref="DeferralFate"/>.</summary>
    public readonly long[] Deferrals = new long[Enum.GetValues<DeferralFate>().Length];

    /// <summary>Decisions that wait for the end of quiet hours now.</summary>
    public long DeferredNow;

    /// <summary>Decisions made.</summary>
    public long Decisions;

    /// <summary>Decisions that requests asked for.</summary>
    public long Requested;

    /// <summary>Decisions that a predecessor had logged and not committed, taken over as they were (at least once).</summary>
    public long Reused;

    /// <summary>Decisions by <see cref="Outcome"/>.</summary>
    public readonly long[] Outcomes = new long[Enum.GetValues<Outcome>().Length];

    /// <summary>Actions by offer.</summary>
    public readonly long[] Actions = new long[offers];

    /// <summary>Candidates dropped, by drop reason.</summary>
    public readonly long[] Drops = new long[Enum.GetValues<DropReason>().Length];

    /// <summary>Scores that were replaced by an offer's default propensity, by model and <see cref="ScoreFault"/>.</summary>
    public readonly long[] Fallbacks = new long[models * Faults];

    /// <summary>How many places of <see cref="Fallbacks"/> a model has.</summary>
    public static readonly int Faults = Enum.GetValues<ScoreFault>().Length;

    /// <summary>Decisions by the variation of an experiment, by <see cref="Variation.Number"/>.</summary>
    public readonly long[] Variations = new long[variations];

    /// <summary>Decisions by experiment and <see cref="StickyFate"/>.</summary>
    public readonly long[] Sticky = new long[experiments * StickyFates];

    /// <summary>How many places of <see cref="Sticky"/> an experiment has.</summary>
    public static readonly int StickyFates = Enum.GetValues<StickyFate>().Length;

    /// <summary>Decisions that a placement's exploration made, by its index and whether another than the best one was chosen.</summary>
    public readonly long[] Explored = new long[2 * explorations];

    /// <summary>Rewards that a placement could learn from, by the index of its exploration and <see cref="RewardFate"/>.</summary>
    public readonly long[] Rewards = new long[explorations * RewardFates];

    /// <summary>How many places of <see cref="Rewards"/> an exploration has.</summary>
    public static readonly int RewardFates = Enum.GetValues<RewardFate>().Length;

    /// <summary>Outcome events by <see cref="OutcomeKind"/> and <see cref="OutcomeFate"/>.</summary>
    public readonly long[] OutcomeEvents = new long[Enum.GetValues<OutcomeKind>().Length * Fates];

    /// <summary>How many places of <see cref="OutcomeEvents"/> a kind has.</summary>
    public static readonly int Fates = Enum.GetValues<OutcomeFate>().Length;

    /// <summary>Decisions closed, by what their record says of it.</summary>
    public readonly long[] DecisionsClosed = new long[Enum.GetValues<OutcomeStatus>().Length];

    /// <summary>Decisions that wait for outcomes now.</summary>
    public long OpenDecisions;

    /// <summary>Changes of segments, by segment: those who entered, then those who left.</summary>
    public readonly long[] SegmentChanges = new long[2 * segments];

    /// <summary>Members now, by segment.</summary>
    public readonly long[] Members = new long[segments];

    /// <summary>Shared numbers that were written.</summary>
    public long SharedWritten;

    /// <summary>Marks of shared numbers that were logged.</summary>
    public long SharedMarks;

    /// <summary>Timers fired.</summary>
    public long TimersFired;

    /// <summary>Timers waiting now, and a closing for each customer with open decisions.</summary>
    public long TimersWaiting;

    /// <summary>The partition's watermark, ms; <see cref="long.MinValue"/> before the first event.</summary>
    public long Watermark = long.MinValue;

    /// <summary>Records re-read while the shard was restored.</summary>
    public long Restored;

    /// <summary>Profiles loaded from a checkpoint.</summary>
    public long Loaded;

    /// <summary>Checkpoints closed.</summary>
    public long Checkpoints;

    /// <summary>Checkpoints that failed: none follow until the shard is opened again.</summary>
    public long CheckpointsFailed;

    /// <summary>Checkpoint files that a restore found damaged.</summary>
    public long CheckpointsDamaged;

    /// <summary>Bytes of the checkpoint files on the disk.</summary>
    public long CheckpointBytes;

    /// <summary>When the newest checkpoint began, ms since 1970-01-01 UTC; 0 before the first.</summary>
    public long CheckpointAt;

    /// <summary>The committed offset of each source; empty while that is not known.</summary>
    public long[] Committed = [];

    /// <summary>Where the partition of each source ended when last asked; empty before that.</summary>
    public long[] Ends = [];

    /// <summary>Counts a score that was not used.</summary>
    public void CountFallback(int model, ScoreFault fault) => Fallbacks[model * Faults + (int)fault]++;

    /// <summary>Counts what a sticky experiment made of a customer.</summary>
    internal void CountSticky(int experiment, StickyFate fate) => Sticky[experiment * StickyFates + (int)fate]++;

    /// <summary>Counts a reward.</summary>
    internal void CountReward(int exploration, RewardFate fate) => Rewards[exploration * RewardFates + (int)fate]++;

    /// <summary>Counts an outcome event.</summary>
    internal void CountOutcome(OutcomeKind kind, OutcomeFate fate) => OutcomeEvents[(int)kind * Fates + (int)fate]++;

    /// <summary>Adds another shard's counts (gauges left out).</summary>
    public void Add(ShardCounters other)
    {
        Records += other.Records;
        Bytes += other.Bytes;
        Admitted += other.Admitted;
        DuplicatesEvicted += other.DuplicatesEvicted;
        ValuesNotAdded += other.ValuesNotAdded;
        NamesEvicted += other.NamesEvicted;
        PlacementsCut += other.PlacementsCut;
        ZonesUnknown += other.ZonesUnknown;
        Decisions += other.Decisions;
        Requested += other.Requested;
        Reused += other.Reused;
        TimersFired += other.TimersFired;
        SharedWritten += other.SharedWritten;
        SharedMarks += other.SharedMarks;
        Restored += other.Restored;
        Loaded += other.Loaded;
        Checkpoints += other.Checkpoints;
        CheckpointsFailed += other.CheckpointsFailed;
        Add(Deferrals, other.Deferrals);
        Add(LookupsMissed, other.LookupsMissed);
        Add(WrongPartition, other.WrongPartition);
        CheckpointsDamaged += other.CheckpointsDamaged;
        Add(Rejected, other.Rejected);
        Add(Outcomes, other.Outcomes);
        Add(Actions, other.Actions);
        Add(Drops, other.Drops);
        Add(Variations, other.Variations);
        Add(Explored, other.Explored);
        Add(Sticky, other.Sticky);
        Add(Rewards, other.Rewards);
        Add(Fallbacks, other.Fallbacks);
        Add(OutcomeEvents, other.OutcomeEvents);
        Add(DecisionsClosed, other.DecisionsClosed);
        Add(SegmentChanges, other.SegmentChanges);
    }

    private static void Add(long[] to, long[] from)
    {
        for (var i = 0; i < to.Length; i++) to[i] += from[i];
    }
}
