using StreamEngine.Connectors;
using StreamEngine.Decisions.Outcomes;
using StreamEngine.Events;
using StreamEngine.Expressions;
using StreamEngine.Identity;
using StreamEngine.State;
using StreamEngine.State.Checkpoints;

namespace StreamEngine.Runtime;

/// <summary>
/// The fold of an event into a shard's state, steps 2 to 6 as <see cref="Shard"/> numbers them. Every pass over the log goes through here,
/// so that state comes out the same whether it is made live or made again; what else a pass does is in its <see cref="IPass"/>. Nothing
/// here depends on where a batch ends.
/// </summary>
internal sealed class EventFold
{
    private readonly ShardState _shard;
    private readonly IStateStore _store;
    private readonly TimerHeap _timers;
    private readonly ShardPosition _position;
    private readonly Event _event;
    private readonly EvalContext _context;
    private readonly RecordDecoder _decoder;
    private readonly EventUpdate _update;
    private readonly ConsentUpdate _consentUpdate;
    private readonly TimerUpdate _timerUpdate;
    private readonly CloseUpdate? _closeUpdate;
    private readonly DeferralUpdate? _deferralUpdate;
    private readonly OutcomeRules? _outcomes;
    private readonly ulong[] _required;
    private readonly int _partitions;
    private readonly long _lateness, _earliest;
    private readonly bool _refuseWrongPartition;

    /// <param name="shard">The state.</param>
    /// <param name="partitions">Partitions of the sources: customers hash over them; 1 takes every record as rightly placed.</param>
    /// <param name="decoders">Decoders by source; null for those that the config asks for.</param>
    public EventFold(ShardState shard, int partitions, IReadOnlyList<IEventDecoder>? decoders)
    {
        var options = shard.Engine.Options;
        (_shard, _partitions) = (shard, partitions);
        (_store, _timers, _position, _event, _context) = (shard.Store, shard.Timers, shard.Position, shard.Event, shard.Context);
        _decoder = new RecordDecoder(shard, decoders);
        Wait = new SchemaWait(_decoder, shard);
        _update = new EventUpdate(shard);
        _consentUpdate = new ConsentUpdate(shard);
        _timerUpdate = new TimerUpdate(shard);
        _outcomes = shard.Engine.Policy.Outcomes;
        _closeUpdate = shard.Outcomes is null ? null : new CloseUpdate(shard);
        _deferralUpdate = shard.Deferrals is null ? null : new DeferralUpdate(shard);
        _required = [.. shard.Engine.Events.Sources.Select(s => s.RequiredConsent)];
        _lateness = (long)options.Time.Lateness.TotalMilliseconds;
        _earliest = options.Time.Earliest.ToUnixTimeMilliseconds();
        _refuseWrongPartition = options.Runtime.WrongPartition == WrongPartitionFate.Refuse;
    }

    /// <summary>The record that the shard waits before, if any.</summary>
    public SchemaWait Wait { get; }

    /// <summary>Folds one record; false, with nothing done, where it has to wait for its schema.</summary>
    public bool Apply<TPass>(TPass pass, RecordBatch batch, int index, int source) where TPass : struct, IPass
    {
        ref readonly var record = ref batch[index];

        // (2) Decode.
        var reason = _decoder.Decode(batch, record, source);
        if (_decoder.Unasked is { } unasked && pass.MayWait)
        {
            Wait.Hold(batch, index, source, unasked);
            return false;
        }
        pass.Begin(record, source);
        _position.Take(source, record.Offset);
        reason = pass.Decoded(record, reason);

        // (3) Admit.
        if (reason == RejectReason.None) reason = Admit(pass, batch, index, source);
        if (reason != RejectReason.None)
        {
            if (reason is RejectReason.NoConsent or RejectReason.Late) TakeWord(pass);
            pass.Rejected(batch, index, reason);
            return true;
        }
        _context.Use(_event);
        var watermark = Math.Max(_shard.Watermark, pass.Watermark(source));
        if (_outcomes is not null) _update.OutcomeRule = _outcomes.Match(_context);
        if (_outcomes is not null || _deferralUpdate is not null)
            _shard.Decisions.MakeBefore(ProfileKey.Of(_event), _update.OutcomeRule >= 0, watermark);
        if (watermark > _shard.Watermark || _shard.NextDue < _shard.Watermark) AdvanceWatermark(pass, watermark);

        // (4) Identify.
        var key = ProfileKey.Of(_event);

        // (5) Update, and (6) trigger: the vector is copied in the same access, so later events of the batch can't leak into it.
        var trigger = pass.Trigger();
        _update.Vector = trigger >= 0 ? _shard.Decisions.NextVector() : default;
        _update.Cause = pass.CauseOf(CutPosition.TheRecord);
        _update.Writes = pass.Writes;
        _store.Update(key, _update);
        if (_update.Evicted) _shard.Counters.DuplicatesEvicted++;
        if (_update.Duplicate) pass.Rejected(batch, index, RejectReason.Duplicate);
        else pass.Applied(trigger, _update);
        return true;
    }

