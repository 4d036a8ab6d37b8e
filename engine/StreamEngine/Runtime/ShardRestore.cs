using System.Diagnostics;
using System.Text;
using StreamEngine.Connectors;
using StreamEngine.Decisions;

namespace StreamEngine.Runtime;

/// <summary>
/// Rebuilds one shard from the log, in slices between polls, on readers of its own. The order is the one in which it happened:
/// <code>
///  (1) ask       the stable committed offset of each source, then the decision partition's high watermark
///  (2) decisions read the decision partition up to that mark; each entry names its cause (source, offset)
///  (3) events    re-read the cause's source up to the cause, without scoring or emitting, then apply the entry
///  (4) rest      re-read each source up to its committed offset
/// </code>
/// What was decided before stands: scores may change between runs, a model may be replaced, the log is not asked to agree.
/// </summary>
public sealed class ShardRestore : IDisposable
{
    private const int ReadRecords = 2_000;
    private static readonly TimeSpan SliceTime = TimeSpan.FromMilliseconds(15);

    private readonly CompiledEngine _engine;
    private readonly Action<WorkerEvent> _report;
    private readonly Task<(long[] Committed, long[] Start, long First, long Mark)> _asked;
    private readonly ILogReader[] _events;
    private readonly RecordBatch[] _eventBatches;
    private readonly int[] _eventAt;
    private readonly ILogReader _decisions;
    private readonly RecordBatch _decisionBatch = new();
    private readonly string _decisionTopic;
    private readonly byte[][] _sourceTopics;
    private readonly long _started = Stopwatch.GetTimestamp();
    private long[]? _committed;
    private long _mark;
    private int _decisionAt;
    private LoggedDecision _entry;
    private int _entrySource = -1;
    private string _entryTopic = "";
    private bool _hasEntry;
    private long _reportedAt, _reported = -1;

    /// <summary>Starts restoring a fresh shard; asks the log in the background, because the answer may have to wait for a dead worker's transaction.</summary>
    public ShardRestore(ILog log, CompiledEngine engine, Shard shard, Action<WorkerEvent> report)
    {
        _engine = engine;
        _report = report;
        Shard = shard;
        _decisionTopic = engine.Options.Outputs.Decisions;
        var sources = engine.Events.Sources;
        _events = [.. sources.Select(_ => log.OpenReader())];
        _eventBatches = [.. sources.Select(_ => new RecordBatch())];
        _eventAt = new int[sources.Count];
        _sourceTopics = [.. sources.Select(s => Encoding.UTF8.GetBytes(s.Topic))];
        _decisions = log.OpenReader();
        _asked = Task.Run(() => Ask(log, engine, shard.Partition));
    }

    /// <summary>The shard; live once <see cref="Slice"/> returned true.</summary>
    public Shard Shard { get; }

    /// <summary>How much is done, 0 to 1.</summary>
    public double Progress { get; private set; }

    /// <summary>Works for a few milliseconds; true once the shard stands at its committed offsets.</summary>
    public bool Slice()
    {
        if (_committed is null && !Start()) return false;
        var began = Stopwatch.GetTimestamp();
        do
        {
            if (Step()) return Done();
        }
        while (Stopwatch.GetElapsedTime(began) < SliceTime);
        Report();
        return false;
    }

    /// <summary>Closes the readers.</summary>
    public void Dispose()
    {
        foreach (var reader in _events) reader.Dispose();
        _decisions.Dispose();
    }

    /// <summary>(1) Asks the log: stable offsets first, the mark after them, so that every decision before the offsets lies below the mark.</summary>
    private static (long[] Committed, long[] Start, long First, long Mark) Ask(ILog log, CompiledEngine engine, int partition)
    {
        var sources = engine.Events.Sources;
        var committed = new long[sources.Count];
        var start = new long[sources.Count];
        for (var i = 0; i < sources.Count; i++)
        {
            var at = new TopicPartition(sources[i].Topic, partition);
            start[i] = log.Watermarks(at).Low;
            committed[i] = log.Committed(engine.Options.Name, at) ?? start[i];
            if (committed[i] < start[i]) throw new OffsetOutOfRangeException(at, committed[i], start[i], log.Watermarks(at).High);
        }
        var (low, high) = log.Watermarks(new TopicPartition(engine.Options.Outputs.Decisions, partition));
        return (committed, start, low, high);
    }

    private bool Start()
    {
        if (!_asked.IsCompleted) return false;
        (_committed, var start, var first, _mark) = _asked.GetAwaiter().GetResult();
        for (var i = 0; i < _events.Length; i++)
        {
            Shard.StartAt(i, start[i]);
            if (start[i] < _committed[i]) _events[i].Assign(new TopicPartition(_engine.Events.Sources[i].Topic, Shard.Partition), start[i]);
        }
        if (_mark <= first) _mark = 0;
        else _decisions.Assign(new TopicPartition(_decisionTopic, Shard.Partition), first);
        return true;
    }

