using StreamEngine.Connectors;
using StreamEngine.Decisions;
using StreamEngine.Events;
using StreamEngine.State.Checkpoints;

namespace StreamEngine.Runtime;

/// <summary>
/// At least once: the pass of a shard that goes on behind a predecessor which wrote more than it committed. The events behind the committed
/// offsets, up to the last one that a logged entry names, are processed live but for what the log holds already: a logged decision is not
/// made again, so that one decision id never has two contents; the log's marks say where another source followed, where silence moved the
/// watermark, what the clock refused, what was switched off and how tables were. Actions, dead letters and
/// late records may never have been written, so they
/// are written again. A decision of the last event that the predecessor could not log any more is made by the switches that its log tells;
/// what is switched off since then is logged behind it, before anything else is decided.
/// </summary>
internal sealed class CatchUpPass(ShardState shard, DecisionFold decided, LivePass live, LoggedTail tail, TableBoard? tables)
{
    /// <summary>Catches up; the shard is live afterwards.</summary>
    public void Run()
    {
        var pass = new Hooks(live.Now(), shard, tail);
        shard.Decisions.Logged = Reuse;
        for (var i = 0; i < tail.Count; i++)
        {
            var (source, entry, _) = tail[i];
            var (batch, from, to) = tail.Next(source, entry.Offset + 1);
            if (from < to)
            {
                live.Run(pass, batch, from, to);
                shard.Decisions.Flush();
            }
            // its event did, but for a trigger that the config has no more
            if (entry.Kind == DecisionKind.Decision) Reuse(new Cause(source, entry.Offset, entry.Ordinal));
            shard.Position.Stand(source, Math.Max(shard.Position.Ordinal, entry.Ordinal + 1), entry.Kind);
            if (entry.Kind == DecisionKind.Watermark)
            {
                shard.Cut?.Reschedule(shard, new Cause(source, entry.Offset, entry.Ordinal));
                live.Silence(pass, entry.Watermark, entry.Ordinal);
            }
            if (entry.Kind == DecisionKind.Switches) Follow(entry, tail[i].Value);
            if (entry.Kind == DecisionKind.Shared) shard.Shared?.View.Take(entry.SharedVersion, entry.Shared.Of(tail[i].Value));
        }
        shard.Decisions.Logged = null;
        shard.Cut?.Reschedule(shard, null);
        shard.Publish();
    }

    private void Follow(in LoggedDecision mark, byte[] value)
    {
        shard.Switches = Switches.Logged(shard.Engine.Policy, mark.SwitchedOff.Of(value), mark.SwitchVersion);
        shard.Tables = TableVersions.Logged(mark.Tables.Of(value));
        if (tables is not null) shard.Event.Tables = tables.At(shard.Tables);
    }

    private bool Reuse(Cause cause)
    {
        if (!tail.TryTake(cause, out var index)) return false;
        var (source, entry, value) = tail[index];
        shard.Counters.Reused++;
        decided.Apply(entry, source, value, writes: true);
        if (entry.Outcome == Outcome.Served) shard.Budgets?.Served(shard.Engine.Policy.OfferIndex(entry.Offer.Of(value)), entry.DecidedAt);
        shard.Writer.Again(entry, value);
        return true;
    }

    /// <summary>As live, but refusals are the log's to tell.</summary>
    private readonly struct Hooks(LivePass.Hooks live, ShardState shard, LoggedTail tail) : IPass
    {
        // All of it was looked at before it is processed: then nobody knew the schema.
        public bool MayWait => false;

        public bool Writes => true;

        public void Begin(in RecordInfo record, int source) => live.Begin(record, source);

        /// <summary>
        /// Whether a predecessor refused the record by its clock (or for a schema that is known today); one that it did not refuse may be
        /// refused now, for a schema that is unknown.
        /// </summary>
        public RejectReason Decoded(in RecordInfo record, RejectReason reason)
        {
            var refused = tail.Refuses(shard.Event.Source, record.Offset);
            if (reason != RejectReason.UnknownSchema && !(reason == RejectReason.None && refused)) return reason;
            shard.Decisions.Flush();
            var cause = shard.Position.NextCause();
            if (!refused) shard.Writer.Refused(cause, shard.Watermark);
            return refused && reason == RejectReason.None ? RejectReason.FutureTime : reason;
        }

        public void Misplaced(in RecordInfo record, ReadOnlySpan<byte> key) => live.Misplaced(record, key);

        public bool IsFromTheFuture() => false;

        public void Rejected(RecordBatch batch, int index, RejectReason reason) => live.Rejected(batch, index, reason);

        public long Watermark(int source)
        {
            shard.Cut?.Reschedule(shard, CauseOf(CutPosition.TheRecord));
            return live.Watermark(source);
        }

        // A mark of silence that lies at the committed offset is processed again, though a checkpoint may hold what it did to a profile.
        public Cause CauseOf(int ordinal) => shard.Position.At(ordinal);

        public int TimerTrigger(int timer) => live.TimerTrigger(timer);

        public void Fired(byte[] key, int length, long due, int trigger, TimerUpdate update) =>
            live.Fired(key, length, due, trigger, update);

        public void Waited(byte[] key, int length, long due, DeferralUpdate update) => live.Waited(key, length, due, update);

        public int Trigger() => live.Trigger();

        public void Applied(int trigger, EventUpdate update) => live.Applied(trigger, update);
    }
}
