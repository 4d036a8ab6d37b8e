using StreamEngine.Connectors;
using StreamEngine.Events;
using StreamEngine.Expressions;
using StreamEngine.Identity;
using StreamEngine.Runtime.Requests;
using StreamEngine.State;
using StreamEngine.State.Checkpoints;

namespace StreamEngine.Runtime;

/// <summary>
/// The one owner of a partition's state, timers and order: the way of one event, top to bottom.
/// <code>
///  (1) poll      is the worker's: a run of this partition's records comes in
///  (2) decode    project the record into the event
///  (3) admit     partition, time bounds, consent, lateness; what is refused goes to the dead letter or the late topic
///      (timers)  the watermark follows; timers that are due fire before the event is applied
///  (4) identify  the profile's key
///  (5) update    duplicate? then features and timers, in place, in one state access
///  (6) trigger   a decision opens: its vector was copied in that same access
///  (7) score     all open decisions' vectors in one model run
///  (8) decide    in order, each applied to its profile before the next
///  (9) emit      action and decision record into the interval's outputs
/// (10) commit    is the worker's
/// </code>
/// Nothing here depends on where a batch ends. While restored, steps 6 to 9 are left out: decisions come from the log (<see
/// cref="Apply"/>).
/// </summary>
public sealed partial class Shard : IDisposable
{
    private readonly CompiledEngine _engine;
    private readonly IStateStore _store;
    private readonly IEventDecoder[] _decoders;
    private readonly bool[] _timeIsRecords;
    private readonly ulong[] _required;
    private readonly Event _event;
    private readonly EvalContext _context = new();
    private readonly TimerHeap _timers = new();
    private readonly EventUpdate _update;
    private readonly ConsentUpdate _consentUpdate;
    private readonly TimerUpdate _timerUpdate;
    private readonly DecidedUpdate _decidedUpdate;
    private readonly LoadUpdate _load;
    private readonly RequestUpdate _requestUpdate;
    private readonly ProfileView _view;
    private readonly DecisionQueue _decisions;
    private readonly ShardOutputs _out;
    private readonly OutputBuffer _outputs;
    private readonly SourceClock _clock;
    private readonly TimeProvider _time;
    private readonly long[] _next;
    private readonly long[] _sealed;
    private readonly long[] _committed;
    private readonly int _partitions;
    private readonly long _lateness, _maxFuture, _earliest;
    private readonly bool _refuseWrongPartition;
    private readonly int _maxRecordBytes;

    private long _watermark = long.MinValue;
    private long _latest = long.MaxValue;   // event times past this are from the future, ms
    private int _source = -1;     // of the newest record
    private int _ordinal;         // decisions and marks of the newest record so far
    private bool _live = true;
    private int _generation = -1; // of the decisions that its last run of records opened
    private CheckpointFiles? _checkpoints;
    private ShardCut? _cut;