    /// <summary>One small step of (2) to (4); true when there is nothing left to do.</summary>
    private bool Step()
    {
        if (!_hasEntry && !NextEntry(out var exhausted) && !exhausted) return false;
        if (_hasEntry)
        {
            var source = _entrySource;
            if (source < 0 || _entry.Offset >= _committed![source])
                throw new LogException($"{_decisionTopic}[{Shard.Partition}]: a decision names {_entryTopic}, offset {_entry.Offset}, which is not committed: the group's offsets or the config's event sources were changed by hand. Reset the group's offsets to the start, or give the engine a name and a decision topic of its own.");
            // A refusal is known before its record: that one is not applied. Everything else follows its cause.
            var end = _entry.Kind == DecisionKind.Refused ? _entry.Offset : _entry.Offset + 1;
            if (Shard.Next(source) < end)
            {
                ReplayEvents(source, end);
                return false;
            }
            Shard.Apply(_entry, source, _decisionBatch.Value(_decisionAt - 1));
            _hasEntry = false;
            return false;
        }
        for (var source = 0; source < _events.Length; source++)
        {
            if (Shard.Next(source) >= _committed![source]) continue;
            ReplayEvents(source, _committed[source]);
            return false;
        }
        return true;
    }

    /// <summary>(2) Takes the next logged entry; <paramref name="exhausted"/> once the mark is reached.</summary>
    private bool NextEntry(out bool exhausted)
    {
        exhausted = false;
        if (_decisionAt == _decisionBatch.Count)
        {
            if (_mark == 0 || _decisions.Position >= _mark)
            {
                exhausted = true;
                return false;
            }
            _decisions.Read(_decisionBatch, ReadRecords, TimeSpan.FromMilliseconds(5));
            _decisionAt = 0;
            return false;
        }
        ref readonly var record = ref _decisionBatch[_decisionAt];
        var at = _decisionAt++;
        if (record.Offset >= _mark)
        {
            _decisionAt = _decisionBatch.Count;
            exhausted = true;
            return false;
        }
        if (!LoggedDecision.TryParse(_decisionBatch.Value(at), ref _entry))
            throw new LogException($"{_decisionTopic}[{Shard.Partition}] offset {record.Offset}: not a decision record ({_entry.Error}). Something else writes to the decision topic: give the engine a topic of its own.");
        var topic = _decisionBatch.Value(at).Slice(_entry.Topic.Start, _entry.Topic.Length);
        if (_entrySource < 0 || !topic.SequenceEqual(_sourceTopics[_entrySource])) _entrySource = SourceOf(topic);
        _hasEntry = true;
        return true;
    }

    /// <summary>(3) Re-reads events of a source up to an offset (exclusive), as far as one read brings them.</summary>
    private void ReplayEvents(int source, long end)
    {
        var batch = _eventBatches[source];
        if (_eventAt[source] == batch.Count)
        {
            _events[source].Read(batch, ReadRecords, TimeSpan.FromMilliseconds(5));
            _eventAt[source] = 0;
        }
        var from = _eventAt[source];
        var to = from;
        while (to < batch.Count && batch[to].Offset < end) to++;
        Shard.Replay(batch, from, to, source);
        _eventAt[source] = to;
        // Markers and aborted records leave gaps: the position, not the last record, says how far the reader is.
        if (to < batch.Count) Shard.SkipTo(source, end);
        else Shard.SkipTo(source, Math.Min(end, _events[source].Position));
    }

    private int SourceOf(ReadOnlySpan<byte> topic)
    {
        _entryTopic = Encoding.UTF8.GetString(topic);
        for (var i = 0; i < _sourceTopics.Length; i++)
            if (topic.SequenceEqual(_sourceTopics[i])) return i;
        return -1;
    }

    private bool Done()
    {
        Progress = 1;
        if (Shard.Counters.Restored > 0)
            _report(new WorkerEvent(false, $"Shard {Shard.Partition} restored: {Shard.Counters.Restored} records in {Stopwatch.GetElapsedTime(_started).TotalSeconds:0.0} s."));
        return true;
    }

    private void Report()
    {
        long done = 0, all = 0;
        for (var i = 0; i < _events.Length; i++)
        {
            done += Shard.Next(i);
            all += _committed![i];
        }
        Progress = all == 0 ? 1 : (double)done / all;
        if (_reportedAt != 0 && Stopwatch.GetElapsedTime(_reportedAt) < TimeSpan.FromSeconds(5)) return;
        // Readers stop at an open transaction. One that the broker has forgotten to end would hold them up without a word.
        var stands = done + _decisions.Position == _reported;
        _reported = done + _decisions.Position;
        if (_reportedAt != 0)
            _report(new WorkerEvent(stands, $"Shard {Shard.Partition} is being restored: {Progress:P0}." + (stands
                ? $" Nothing has come for 5 s: {_decisionTopic}[{Shard.Partition}] is read at offset {_decisions.Position} of {_mark}. If it stays so, look there and in the sources for a transaction that hangs, and abort it with the broker's tools."
                : "")));
        _reportedAt = Stopwatch.GetTimestamp();
    }
}
