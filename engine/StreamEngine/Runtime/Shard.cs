using StreamEngine.Connectors;
using StreamEngine.Decisions;
using StreamEngine.Events;
using StreamEngine.Events.Tables;
using StreamEngine.Runtime.Requests;
using StreamEngine.State;
using StreamEngine.State.Checkpoints;

namespace StreamEngine.Runtime;

/// <summary>
/// The one owner of a partition's state, timers and order. The way of one event, top to bottom:
/// <code>
///  (1) poll      is the worker's: a run of this partition's records comes in (LivePass)
///  (2) decode    project the record into the event (RecordDecoder)
///  (3) admit     partition, time bounds, consent, lateness; what is refused goes to the dead letter or the late topic (EventFold.Admit)
///      (timers)  the watermark follows; timers that are due fire before the event is applied (EventFold.AdvanceWatermark)
///  (4) identify  the profile's key
///  (5) update    duplicate? then features and timers, in place, in one state access (EventUpdate)
///  (6) trigger   a decision opens: its vector was copied in that same access (DecisionQueue)
///  (7) score     all open decisions' vectors in one model run (DecisionBatch)
///  (8) decide    in order, each applied to its profile before the next
///  (9) emit      action and decision record into the interval's outputs (ShardOutputs)
/// (10) commit    is the worker's
/// </code>
/// State is the fold of events and decisions. Steps 2 to 6 are the fold of an event (<see cref="EventFold"/>), which four passes over the
/// log share; what each adds to it is in the pass, and what the fold asks of a pass is in <see cref="IPass"/>:
/// <code>
///  LivePass      what happens now; steps 7 to 9 follow
///  CatchUpPass   live again behind a predecessor that wrote more than it committed (at least once)
///  RestorePass   steps 7 to 9 are left out: decisions come from the log (DecisionFold)
///  FilePass      live, over files in event-time order
/// </code>
/// </summary>
public sealed class Shard : IDisposable
{
    /// <summary>The longest customer id or event id, bytes: both go into every record that is written about the event.</summary>
    public const int MaxIdBytes = 1_024;

    private readonly DecisionFold _decided;
    private readonly RequestServer _requests;
    private TableViews? _followed;   // by its newest event

    /// <summary>Makes a shard with an empty store.</summary>
    /// <param name="engine">The compiled config.</param>
    /// <param name="partition">The partition it owns, of every source.</param>
    /// <param name="store">Its profiles; disposed with the shard.</param>
    /// <param name="outputs">The interval's outputs, shared by the worker's shards.</param>
    /// <param name="batch">The worker's decisions that wait for their scores. Whoever calls <see cref="Process"/> flushes it before the
    /// records go.</param>
    /// <param name="time">The clock of idleness and of future bounds.</param>
    /// <param name="partitions">Partitions of the topics, over which customers hash; one of each where absent, which takes every record as
    /// rightly placed.</param>
    /// <param name="decoders">Decoders by source where the records are not as the topics have them (files with a header or schema of their
    /// own).</param>
    public Shard(CompiledEngine engine, int partition, IStateStore store, OutputBuffer outputs, DecisionBatch batch, TimeProvider time,
        PartitionCounts? partitions = null, IReadOnlyList<IEventDecoder>? decoders = null)
    {
        partitions ??= PartitionCounts.One;
        State = new ShardState(engine, partition, partitions, store, outputs, batch, time);
        Fold = new EventFold(State, partitions.Sources, decoders);
        Live = new LivePass(State, Fold);
        _decided = new DecisionFold(State);
        _requests = new RequestServer(State);
    }

    /// <summary>The partition it owns.</summary>
    public int Partition => State.Partition;

    /// <summary>What it has done.</summary>
    public ShardCounters Counters => State.Counters;

    /// <summary>How many profiles it holds.</summary>
    public long Profiles => State.Store.Count;

    /// <summary>Memory of its state store, bytes.</summary>
    public long StateBytes => State.Store.MemoryBytes;

    /// <summary>Says when nothing of a source is let in; null where nobody listens.</summary>
    public SourceWatch? Watch { init => State.Watch = value; }

    /// <summary>Its customers that somebody watches; null where nobody can.</summary>
    internal ShardWatches? Watches
    {
        get => State.Watches;
        init => State.Watches = value;
    }