    /// <summary>Makes a shard with an empty store.</summary>
    /// <param name="engine">The compiled config.</param>
    /// <param name="partition">The partition it owns, of every source.</param>
    /// <param name="store">Its profiles; disposed with the shard.</param>
    /// <param name="outputs">The interval's outputs, shared by the worker's shards.</param>
    /// <param name="batch">The worker's decisions that wait for their scores. Whoever calls <see cref="Process"/> flushes it before the
    /// records go.</param>
    /// <param name="time">The clock of idleness and of future bounds.</param>
    /// <param name="partitions">Partitions of the sources: customers hash over them; 1 takes every record as rightly placed.</param>
    /// <param name="decoders">Decoders by source where the records are not as the topics have them (files with a header or schema of their
    /// own).</param>
    public Shard(CompiledEngine engine, int partition, IStateStore store, OutputBuffer outputs, DecisionBatch batch, TimeProvider time,
        int partitions = 1, IReadOnlyList<IEventDecoder>? decoders = null)
    {
        var options = engine.Options;
        _engine = engine;
        _store = store;
        _time = time;
        _partitions = partitions;
        Partition = partition;
        Counters = new ShardCounters(engine.Policy.Offers.Count);
        _decoders = [.. decoders ?? [.. engine.Events.Sources.Select(s => s.CreateDecoder())]];
        _timeIsRecords = [.. engine.Events.Sources.Select(s => s.TimeIsRecordTimestamp)];
        _required = [.. engine.Events.Sources.Select(s => s.RequiredConsent)];
        _next = new long[_decoders.Length];
        _sealed = new long[_decoders.Length];
        _committed = new long[_decoders.Length];
        _event = new Event(engine.Events.Fields);
        _update = new EventUpdate(engine, _event, _context, _timers);
        _consentUpdate = new ConsentUpdate(engine, _event);
        _timerUpdate = new TimerUpdate(engine, _timers);
        _decidedUpdate = new DecidedUpdate(engine);
        _load = new LoadUpdate(engine, _timers);
        _requestUpdate = new RequestUpdate(engine);
        _view = new ProfileView(engine, (source, offset, ordinal) => _out!.DecisionId(source, offset, ordinal));
        _outputs = outputs;
        _out = new ShardOutputs(engine, partition, outputs);
        _decisions = new DecisionQueue(batch, partition, store, _out, Counters);
        _clock = new SourceClock(_decoders.Length, options.Time, time);
        _lateness = (long)options.Time.Lateness.TotalMilliseconds;
        _maxFuture = (long)options.Time.MaxFuture.TotalMilliseconds;
        _earliest = options.Time.Earliest.ToUnixTimeMilliseconds();
        _refuseWrongPartition = options.Runtime.WrongPartition == WrongPartitionFate.Refuse;
        _maxRecordBytes = (int)Math.Min(int.MaxValue, options.Runtime.MaxRecordBytes.Bytes);
    }

    /// <summary>The partition it owns.</summary>
    public int Partition { get; }

    /// <summary>What it has done.</summary>
    public ShardCounters Counters { get; }

    /// <summary>The next offset to read of a source.</summary>
    public long Next(int source) => _next[source];

    /// <summary>The next offset of a source as last committed.</summary>
    public long CommittedNext(int source) => _committed[source];

    /// <summary>How many profiles it holds.</summary>
    public long Profiles => _store.Count;

    /// <summary>Memory of its state store, bytes.</summary>
    public long StateBytes => _store.MemoryBytes;

    /// <summary>
    /// Processes a run of this partition's records, live; the decisions that it opens wait in the worker's batch. Returns the index of the
    /// first record that was not processed: <paramref name="to"/>, or that of one that has to wait (<see cref="WaitsFor"/>).
    /// </summary>
    public int Process(RecordBatch batch, int from, int to)
    {
        _latest = _time.GetUtcNow().ToUnixTimeMilliseconds() + _maxFuture;
        var end = Run(batch, from, to);
        _clock.Heard(batch, from, end);
        Publish();
        return end;
    }

    private int Run(RecordBatch batch, int from, int to)
    {
        // Decisions that wait for their scores hold slices of the scratch text.
        if (_generation != _decisions.Generation) _event.BeginBatch();
        var at = from;
        for (; at < to && Record(batch, at, batch[at].Topic); at++)
            if (_decisions.Full) _decisions.Flush();
        _generation = _decisions.Generation;
        return at;
    }

    /// <summary>Everything applied up to here is what the commit that now begins is about.</summary>
    public void Seal()
    {
        _next.CopyTo(_sealed, 0);
        IsSealed = true;
        _cut?.Seal(_next, _source, _ordinal, _watermark, _clock.Newest);
    }

    /// <summary>Whether a commit is under way, or failed and was not tried again yet, that it has a part in.</summary>
    public bool IsSealed { get; private set; }

    /// <summary>The next offset of a source as of that commit.</summary>
    public long SealedNext(int source) => _sealed[source];

    /// <summary>That commit was confirmed; one that began before this shard was here is none of its own.</summary>
    public void Committed()
    {
        if (!IsSealed) return;
        IsSealed = false;
        _sealed.CopyTo(_committed, 0);
        _cut?.Committed();
        _store.Tidy();
    }

    /// <summary>Goes on with the checkpoint, if one is due or under way. Only where everything applied is committed.</summary>
    public void AdvanceCut()
    {
        _cut?.Seal(_next, _source, _ordinal, _watermark, _clock.Newest);
        _cut?.Committed();
    }

    /// <summary>
    /// Whether records come in the order of event time over all sources, as from files: then each source has come as far as the newest of
    /// any.
    /// </summary>
    public bool OneTimeline { get; init; }

