using StreamEngine.Connectors;
using StreamEngine.Decisions;
using StreamEngine.Events;
using StreamEngine.Identity;
using StreamEngine.State.Checkpoints;

namespace StreamEngine.Runtime;

/// <summary>
/// The pass that happens now: events are counted, rejected ones written to their topics, and triggers open decisions. What can't be
/// computed again is logged with its position before it acts: which source followed which, what the clock or the registry refused, and
/// where silence moved the watermark.
/// </summary>
internal sealed class LivePass(ShardState shard, EventFold fold)
{
    private readonly long _maxFuture = (long)shard.Engine.Options.Time.MaxFuture.TotalMilliseconds;
    private int _generation = -1;   // of the decisions that its last run of records opened

    /// <summary>
    /// Folds a run of the partition's records. Returns the index of the first that was not folded: <paramref name="to"/>, or that of one
    /// that has to wait.
    /// </summary>
    public int Process(RecordBatch batch, int from, int to)
    {
        var end = Run(Now(), batch, from, to);
        shard.Clock.Heard(batch, from, end);
        shard.Publish();
        return end;
    }

    /// <summary>Moves the watermark when the partition has been idle for long enough; true where something was written.</summary>
    /// <param name="numbers">The shared numbers that decisions of timers follow; null where they follow none.</param>
    public bool AdvanceIdle(SharedNumbers? numbers)
    {
        if (shard.Position.Source < 0 || !shard.Clock.Silence(shard.Watermark, shard.NextDue, out var to)) return false;
        if (numbers is not null) shard.Share(numbers);
        // Nothing in the events says so: logged with its position before it acts.
        shard.Writer.Watermark(shard.Position.NextCause(), to);
        Silence(Now(), to);
        shard.Publish();
        return true;
    }

    /// <summary>What happens now.</summary>
    public Hooks Now() => new(shard, shard.Time.GetUtcNow().ToUnixTimeMilliseconds() + _maxFuture);

    /// <summary>A run of records, each with its topic as its source; decides when no further decision can wait.</summary>
    public int Run<TPass>(TPass pass, RecordBatch batch, int from, int to) where TPass : struct, IPass
    {
        // Decisions that wait for their scores hold slices of the scratch text.
        if (_generation != shard.Decisions.Generation) shard.Event.BeginBatch();
        var at = from;
        for (; at < to && fold.Apply(pass, batch, at, batch[at].Topic); at++)
            if (shard.Decisions.Full) shard.Decisions.Flush();
        _generation = shard.Decisions.Generation;
        return at;
    }

    /// <summary>Silence has moved the watermark, as a mark in the log says.</summary>
    /// <param name="pass">The pass.</param>
    /// <param name="watermark">The new watermark, ms.</param>
    /// <param name="ordinal">The mark's ordinal.</param>
    public void Silence<TPass>(TPass pass, long watermark, int ordinal = CutPosition.TheRecord) where TPass : struct, IPass
    {
        shard.Clock.RaiseTo(watermark);
        fold.AdvanceWatermark(pass, watermark, ordinal);
        shard.Decisions.Flush();
    }

    /// <param name="shard">The shard.</param>
    /// <param name="latest">Event times past this are from the future, ms.</param>
    internal readonly struct Hooks(ShardState shard, long latest) : IPass
    {
        public bool MayWait => true;

        public bool Writes => true;

        public void Begin(in RecordInfo record, int source)
        {
            shard.Counters.Records++;
            shard.Counters.Bytes += Math.Max(0, record.Key.Length) + Math.Max(0, record.Value.Length);
            var before = shard.Position.Source;
            if (source == before || before < 0) return;
            // Which of two sources came first can't be told from their offsets.
            shard.Decisions.Flush();
            if (!shard.Position.Switched) shard.Writer.Order(shard.Position.NextCause(), shard.Watermark);
        }

        public RejectReason Decoded(in RecordInfo record, RejectReason reason)
        {
            // What the registry does not know today it may know tomorrow: a restore must not ask it again.
            if (reason == RejectReason.UnknownSchema) NoteRefused();
            return reason;
        }

        public void Misplaced(in RecordInfo record, ReadOnlySpan<byte> key)
        {
            var why = key.IsEmpty ? Misplacement.NoKey : key.SequenceEqual(shard.Event.Customer.Text) ? Misplacement.OtherHash
                : Misplacement.OtherKey;
            shard.Counters.WrongPartition[(int)why]++;
            shard.Misplaced.Add(shard.Event.Source, record.Offset, why);
        }

        public bool IsFromTheFuture()
        {
            if (shard.Event.Time <= latest) return false;
            NoteRefused();
            return true;
        }

        public void Rejected(RecordBatch batch, int index, RejectReason reason)
        {
            shard.Counters.Rejected[(int)reason]++;
            shard.Writer.Rejected(batch, index, shard.Event, reason);
            shard.Watch?.Rejected(batch[index], shard.Event, reason, shard.Writer);
        }

        public long Watermark(int source) => shard.Clock.Advance(source, shard.Event.Time, all: false);

        public Cause CauseOf(int ordinal) => ProfileUpdate.Now;

        public int TimerTrigger(int timer) => shard.Engine.Policy.TimerTrigger(timer);

        public void Fired(byte[] key, int length, long due, int trigger, TimerUpdate update)
        {
            shard.Counters.TimersFired++;
            if (trigger >= 0)
                shard.Decisions.OpenTimer(key, length, due, trigger, shard.Position.NextCause(), update.DecidedAt, update.Consent,
                    shard.Watermark);
            if (shard.Decisions.Full) shard.Decisions.Flush();
        }

        public void Waited(byte[] key, int length, long due, DeferralUpdate update)
        {
            shard.Decisions.OpenDeferred(key, length, update.Placement, due, update.Trigger, shard.Position.NextCause(), update.DecidedAt,
                update.Consent, shard.Watermark);
            if (shard.Decisions.Full) shard.Decisions.Flush();
        }

        public int Trigger() => shard.Engine.Policy.MatchTrigger(shard.Context);

        public void Applied(int trigger, EventUpdate update)
        {
            shard.Counters.Admitted++;
            shard.Watch?.Admitted(shard.Event.Source);
            shard.Watches?.Applied(ProfileKey.Of(shard.Event));
            shard.Counters.ValuesNotAdded += shard.Event.NotAdded;
            shard.Counters.NamesEvicted += shard.Event.NamesEvicted;
            var missed = shard.Event.LookupsMissed;
            for (var table = 0; table < missed.Length; table++) shard.Counters.LookupsMissed[table] += missed[table];
            if (trigger >= 0)
                shard.Decisions.Open(shard.Event, shard.Context, trigger, shard.Position.NextCause(), update.DecidedAt,
                    (shard.Event.Consent | ~shard.Event.ConsentSpoken) & update.Consent, update.IsFirst, shard.Watermark);
        }

        private void NoteRefused()
        {
            shard.Decisions.Flush();
            shard.Writer.Refused(shard.Position.NextCause(), shard.Watermark);
        }
    }
}
