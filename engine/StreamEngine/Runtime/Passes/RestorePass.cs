using StreamEngine.Connectors;
using StreamEngine.Decisions;
using StreamEngine.Events;
using StreamEngine.State.Checkpoints;

namespace StreamEngine.Runtime;

/// <summary>
/// The pass that makes a shard's state again: profiles of a checkpoint, then events without scores and outputs, and logged decisions. A
/// profile that was loaded as of a later position than a cause is left as it is. What comes when is the business of <see
/// cref="ShardRestore"/>.
/// </summary>
internal sealed class RestorePass(ShardState shard, EventFold fold, DecisionFold decided)
{
    private readonly LoadUpdate _load = new(shard);
    private byte[] _room = [];

    /// <summary>Whether loaded profiles belong into the next cut: where one of the places that cuts go to does not hold them.</summary>
    public bool CopyLoaded { get; set; }

    /// <summary>Whether checkpoints are kept, so that one can be loaded.</summary>
    public bool KeepsCheckpoints => shard.Cut is not null;

    /// <summary>The next offset of a source.</summary>
    public long Next(int source) => shard.Position.Next[source];

    /// <summary>Where the shard starts in a source, before anything is replayed.</summary>
    public void StartAt(int source, long offset) => shard.Position.StartAt(source, offset);

    /// <summary>Stands where a cut began; its profiles are loaded next.</summary>
    public void StartAt(CutMarker cut)
    {
        shard.Position.StartAt(cut.Start);
        shard.Clock.StartAt(cut.Newest);
        shard.Watermark = cut.Watermark;
        shard.Switches = Switches.Logged(shard.Engine.Policy, cut.SwitchedOff.Span, version: -1);
        shard.Tables = TableVersions.Logged(cut.Tables.Span);
        shard.Shared?.View.Take(version: 0, cut.Shared.Span);
    }

    /// <summary>Offsets below this hold no more records for us (markers, aborted or compacted records).</summary>
    public void SkipTo(int source, long offset) => shard.Position.SkipTo(source, offset);

    /// <summary>Loads a block of profiles.</summary>
    public void Load(in CutBlock block)
    {
        var slice = shard.Cut!.Loading(block.Position);
        var payload = block.Payload;
        while (block.Next(ref payload, ref _room, out var key, out var profile))
        {
            _load.Set(key, profile, slice);
            shard.Store.Update(key, _load);
            if (CopyLoaded) shard.Cut.Changed(key);
            shard.Counters.Loaded++;
        }
        shard.Publish();
    }

    /// <summary>
    /// Folds a run of a source's records again, but for those before the position that the shard started at. Returns the index of the first
    /// that was not folded: <paramref name="to"/>, or that of one that has to wait.
    /// </summary>
    public int Replay(RecordBatch batch, int from, int to, int source)
    {
        if (from == to) return to;
        shard.Event.BeginBatch();
        var at = from;
        for (; at < to; at++)
        {
            if (batch[at].Offset < Next(source)) continue;
            if (!fold.Apply(new Hooks(shard), batch, at, source)) break;
            shard.Counters.Restored++;
        }
        shard.Publish();
        return at;
    }

    /// <summary>Whether a record can be decoded now; else the shard waits before it.</summary>
    public bool Knows(RecordBatch batch, int index, int source) => fold.Wait.Knows(batch, index, source);

    /// <summary>Applies a logged entry; its cause was replayed already.</summary>
    /// <param name="entry">What was logged.</param>
    /// <param name="source">The source of its cause.</param>
    /// <param name="value">The logged record's bytes, which the entry's texts are slices of.</param>
    public void Apply(in LoggedDecision entry, int source, ReadOnlySpan<byte> value)
    {
        shard.Position.Stand(source, entry.Ordinal + 1, entry.Kind);
        switch (entry.Kind)
        {
            case DecisionKind.Watermark:
                shard.Cut?.Reschedule(shard, new Cause(source, entry.Offset, entry.Ordinal));
                shard.Clock.RaiseTo(entry.Watermark);
                fold.AdvanceWatermark(new Hooks(shard), entry.Watermark, entry.Ordinal);
                shard.Publish();
                break;
            case DecisionKind.Refused:
                SkipTo(source, entry.Offset + 1);
                break;
            case DecisionKind.Switches:
                shard.Switches = Switches.Logged(shard.Engine.Policy, entry.SwitchedOff.Of(value), entry.SwitchVersion);
                shard.Tables = TableVersions.Logged(entry.Tables.Of(value));
                break;
            case DecisionKind.Shared:
                shard.Shared?.View.Take(entry.SharedVersion, entry.Shared.Of(value));
                break;
            case DecisionKind.Decision:
                decided.Apply(entry, source, value, writes: false);
                break;
        }
    }

    /// <summary>The shard stands where it was, and is live from now on.</summary>
    public void Done(CutMarker? from)
    {
        shard.Cut?.Reschedule(shard, null);
        shard.Cut?.Restored(from);
        shard.Counters.Committed = shard.Position.Committed;
        shard.Clock.Restart();
        shard.Publish();
    }

    /// <summary>Nothing is counted, decided or written, and what the clock refused is known before its record.</summary>
    private readonly struct Hooks(ShardState shard) : IPass
    {
        public bool MayWait => true;

        public bool Writes => false;

        public void Begin(in RecordInfo record, int source) { }

        public RejectReason Decoded(in RecordInfo record, RejectReason reason) => reason;

        public void Misplaced(in RecordInfo record, ReadOnlySpan<byte> key) { }

        public bool IsFromTheFuture() => false;

        public void Rejected(RecordBatch batch, int index, RejectReason reason) { }

        public long Watermark(int source)
        {
            shard.Cut?.Reschedule(shard, CauseOf(CutPosition.TheRecord));
            return shard.Clock.Advance(source, shard.Event.Time, all: false);
        }

        public Cause CauseOf(int ordinal) => shard.Position.At(ordinal);

        public int TimerTrigger(int timer) => -1;

        public void Fired(byte[] key, int length, long due, int trigger, TimerUpdate update) { }

        public void Waited(byte[] key, int length, long due, DeferralUpdate update) { }

        public int Trigger() => -1;

        public void Applied(int trigger, EventUpdate update) { }
    }
}