    /// <summary>The silence up to now was not the partition's.</summary>
    public void NotIdle() => _clock.Restart();

    /// <summary>Moves the watermark when the partition has been idle for long enough; true where something was written.</summary>
    public bool AdvanceIdle()
    {
        if (_source < 0 || !_clock.Silence(_watermark, _timers.NextDue, out var to)) return false;
        // Nothing in the events says so: logged with its position before it acts.
        _out.Watermark(_source, _next[_source] - 1, _ordinal++, to);
        Silence(to);
        Publish();
        return true;
    }

    /// <summary>Moves the watermark and fires what is due (the end of a replay).</summary>
    public void FinishAt(long watermark)
    {
        AdvanceWatermark(watermark);
        _decisions.Flush();
        Publish();
    }

    /// <summary>
    /// A customer's features as of a time, ms (not before the profile's newest event); those of a stranger where there is no profile.
    /// </summary>
    public bool ReadFeatures(ReadOnlySpan<byte> customer, long at, Memory<double> vector)
    {
        var reader = new FeatureReader(_engine.Features) { At = at, Vector = vector };
        if (_store.Read(customer, reader)) return true;
        _engine.Features.ReadEmpty(vector.Span);
        return false;
    }

    /// <summary>Shows every profile.</summary>
    public void Scan(IProfileVisitor visitor) => _store.Scan(visitor);

    /// <inheritdoc/>
    public void Dispose()
    {
        _checkpoints?.Dispose();
        _store.Dispose();
    }

    /// <summary>The longest customer id or event id, bytes: both go into every record that is written about the event.</summary>
    public const int MaxIdBytes = 1_024;

    /// <summary>Steps 2 to 6 for one record; false, with nothing done, where it has to wait for its schema.</summary>
    private bool Record(RecordBatch batch, int index, int source)
    {
        ref readonly var record = ref batch[index];

        // (2) Decode.
        _event.Clear();
        _event.Source = source;
        var reason = IsDecoded(record) ? Decode(batch, record, source)
            : record.Value.Length < 0 ? RejectReason.Malformed : RejectReason.Oversized;
        if (_unasked is { } unasked)
        {
            _unasked = null;
            Wait(batch, index, source, unasked);
            return false;
        }
        if (_live) Begin(record, source);
        _switched = false;
        _source = source;
        _ordinal = 0;
        _next[source] = record.Offset + 1;

        if (_timeIsRecords[source]) _event.Time = record.Timestamp;
        if (reason == RejectReason.None && (_event.Customer.Text.Length > MaxIdBytes || _event.Id.Length > MaxIdBytes))
            reason = RejectReason.Oversized;

        // What the registry does not know today it may know tomorrow: a restore must not ask it again.
        if (reason == RejectReason.UnknownSchema && _live) NoteRefused(record, source);
        if (reason == RejectReason.None && WasRefused(record, source)) reason = RejectReason.FutureTime;

        // (3) Admit.
        if (reason == RejectReason.None) reason = Admit(record, source);
        if (reason != RejectReason.None)
        {
            if (reason == RejectReason.NoConsent) Withdraw(record);
            Reject(batch, index, reason);
            return true;
        }
        if (!_live) _cut?.Reschedule(_timers, new Cause(source, record.Offset, CutPosition.TheRecord));
        var watermark = _clock.Advance(source, _event.Time, OneTimeline);
        if (watermark > _watermark || _timers.NextDue <= _watermark) AdvanceWatermark(Math.Max(_watermark, watermark));

        // (4) Identify.
        var key = ProfileKey.Of(_event);

        // (5) Update, and (6) trigger: the vector is copied in the same access, so later events of the batch can't leak into it.
        _context.Use(_event);
        var trigger = _live ? _engine.Policy.MatchTrigger(_context) : -1;
        _update.Vector = trigger >= 0 ? _decisions.NextVector() : default;
        if (_live) _update.HappensNow();
        else _update.Restores(new Cause(source, record.Offset, CutPosition.TheRecord));
        _store.Update(key, _update);
        if (_update.Evicted) Counters.DuplicatesEvicted++;
        if (_update.Duplicate)
        {
            Reject(batch, index, RejectReason.Duplicate);
            return true;
        }
        if (!_live) return true;
        Counters.Admitted++;
        if (trigger >= 0)
            _decisions.Open(_event, _context, trigger, new Cause(source, record.Offset, _ordinal++), _update.DecidedAt,
                _event.Consent & _update.Consent, _update.IsFirst, _watermark);
        return true;
    }

