using StreamEngine.Connectors;
using StreamEngine.Decisions;
using StreamEngine.Events;
using StreamEngine.Expressions;
using StreamEngine.Runtime.Requests;
using StreamEngine.State;
using StreamEngine.State.Checkpoints;

namespace StreamEngine.Runtime;

/// <summary>
/// What the folds of a shard change and its passes share: profiles, timers, watermark and position, the event at hand, and what is written
/// about it. Belongs to the shard's thread.
/// </summary>
internal sealed class ShardState : IDisposable
{
    private readonly ArmBeliefs? _beliefs;
    private readonly ArmBeliefs.NumberOf? _find;
    private int _believed;   // the generation of the shared numbers that they are of

    /// <param name="engine">The compiled config.</param>
    /// <param name="partition">The shard's partition, of every source.</param>
    /// <param name="partitions">Partitions of the topics.</param>
    /// <param name="store">Its profiles; disposed with the state.</param>
    /// <param name="outputs">The interval's outputs.</param>
    /// <param name="batch">The worker's decisions that wait for their scores.</param>
    /// <param name="time">The clock.</param>
    public ShardState(CompiledEngine engine, int partition, PartitionCounts partitions, IStateStore store, OutputBuffer outputs,
        DecisionBatch batch, TimeProvider time)
    {
        (Engine, Partition, Store, Outputs, Time) = (engine, partition, store, outputs, time);
        var sources = engine.Events.Sources.Count;
        Counters = ShardCounters.Of(engine);
        Position = new ShardPosition(sources);
        Clock = new SourceClock(sources, engine.Options.Time, time);
        Event = new Event(engine.Events.Fields);
        Writer = new ShardOutputs(engine, partition, partitions, outputs);
        Decisions = new DecisionQueue(batch, this);
        Outcomes = engine.Policy.Outcomes is { } outcomes ? new OutcomeFold(this, outcomes) : null;
        Deferrals = engine.Policy.Deferred is { } deferred ? new DeferralFold(this, deferred) : null;
        Segments = engine.Segments is { Segments.Length: 0, Identifiers.Length: 0 } ? null : new SegmentFold(this, engine.Segments);
        Shared = engine.Outputs.Shared >= 0 ? new SharedState(new SharedScope(engine.Policy, engine.Options.Time.Lateness)) : null;
        if (Shared is not null && engine.Policy.Budgets.Count > 0)
        {
            Budgets = new BudgetBook(engine.Policy.Budgets, Shared, partition);
            ChargesOutcomes = engine.Policy.ChargesOutcomes;
            Ledger = partition == BudgetLedger.Shard ? new BudgetLedger(engine.Policy, Shared, partitions.Sources) : null;
        }
        if (Shared is not null && engine.Policy.Learns)
        {
            _beliefs = new ArmBeliefs(engine.Policy);
            _find = Shared.View.Find;
        }
        Switches = engine.Policy.Unmarked;
    }

    /// <summary>The compiled config.</summary>
    public CompiledEngine Engine { get; }

    /// <summary>The shard's partition.</summary>
    public int Partition { get; }

    /// <summary>The clock of the machine.</summary>
    public TimeProvider Time { get; }

    /// <summary>What is known of each customer.</summary>
    public IStateStore Store { get; }

    /// <summary>The timers that wait.</summary>
    public TimerHeap Timers { get; } = new();

    /// <summary>Customers whose decisions are to be closed; at one watermark they come before timers.</summary>
    public TimerHeap Closings { get; } = new();

    /// <summary>Customers whose quiet hours end; at one watermark they come between closings and timers.</summary>
    public TimerHeap Deferred { get; } = new();

    /// <summary>When the next of all these is due, ms; <see cref="long.MaxValue"/> where none waits.</summary>
    public long NextDue => Math.Min(Math.Min(Timers.NextDue, Closings.NextDue), Deferred.NextDue);

    /// <summary>How far each source has come in event time.</summary>
    public SourceClock Clock { get; }

    /// <summary>The watermark, ms; <see cref="long.MinValue"/> before the first event.</summary>
    public long Watermark { get; set; } = long.MinValue;

    /// <summary>Where it stands in its sources.</summary>
    public ShardPosition Position { get; }

    /// <summary>The event at hand.</summary>
    public Event Event { get; }

    /// <summary>The same for the config's expressions.</summary>
    public EvalContext Context { get; } = new();

    /// <summary>The decisions that wait for their scores.</summary>
    public DecisionQueue Decisions { get; }

    /// <summary>What becomes of decisions; null where no events are outcomes.</summary>
    public OutcomeFold? Outcomes { get; }

    /// <summary>Decisions that wait for the end of quiet hours; null where no quiet hours defer.</summary>
    public DeferralFold? Deferrals { get; }

