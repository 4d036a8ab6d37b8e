using StreamEngine.Connectors;
using StreamEngine.Decisions;
using StreamEngine.State.Checkpoints;

namespace StreamEngine.Runtime;

/// <content>How a shard is rebuilt: profiles of a checkpoint, events without scores and outputs, logged decisions.</content>
public sealed partial class Shard
{
    /// <summary>
    /// Applies a run of records again while the shard is restored: no scores, no decisions, no outputs. Returns the index of the first
    /// record that was not applied: <paramref name="to"/>, or that of one that has to wait (<see cref="WaitsFor"/>).
    /// </summary>
    public int Replay(RecordBatch batch, int from, int to, int source)
    {
        if (from == to) return to;
        _live = false;
        _event.BeginBatch();
        var at = from;
        for (; at < to; at++)
        {
            if (batch[at].Offset < _next[source]) continue;
            if (!Record(batch, at, source)) break;
            Counters.Restored++;
        }
        _live = true;
        Publish();
        return at;
    }

    /// <summary>Applies a logged entry while the shard is restored; its cause was replayed already.</summary>
    /// <param name="entry">What was logged.</param>
    /// <param name="source">The source of its cause.</param>
    /// <param name="value">The logged record's bytes, which the entry's texts are slices of.</param>
    public void Apply(in LoggedDecision entry, int source, ReadOnlySpan<byte> value)
    {
        _source = source;
        _ordinal = entry.Ordinal + 1;
        _switched = entry.Kind == DecisionKind.Order;
        switch (entry.Kind)
        {
            case DecisionKind.Watermark:
                _live = false;
                _cut?.Reschedule(_timers, new Cause(source, entry.Offset, entry.Ordinal));
                _clock.RaiseTo(entry.Watermark);
                AdvanceWatermark(entry.Watermark, entry.Ordinal);
                _live = true;
                Publish();
                break;
            case DecisionKind.Refused:
                SkipTo(source, entry.Offset + 1);
                break;
            case DecisionKind.Decision:
                ApplyDecided(entry, source, value);
                break;
        }
    }

    /// <summary>
    /// Does to the profile what a logged decision did: counts its offer against the caps, and remembers it where requests are on.
    /// </summary>
    private void ApplyDecided(in LoggedDecision entry, int source, ReadOnlySpan<byte> value)
    {
        if (!_engine.Policy.NeedsProfile || entry.Outcome != Outcome.Served && !_engine.Policy.Recent.Any) return;
        _decidedUpdate.Set(entry, source, value);
        _store.Update(entry.Customer.Of(value), _decidedUpdate);
    }

    /// <summary>Where the shard starts in a source, before anything is replayed.</summary>
    public void StartAt(int source, long offset) => _next[source] = _committed[source] = offset;

    /// <summary>Offsets below this hold no more records for us (markers, aborted or compacted records).</summary>
    public void SkipTo(int source, long offset)
    {
        if (offset > _next[source]) _next[source] = offset;
        _committed[source] = _next[source];
    }

    /// <summary>Keeps checkpoints from now on; before anything is loaded or replayed. The files are disposed with the shard.</summary>
    /// <param name="files">The shard's files; null where only the topic is written.</param>
    /// <param name="sliceBytes">The most bytes of a slice.</param>
    /// <param name="decisionsEnd">Asks for the end of the shard's decision partition.</param>
    public void KeepCheckpoints(CheckpointFiles? files, int sliceBytes, Func<Task<long>> decisionsEnd)
    {
        _checkpoints = files;
        _cut = _update.Cut = _consentUpdate.Cut = _timerUpdate.Cut = _decidedUpdate.Cut = _requestUpdate.Cut = _decisions.Cut =
            new ShardCut(_engine.StateVersion, _store, files, _outputs, _engine.Outputs.Checkpoints, Partition, Counters,
            _engine.Options.Checkpoints.Interval, sliceBytes, _time, decisionsEnd);
    }

    /// <summary>Whether a cut has profiles to copy: turns without records do that too.</summary>
    public bool CutIsBusy => _cut is { Busy: true };

    /// <summary>Whether such a cut needs a commit to go on.</summary>
    public bool CutNeedsCommit => _cut is { Busy: true, NeedsCommits: true };

    /// <summary>Whether checkpoints are kept.</summary>
    internal bool KeepsCheckpoints => _cut is not null;

    /// <summary>The shard's checkpoint files; null where none are kept.</summary>
    internal CheckpointFiles? Checkpoints => _checkpoints;

    /// <summary>Stands where a cut began; its profiles are loaded next.</summary>
    internal void StartAt(CutMarker cut)
    {
        cut.Start.Next.CopyTo(_next, 0);
        cut.Start.Next.CopyTo(_committed, 0);
        _clock.StartAt(cut.Newest);
        (_source, _ordinal, _watermark) = (cut.Start.Source, cut.Start.Ordinal, cut.Watermark);
    }

    /// <summary>A marker for all of the shard as it stands: everything applied, at one position.</summary>
    internal CutMarker Mark(long decisions, long profiles) =>
        new(CutMarker.SavepointNumber, new CutPosition([.. _next], _source, _ordinal), _watermark, [.. _clock.Newest], decisions,
            _time.GetUtcNow().ToUnixTimeMilliseconds(), profiles, _engine.StateVersion);

    /// <summary>Whether loaded profiles belong into the next cut: where one of the places that cuts go to does not hold them.</summary>
    internal bool CopyLoaded { get; set; }

    /// <summary>Loads a block of profiles.</summary>
    internal void Load(in CutBlock block)
    {
        var slice = _cut!.Loading(block.Position);
        var payload = block.Payload;
        while (CutBlock.Next(ref payload, out var key, out var profile))
        {
            _load.Set(key, profile, slice);
            _store.Update(key, _load);
            if (CopyLoaded) _cut.Changed(key);
            Counters.Loaded++;
        }
        Publish();
    }

    /// <summary>The restore is over.</summary>
    internal void Restored(CutMarker? from)
    {
        _cut?.Reschedule(_timers, null);
        _cut?.Restored(from);
        Counters.Committed = _committed;
        NotIdle();
        Publish();
    }
}