    /// <summary>A customer without consent gets no profile; one who withdraws it keeps only that word.</summary>
    private void Withdraw(in RecordInfo record)
    {
        if (_live) _consentUpdate.HappensNow();
        else _consentUpdate.Restores(new Cause(_source, record.Offset, CutPosition.TheRecord));
        _store.TryUpdate(ProfileKey.Of(_event), _consentUpdate);
    }

    /// <summary>
    /// Counts, and where the source changes notes the order: which of two sources came first can't be told from their offsets.
    /// </summary>
    private void Begin(in RecordInfo record, int source)
    {
        Counters.Records++;
        Counters.Bytes += Math.Max(0, record.Key.Length) + Math.Max(0, record.Value.Length);
        if (source == _source || _source < 0) return;
        _decisions.Flush();
        if (_switched) return;
        _out.Order(_source, _next[_source] - 1, _ordinal++, _watermark);
    }

    private RejectReason Admit(in RecordInfo record, int source)
    {
        if (_partitions > 1 && Murmur2.Partition(_event.Customer.Text, _partitions) != Partition)
        {
            if (_live) Counters.WrongPartition++;
            if (_refuseWrongPartition) return RejectReason.WrongPartition;
        }
        if (_event.Time < _earliest) return RejectReason.TooOld;
        if (_event.Time > _latest && FromTheFuture(record, source)) return RejectReason.FutureTime;
        if ((_event.Consent & _required[source]) != _required[source]) return RejectReason.NoConsent;
        return _watermark != long.MinValue && _event.Time < _watermark - _lateness ? RejectReason.Late : RejectReason.None;
    }

    /// <summary>Steps 5 and 6 for the timers that are due at a watermark, in the order of due time and key.</summary>
    private void AdvanceWatermark(long watermark, int ordinal = CutPosition.TheRecord)
    {
        _watermark = watermark;
        if (_live) _timerUpdate.HappensNow();
        else _timerUpdate.Restores(new Cause(_source, _next[_source] - 1, ordinal));
        while (_timers.NextDue <= watermark)
        {
            _timers.Pop(out var due, out var timer, out var key, out var length);
            var trigger = _live ? _engine.Policy.TimerTrigger(timer) : -1;
            _timerUpdate.Timer = timer;
            _timerUpdate.Due = due;
            _timerUpdate.Customer = key.AsMemory(0, length);
            _timerUpdate.Vector = trigger >= 0 ? _decisions.NextVector() : default;
            var found = _store.TryUpdate(key.AsSpan(0, length), _timerUpdate);
            var fired = found && _timerUpdate.Fired;
            if (found && _timerUpdate.Covered) _cut!.Postpone(due, timer, key.AsSpan(0, length));
            if (fired && _live)
            {
                Counters.TimersFired++;
                if (trigger >= 0)
                    _decisions.OpenTimer(key, length, due, trigger, new Cause(_source, _next[_source] - 1, _ordinal++),
                        _timerUpdate.DecidedAt, _timerUpdate.Consent, watermark);
                if (_decisions.Full) _decisions.Flush();
            }
            if (!fired || trigger < 0) _timers.Return(key);
        }
    }

    /// <summary>
    /// Whether the event is too far ahead of the clock. The clock is no fact of the log, so a refusal is noted there; a restore only
    /// follows the notes.
    /// </summary>
    private bool FromTheFuture(in RecordInfo record, int source)
    {
        if (!_live) return false;
        NoteRefused(record, source);
        return true;
    }

    private void NoteRefused(in RecordInfo record, int source)
    {
        _decisions.Flush();
        var ordinal = _ordinal++;
        if (_tail is null || !_tail.Refuses(source, record.Offset)) _out.Refused(source, record.Offset, ordinal, _watermark);
    }

    private void Reject(RecordBatch batch, int index, RejectReason reason)
    {
        if (!_live) return;
        Counters.Rejected[(int)reason]++;
        _out.Rejected(batch, index, _event, reason);
    }

    private void Publish()
    {
        Counters.Watermark = _watermark;
        Counters.TimersWaiting = _timers.Count;
    }
}
