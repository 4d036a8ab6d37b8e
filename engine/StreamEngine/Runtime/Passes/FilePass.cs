using System.Runtime.InteropServices;
using StreamEngine.Connectors;
using StreamEngine.Decisions;
using StreamEngine.Events;

namespace StreamEngine.Runtime;

/// <summary>
/// The pass over files: live, but records come in the order of event time over all sources, so that each source has come as far as the
/// newest of any; and there is an end, at which the timers that wait can be fired.
/// </summary>
public sealed class FilePass
{
    /// <summary>How often shared numbers are followed, ms of event time.</summary>
    private const long ShareEvery = 1_000;

    private readonly ShardState _shard;
    private readonly EventFold _fold;
    private readonly LivePass _live;
    private readonly Dictionary<string, SharedSum> _sums = new(StringComparer.Ordinal);
    private readonly List<SharedNumber> _news = [];
    private long _shares = long.MinValue;   // from when on shared numbers are followed anew

    /// <summary>A pass over a fresh shard.</summary>
    public FilePass(Shard shard)
    {
        (_shard, _fold, _live) = (shard.State, shard.Fold, shard.Live);
        // Files have no log that could hold marks: from their beginning all segments are told.
        var policy = _shard.Engine.Policy;
        if (ReferenceEquals(_shard.Switches, policy.Unmarked)) _shard.Switches = policy.AllOn;
    }

    /// <summary>The shared numbers as the one shard has them; null where the config shares none.</summary>
    public SharedNumbers? Shared => _shard.Shared is { } shared ? SharedNumbers.OfOne(shared.Tallies, _shard.Partition) : null;

    /// <summary>
    /// Processes a batch; the decisions that it opens wait. Returns the index of the first record that was not processed: that of one whose
    /// schema can't be asked for, or the batch's count.
    /// </summary>
    public int Process(RecordBatch batch)
    {
        var end = _live.Run(new Hooks(_live.Now(), _shard, this), batch, 0, batch.Count);
        _shard.Publish();
        return end;
    }

    /// <summary>Moves the watermark, ms, fires what is due, and decides what that opened.</summary>
    public void Finish(long watermark)
    {
        _shard.Decisions.Flush();
        Share(watermark);
        _fold.AdvanceWatermark(new Hooks(_live.Now(), _shard, this), watermark);
        _shard.Decisions.Flush();
        // A timer's decision may wait for quiet hours that have ended by then: once, since it waits no second time.
        if (_shard.Deferred.NextDue < watermark)
        {
            _fold.AdvanceWatermark(new Hooks(_live.Now(), _shard, this), watermark);
            _shard.Decisions.Flush();
        }
        _shard.Publish();
    }

    /// <summary>
    /// The one shard follows what it has added to the shared numbers itself, once in a second of event time and before the event that
    /// brings it: wherever a batch ends, the same decisions follow the same numbers. Where the log has gaps that is before nearly every
    /// event, so what has not changed costs nothing.
    /// </summary>
    private void Share(long time)
    {
        if (_shard.Shared is not { } shared || time < _shares) return;
        _shares = time - time % ShareEvery + ShareEvery;
        // Decisions that wait change what is spent of budgets, and nothing else that is shared.
        if (_shard.Budgets is null && !shared.Tallies.AnyChanged) return;
        _shard.Decisions.Flush();
        if (_shard.Ledger is { } ledger)
        {
            TakeChanged(shared.Tallies);
            ledger.Allocate(_sums, time, always: true);
        }
        TakeChanged(shared.Tallies);
        if (_news.Count == 0) return;
        shared.View.Take(version: 0, CollectionsMarshal.AsSpan(_news));
        _news.Clear();
    }

    /// <summary>Takes what has changed or was begun into the sums, which are the one shard's numbers, and into the news.</summary>
    private void TakeChanged(Tallies tallies)
    {
        tallies.Take(Take);
        // Those that were begun and are still 0 have not changed, but say of which periods something was asked.
        if (tallies.All.Count == _sums.Count) return;
        foreach (var tally in tallies.All)
            if (!_sums.ContainsKey(tally.Name)) Take(tally);

        void Take(Tally tally)
        {
            double[] values = [.. tally.Values];
            _sums[tally.Name] = new SharedSum(values, [new(_shard.Partition, values)]);
            if (SharedName.ReachOf(tally.Name, out var shard) == SharedReach.Everybody || shard == _shard.Partition)
                _news.Add(new SharedNumber(tally.Name, values));
        }
    }

    private readonly struct Hooks(LivePass.Hooks live, ShardState shard, FilePass pass) : IPass
    {
        public bool MayWait => true;

        public bool Writes => true;

        public void Begin(in RecordInfo record, int source) => live.Begin(record, source);

        public RejectReason Decoded(in RecordInfo record, RejectReason reason) => live.Decoded(record, reason);

        public void Misplaced(in RecordInfo record, ReadOnlySpan<byte> key) => live.Misplaced(record, key);

        public bool IsFromTheFuture() => live.IsFromTheFuture();

        public void Rejected(RecordBatch batch, int index, RejectReason reason) => live.Rejected(batch, index, reason);

        public long Watermark(int source)
        {
            pass.Share(shard.Event.Time);
            return shard.Clock.Advance(source, shard.Event.Time, all: true);
        }

        public Cause CauseOf(int ordinal) => live.CauseOf(ordinal);

        public int TimerTrigger(int timer) => live.TimerTrigger(timer);

        public void Fired(byte[] key, int length, long due, int trigger, TimerUpdate update) =>
            live.Fired(key, length, due, trigger, update);

        public void Waited(byte[] key, int length, long due, DeferralUpdate update) => live.Waited(key, length, due, update);

        public int Trigger() => live.Trigger();

        public void Applied(int trigger, EventUpdate update) => live.Applied(trigger, update);
    }
}