    /// <summary>Whether a cut has profiles to copy: turns without records do that too.</summary>
    internal bool CutIsBusy => State.Cut is { Busy: true };

    /// <summary>Whether such a cut needs a commit to go on.</summary>
    internal bool CutNeedsCommit => State.Cut is { Busy: true, NeedsCommits: true };

    /// <summary>The shard's checkpoint files; null where none are kept.</summary>
    internal CheckpointFiles? Checkpoints => State.Files;

    internal ShardState State { get; }

    internal EventFold Fold { get; }

    internal LivePass Live { get; }

    /// <summary>The next offset to read of a source.</summary>
    internal long Next(int source) => State.Position.Next[source];

    /// <summary>The next offset of a source as last committed.</summary>
    internal long CommittedNext(int source) => State.Position.Committed[source];

    /// <summary>
    /// Processes a run of this partition's records, live; the decisions that it opens wait in the worker's batch. Returns the index of the
    /// first record that was not processed: <paramref name="to"/>, or that of one that has to wait (<see cref="WaitsFor"/>).
    /// </summary>
    public int Process(RecordBatch batch, int from, int to) => Live.Process(batch, from, to);

    /// <summary>Why it waits before a record whose schema can't be asked for; null where it does not.</summary>
    public string? WaitsFor => Fold.Wait.Reason;

    /// <summary>Whether it can go on where it stands; looks at most every 200 ms whether the schema is there.</summary>
    internal bool GoesOn() => Fold.Wait.IsOver();

    /// <summary>Moves the watermark when the partition has been idle for long enough; true where something was written.</summary>
    /// <param name="numbers">The shared numbers that decisions of timers follow; null where they follow none.</param>
    internal bool AdvanceIdle(SharedNumbers? numbers = null) => Live.AdvanceIdle(numbers);

    /// <summary>The silence up to now was not the partition's.</summary>
    internal void NotIdle() => State.Clock.Restart();

    /// <summary>
    /// Serves a request. A decision that it opens is made with the worker's batch, and its answer is there once that is flushed.
    /// </summary>
    internal void Serve(ShardRequest request) => _requests.Serve(request);

    /// <summary>
    /// Its decisions follow these switches from now on. Where that changes any, it is logged first, with its position: a decision that is
    /// logged behind the mark was made by it. True where something was written.
    /// </summary>
    internal bool Switch(Switches switches)
    {
        if (ReferenceEquals(State.Switches, switches)) return false;
        State.Decisions.Flush();
        var isNews = !State.Switches.Same(switches);
        State.Switches = switches;
        if (!isNews) return false;
        State.Writer.Switched(State.Position.NextCauseOfOurs(), State.Watermark, switches, State.Tables);
        return true;
    }

    /// <summary>
    /// Its next events, or its next request, look up in these tables. Where that changes any row, it is logged first, with its position: an
    /// event whose offset is behind the mark was decoded with it. A shard that has nothing to do is not told, so an idle one writes none.
    /// </summary>
    internal void Follow(TableViews tables)
    {
        if (ReferenceEquals(_followed, tables)) return;
        State.Decisions.Flush();
        var isNews = !State.Tables.Same(tables);
        _followed = State.Event.Tables = tables;
        State.Tables = TableVersions.Of(tables);
        if (isNews) State.Writer.Switched(State.Position.NextCauseOfOurs(), State.Watermark, State.Switches, State.Tables);
    }

    /// <summary>Its next decisions follow these shared numbers; logged first where that changes any.</summary>
    internal void Share(SharedNumbers numbers) => State.Share(numbers);

    /// <summary>Writes what it adds to the shared numbers again where their topic was made anew; true where there is anything.</summary>
    internal bool Renew(long generation) => State.Shared?.Renew(generation) == true;

    /// <summary>Grants all shards what they may spend of budgets, where it is this one that has to; true where any was raised.</summary>
    internal bool Allocate(SharedNumbers numbers) =>
        State.Ledger?.Allocate(numbers, State.Time.GetUtcNow().ToUnixTimeMilliseconds()) == true;