    /// <summary>Who enters and leaves segments; null where neither segments nor identifiers are declared.</summary>
    public SegmentFold? Segments { get; }

    /// <summary>
    /// What is off for the shard's decisions, and which segments are told: as the newest mark in its log says; on, and none, where there is
    /// no mark.
    /// </summary>
    public Switches Switches { get; set; }

    /// <summary>
    /// As of which versions its events look up in tables that are topics: as the newest mark in its log says. The rows themselves are in
    /// <see cref="Events.Event.Tables"/>.
    /// </summary>
    public TableVersions Tables { get; set; } = TableVersions.None;

    /// <summary>What is known of arms, by the shared numbers that it decides by; null where no placement learns.</summary>
    public ArmBeliefs? Beliefs
    {
        get
        {
            if (_beliefs is not null && _believed != Shared!.View.Generation)
            {
                _believed = Shared.View.Generation;
                _beliefs.Take(_find!);
            }
            return _beliefs;
        }
    }

    /// <summary>Its part in the numbers that all shards share; null where the config shares none.</summary>
    public SharedState? Shared { get; }

    /// <summary>What it has left of budgets; null where there are none.</summary>
    public BudgetBook? Budgets { get; }

    /// <summary>Whether outcomes change what is left of a budget.</summary>
    public bool ChargesOutcomes { get; }

    /// <summary>Grants all shards what they may spend; null where another shard does, or there are no budgets.</summary>
    public BudgetLedger? Ledger { get; }

    /// <summary>Writes into the interval's outputs.</summary>
    public ShardOutputs Writer { get; }

    /// <summary>The interval's outputs.</summary>
    public OutputBuffer Outputs { get; }

    /// <summary>Records in a partition that their customer does not hash to, since they were last asked for.</summary>
    public MisplacedRecords Misplaced { get; } = new();

    /// <summary>Says when nothing of a source is let in; null where nobody listens.</summary>
    public SourceWatch? Watch { get; set; }

    /// <summary>Its customers that somebody watches; null where nobody can.</summary>
    public ShardWatches? Watches { get; set; }

    /// <summary>What was done, in numbers.</summary>
    public ShardCounters Counters { get; }

    /// <summary>The shard's cuts, those that are made and the one that was loaded; null where no checkpoints are kept.</summary>
    public ShardCut? Cut { get; private set; }

    /// <summary>The files that cuts go to; null where none are kept.</summary>
    public CheckpointFiles? Files { get; private set; }

    /// <summary>Keeps checkpoints from now on.</summary>
    public void KeepCheckpoints(CheckpointFiles? files, int sliceBytes, Func<Task<long>> decisionsEnd)
    {
        Files = files;
        Cut = new ShardCut(Engine.StateVersion, Store, files, Outputs, Engine.Outputs.Checkpoints, Partition, Counters,
            Engine.Options.Checkpoints.Interval, sliceBytes, Time, decisionsEnd);
    }

    /// <summary>
    /// Its next decisions follow these numbers. Where that changes any, it is logged first, with its position: a decision that is logged
    /// behind the mark was made by it. A shard that has nothing to decide is not told, so an idle one writes none.
    /// </summary>
    public void Share(SharedNumbers numbers)
    {
        if (Shared is null || (ReferenceEquals(Shared.Seen, numbers) && Watermark < Shared.View.Until)) return;
        Shared.Seen = numbers;
        var news = Shared.View.Difference(numbers, Partition, Watermark);
        if (news.Count == 0) return;
        Decisions.Flush();
        SharedNumber[] all = [.. news];
        // A long list is several marks: each of them fits into a record, whatever the config has.
        for (int from = 0, to; from < all.Length; from = to)
        {
            var bytes = SharedView.MostBytes(all[from]);
            for (to = from + 1; to < all.Length && bytes + SharedView.MostBytes(all[to]) <= ShardOutputs.MostShared; to++)
                bytes += SharedView.MostBytes(all[to]);
            Writer.Shared(Position.NextCauseOfOurs(), Watermark, numbers.Version, SharedView.Encode(all.AsSpan(from..to)));
            Counters.SharedMarks++;
        }
        Shared.View.Take(numbers.Version, all);
    }

    /// <summary>What it adds to the shared numbers goes into the commit that now begins, as it stands.</summary>
    public void WriteTallies() => Shared?.Tallies.Take(tally =>
    {
        Writer.Tallied(tally, Time.GetUtcNow().ToUnixTimeMilliseconds());
        Counters.SharedWritten++;
    });

    /// <summary>Lets the metrics see how far it is.</summary>
    public void Publish()
    {
        Counters.Watermark = Watermark;
        Counters.TimersWaiting = Timers.Count + Closings.Count;
    }

    public void Dispose()
    {
        Files?.Dispose();
        Store.Dispose();
    }
}