    /// <summary>
    /// Steps 5 and 6 for the timers that a watermark has passed, in the order of due time and key. A timer that is due at the watermark
    /// waits: an event of that very time may still set it anew or cancel it, as it belongs to a session whose gap is over only then.
    /// Decisions are closed first, and those made anew that wait for the end of quiet hours: those that timers open are made later, in a
    /// restore behind all that the watermark did.
    /// </summary>
    /// <param name="pass">The pass.</param>
    /// <param name="watermark">The new watermark, ms.</param>
    /// <param name="ordinal">The ordinal of the mark that moved it; of no meaning where an event did.</param>
    public void AdvanceWatermark<TPass>(TPass pass, long watermark, int ordinal = CutPosition.TheRecord) where TPass : struct, IPass
    {
        _shard.Watermark = watermark;
        _timerUpdate.Cause = pass.CauseOf(ordinal);
        _timerUpdate.Writes = pass.Writes;
        while (_shard.Closings.NextDue < watermark)
        {
            _shard.Closings.Pop(out var due, out _, out var key, out var length);
            Close(pass, ordinal, due, key.AsMemory(0, length));
            _shard.Closings.Return(key);
        }
        while (_shard.Deferred.NextDue < watermark)
        {
            _shard.Deferred.Pop(out var due, out _, out var key, out var length);
            // A decision that was opened holds the key.
            if (!MakeAnew(pass, ordinal, due, key, length)) _shard.Deferred.Return(key);
        }
        while (_timers.NextDue < watermark)
        {
            _timers.Pop(out var due, out var timer, out var key, out var length);
            var trigger = pass.TimerTrigger(timer);
            _timerUpdate.Timer = timer;
            _timerUpdate.Due = due;
            _timerUpdate.Customer = key.AsMemory(0, length);
            _timerUpdate.Vector = trigger >= 0 ? _shard.Decisions.NextVector() : default;
            var found = _store.TryUpdate(key.AsSpan(0, length), _timerUpdate);
            var fired = found && _timerUpdate.Fired;
            if (found && _timerUpdate.Covered) _shard.Cut!.Postpone(due, timer, key.AsSpan(0, length));
            if (fired) pass.Fired(key, length, due, trigger, _timerUpdate);
            // A decision that was opened holds the key.
            if (!fired || trigger < 0) _timers.Return(key);
        }
    }

    /// <summary>Closes what decisions of a customer the watermark has passed.</summary>
    private void Close<TPass>(TPass pass, int ordinal, long due, ReadOnlyMemory<byte> key) where TPass : struct, IPass
    {
        _closeUpdate!.Set(pass.CauseOf(ordinal), key, due, pass.Writes);
        if (_store.TryUpdate(key.Span, _closeUpdate) && _closeUpdate.Covered) _shard.Cut!.Postpone(due, OutcomeFold.Timer, key.Span);
    }

    /// <summary>
    /// Has those of a customer's decisions made anew whose quiet hours the watermark has passed; true where one was opened.
    /// </summary>
    private bool MakeAnew<TPass>(TPass pass, int ordinal, long due, byte[] key, int length) where TPass : struct, IPass
    {
        var opened = false;
        _deferralUpdate!.Set(pass.CauseOf(ordinal), key.AsMemory(0, length), due, pass.Writes);
        do
        {
            _deferralUpdate.Vector = pass.Writes ? _shard.Decisions.NextVector() : default;
            if (!_store.TryUpdate(key.AsSpan(0, length), _deferralUpdate)) return opened;
            if (_deferralUpdate.Covered) _shard.Cut!.Postpone(due, DeferralFold.Timer, key.AsSpan(0, length));
            if (!_deferralUpdate.Taken || _deferralUpdate.Trigger < 0) continue;
            pass.Waited(key, length, due, _deferralUpdate);
            opened = true;
        }
        while (_deferralUpdate.Taken);
        return opened;
    }

    private RejectReason Admit<TPass>(TPass pass, RecordBatch batch, int index, int source) where TPass : struct, IPass
    {
        if (_partitions > 1 && Murmur2.Partition(_event.Customer.Text, _partitions) != _shard.Partition)
        {
            pass.Misplaced(batch[index], batch.Key(index));
            if (_refuseWrongPartition) return RejectReason.WrongPartition;
        }
        if (_event.Time < _earliest) return RejectReason.TooOld;
        if (pass.IsFromTheFuture()) return RejectReason.FutureTime;
        if ((_event.Consent & _required[source]) != _required[source]) return RejectReason.NoConsent;
        return _shard.Watermark != long.MinValue && _event.Time < _shard.Watermark - _lateness ? RejectReason.Late : RejectReason.None;
    }

    /// <summary>
    /// A customer without consent gets no profile; one who withdraws it keeps only that word. An event that is too late for all else may
    /// still be the newest that was said of consent.
    /// </summary>
    private void TakeWord<TPass>(TPass pass) where TPass : struct, IPass
    {
        _consentUpdate.Cause = pass.CauseOf(CutPosition.TheRecord);
        _consentUpdate.Writes = pass.Writes;
        _store.TryUpdate(ProfileKey.Of(_event), _consentUpdate);
    }
}