    /// <summary>Lets go of the rows of earlier versions: whatever is decoded next follows later ones.</summary>
    internal void Forget(TableViews later)
    {
        _followed = null;
        State.Event.Tables = later;
    }

    /// <summary>Begins to make the state of a fresh shard again.</summary>
    internal RestorePass BeginRestore() => new(State, Fold, _decided);

    /// <summary>Goes on behind a predecessor that wrote more than it committed.</summary>
    /// <param name="tail">What it wrote.</param>
    /// <param name="tables">The tables that are topics; null where there are none.</param>
    internal void CatchUp(LoggedTail tail, TableBoard? tables = null) => new CatchUpPass(State, _decided, Live, tail, tables).Run();

    /// <summary>Whether a commit is under way, or failed and was not tried again yet, that it has a part in.</summary>
    internal bool IsSealed => State.Position.IsSealed;

    /// <summary>The next offset of a source as of that commit.</summary>
    internal long SealedNext(int source) => State.Position.Sealed[source];

    /// <summary>Everything applied up to here is what the commit that now begins is about.</summary>
    internal void Seal()
    {
        State.Position.Seal();
        State.WriteTallies();
        SealCut();
    }

    /// <summary>That commit was confirmed; one that began before this shard was here is none of its own.</summary>
    internal void Committed()
    {
        if (!State.Position.TryCommit()) return;
        State.Cut?.Committed();
        State.Store.Tidy();
    }

    /// <summary>Goes on with the checkpoint, if one is due or under way. Only where everything applied is committed.</summary>
    internal void AdvanceCut()
    {
        SealCut();
        State.Cut?.Committed();
    }

    /// <summary>Keeps checkpoints from now on; before anything is loaded or replayed. The files are disposed with the shard.</summary>
    /// <param name="files">The shard's files; null where only the topic is written.</param>
    /// <param name="sliceBytes">The most bytes of a slice.</param>
    /// <param name="decisionsEnd">Asks for the end of the shard's decision partition.</param>
    internal void KeepCheckpoints(CheckpointFiles? files, int sliceBytes, Func<Task<long>> decisionsEnd) =>
        State.KeepCheckpoints(files, sliceBytes, decisionsEnd);

    /// <summary>A marker for all of the shard as it stands: everything applied, at one position.</summary>
    internal CutMarker Mark(long decisions, long profiles) => new(CutMarker.SavepointNumber, State.Position.Copy(), State.Watermark,
        [.. State.Clock.Newest], decisions, State.Time.GetUtcNow().ToUnixTimeMilliseconds(), profiles, State.Engine.StateVersion)
    {
        SwitchedOff = State.Switches.Encoded.ToArray(),
        Tables = State.Tables.Encoded.ToArray(),
        Shared = State.Shared?.View.Encoded(State.Watermark) ?? [],
    };

    /// <summary>
    /// A customer's features as of a time, ms (not before the profile's newest event); those of a stranger where there is no profile.
    /// </summary>
    public bool ReadFeatures(ReadOnlySpan<byte> customer, long at, Memory<double> vector)
    {
        var features = State.Engine.Features;
        if (State.Store.Read(customer, new FeatureReader(features) { At = at, Vector = vector })) return true;
        features.ReadEmpty(vector.Span);
        return false;
    }

    /// <summary>A customer's features as of its newest event, and when that was; a stranger's as of now.</summary>
    internal DateTimeOffset ReadNewest(ReadOnlySpan<byte> customer, Memory<double> vector)
    {
        var reader = new FeatureReader(State.Engine.Features) { At = long.MinValue, Vector = vector };
        if (State.Store.Read(customer, reader) && reader.Newest != long.MinValue)
            return DateTimeOffset.FromUnixTimeMilliseconds(reader.Newest);
        State.Engine.Features.ReadEmpty(vector.Span);
        return State.Time.GetUtcNow();
    }

    /// <summary>Shows every profile.</summary>
    public void Scan(IProfileVisitor visitor) => State.Store.Scan(visitor);

    /// <inheritdoc/>
    public void Dispose() => State.Dispose();

    private void SealCut() => State.Cut?.Seal(State.Position.Next, State.Position.Source, State.Position.Ordinal, State.Watermark,
        State.Clock.Newest, State.Switches, State.Tables, State.Shared?.View);
}
