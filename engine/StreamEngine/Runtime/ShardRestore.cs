using System.Text;
using StreamEngine.Connectors;
using StreamEngine.Decisions;
using StreamEngine.State.Checkpoints;

namespace StreamEngine.Runtime;

/// <summary>
/// Rebuilds one shard, in slices between polls, on readers of its own: from its newest cut that is whole and fits, else from the start of
/// the log. Then everything in the order in which it happened:
/// <code>
///  (1) ask       the stable committed offset of each source, then the decision partition's high watermark
///  (-) load      the cut's profiles, each as of its own position; what that covers is left out below
///  (2) decisions read the decision partition up to that mark; each entry names its cause (source, offset)
///  (3) events    re-read the cause's source up to the cause, without scoring or emitting, then apply the entry
///  (4) rest      re-read each source up to its committed offset
/// </code>
/// What was decided before stands: scores may change between runs, a model may be replaced, the log is not asked to agree.
/// </summary>
public sealed partial class ShardRestore : IDisposable
{
    private const int ReadRecords = 2_000;
    private static readonly TimeSpan SliceTime = TimeSpan.FromMilliseconds(15);

    private readonly CompiledEngine _engine;
    private readonly ILog _log;
    private readonly Action<WorkerEvent> _report;
    private readonly WorkerSettings _settings;
    private Task<RestoreAnswer> _asked;
    private readonly ILogReader[] _events;
    private readonly bool[] _reading;
    private readonly RecordBatch[] _eventBatches;
    private readonly int[] _eventAt;
    private readonly ILogReader _decisions;
    private readonly RecordBatch _decisionBatch = new();
    private readonly string _decisionTopic;
    private readonly byte[][] _sourceTopics;
    private readonly TimeProvider _time;
    private readonly long _started;
    private readonly RestoreBounds? _bounds;
    private long[]? _committed;
    private long[] _end = [];
    private CutMarker? _cut;
    private ICutLoad? _load;
    private string _place = "";
    private long _mark;
    private int _decisionAt;
    private LoggedDecision _entry;
    private int _entrySource = -1;
    private string _entryTopic = "";
    private bool _hasEntry;
    private bool _noOffsets;
    private bool _askedAgain;   // about the entry at hand
    private long _reportedAt, _reported = -1;

    /// <summary>
    /// Starts restoring a fresh shard; asks the log in the background, because the answer may have to wait for a dead worker's transaction.
    /// </summary>
    public ShardRestore(WorkerSettings settings, Shard shard)
        : this(settings, shard, null)
    {
    }

    /// <summary>The same, up to a given point and not further: for savepoints, whose shard is nobody's.</summary>
    internal ShardRestore(WorkerSettings settings, Shard shard, RestoreBounds? bounds)
    {
        _bounds = bounds;
        var (log, engine) = (settings.Log, settings.Engine);
        _settings = settings;
        _engine = engine;
        _log = log;
        _reading = new bool[engine.Events.Sources.Count];
        _atLeastOnce = engine.Options.Runtime.Delivery == Delivery.AtLeastOnce;
        _applied = new (long, int)[engine.Events.Sources.Count];
        Array.Fill(_applied, (-1, -1));
        _report = settings.Report;
        _time = settings.Time;
        _started = _time.GetTimestamp();
        Shard = shard;
        _decisionTopic = engine.Options.Outputs.Decisions;
        var sources = engine.Events.Sources;
        _events = [.. sources.Select(_ => log.OpenReader())];
        _eventBatches = [.. sources.Select(_ => new RecordBatch())];
        _eventAt = new int[sources.Count];
        _sourceTopics = [.. sources.Select(s => Encoding.UTF8.GetBytes(s.Topic))];
        _decisions = log.OpenReader();
        var checkpoints = bounds is null ? shard.Checkpoints?.Folder : bounds.Checkpoints;
        _asked = settings.InBackground(() =>
            RestoreAnswer.Ask(log, engine, shard.Partition, cuts: bounds?.Cuts ?? true, checkpoints, bounds));
    }

    /// <summary>The shard; live once <see cref="Slice"/> returned true.</summary>
    public Shard Shard { get; }

    /// <summary>Whether there is nothing to do but wait, for the log's answer or for a schema.</summary>
    public bool Waits => !_asked.IsCompleted || Shard.WaitsFor is not null;

    /// <summary>The time since it began.</summary>
    public TimeSpan Took => _time.GetElapsedTime(_started);

    /// <summary>How much is done, 0 to 1.</summary>
    public double Progress { get; private set; }

    /// <summary>Once done: the decision partition's offset from which on nothing was applied.</summary>
    internal long DecisionsEnd { get; private set; }

    /// <summary>Works for a few milliseconds; true once the shard stands at its committed offsets.</summary>
    public bool Slice()
    {
        if (!Shard.GoesOn() || Waits) return false;
        if (_committed is null) Start();
        else if (_askedAgain) TakeAnswer();
        var began = _time.GetTimestamp();
        do
        {
            if (Step()) return Done();
        }
        while (!Waits && _time.GetElapsedTime(began) < SliceTime);
        Report();
        return false;
    }

    /// <summary>Closes the readers.</summary>
    public void Dispose()
    {
        foreach (var reader in _events) reader.Dispose();
        _decisions.Dispose();
        _load?.Dispose();
    }

    private void Start()
    {
        (_committed, var start, _end, var first, _mark, _noOffsets, var path, var file, var inTopic, var topicLow, var topicHigh) =
            _asked.GetAwaiter().GetResult();
        // Files that were left behind while the shard was elsewhere: catching up on the events would cost more than loading the topic's
        // profiles.
        if (file is { Marker.OfSavepoint: false } && inTopic is not null
            && inTopic.Start.Next.Sum() - file.Marker.Start.Next.Sum() > inTopic.Profiles) (path, file) = (null, null);
        Shard.Counters.Committed = _committed;
        Shard.Checkpoints?.Begin(path, file);
        if (Shard.KeepsCheckpoints && file is not null)
        {
            _load = new FileCutLoad(path!, file);
            _place = "files";
            // The topic holds what changed before the file's cut only if it has a cut that began no earlier.
            // One that was made of a savepoint may differ from what the topic has, and replaces it.
            Shard.CopyLoaded = _engine.Outputs.Checkpoints >= 0 && _bounds is null
                && (inTopic is null || file.Marker.OfSavepoint || !file.Marker.Start.AtMost(inTopic.Start));
        }
        else if (Shard.KeepsCheckpoints && inTopic is not null)
        {
            _load = new TopicCutLoad(_log, new TopicPartition(_engine.Options.Checkpoints.Topic, Shard.Partition), topicLow, topicHigh,
                inTopic);
            _place = "the topic";
            Shard.CopyLoaded = Shard.Checkpoints is not null; // its files begin anew
        }
        _cut = _load?.Marker;
        if (_cut is null)
            for (var i = 0; i < start.Length; i++)
                if (start[i] > 0 && _committed[i] > start[i])
                    _report(new WorkerEvent(true, $"Shard {Shard.Partition}: {_engine.Events.Sources[i].Topic} starts at offset "
                        + $"{start[i]}: what stood before it was deleted and is missing from the features. Raise the topic's retention."));
        for (var i = 0; i < _events.Length; i++)
        {
            if (_cut is not null) start[i] = _cut.Start.Next[i];
            Shard.StartAt(i, start[i]);
            Read(i);
        }
        if (_cut is not null)
        {
            Shard.StartAt(_cut);
            first = _cut.Decisions;
        }
        DecisionsEnd = Math.Max(_mark, first);
        if (_mark <= first) _mark = 0;
        else _decisions.Assign(new TopicPartition(_decisionTopic, Shard.Partition), first);
    }

    private void Read(int source)
    {
        if (_reading[source] || Shard.Next(source) >= _committed![source]) return;
        _reading[source] = true;
        _events[source].Assign(new TopicPartition(_engine.Events.Sources[source].Topic, Shard.Partition), Shard.Next(source));
    }

    /// <summary>
    /// An entry is in the log whose cause was not committed when we asked. If it is now, the shard went to another owner between the two
    /// questions, as happens to a process that stood still: we shall be told, and until then go on by the new answer. If it is not,
    /// somebody has changed the offsets.
    /// </summary>
    private void AskAgain()
    {
        _askedAgain = true;
        _asked = _settings.InBackground(() => RestoreAnswer.Ask(_log, _engine, Shard.Partition, cuts: false, checkpoints: null));
    }

    private void TakeAnswer()
    {
        var answer = _asked.GetAwaiter().GetResult();
        _moved |= !answer.Committed.AsSpan().SequenceEqual(_committed);
        (_committed, _end, _mark, _noOffsets) = (answer.Committed, answer.End, answer.Mark, answer.NoOffsets);
        for (var i = 0; i < _events.Length; i++) Read(i);
    }

    /// <summary>Loads a block of the cut; true while there are more.</summary>
    private bool Load()
    {
        if (_load is null) return false;
        if (_load.Step(Shard)) return true;
        _load.Dispose();
        _load = null;
        return false;
    }

    /// <summary>One small step of loading and of (2) to (4); true when there is nothing left to do.</summary>
    private bool Step()
    {
        if (Load()) return false;
        if (!_hasEntry && !NextEntry(out var exhausted) && !exhausted) return false;
        if (_hasEntry)
        {
            var source = _entrySource;
            if (IsBehind(source)) return false;
            if (source >= 0 && _entry.Offset >= _committed![source] && !_askedAgain)
            {
                AskAgain();
                return false;
            }
            if (source < 0 || _entry.Offset >= _committed![source]) throw NotCommitted();
            // A refusal is known before its record: that one is not applied. Everything else follows its cause.
            var end = _entry.Kind == DecisionKind.Refused ? _entry.Offset : _entry.Offset + 1;
            if (Shard.Next(source) < end)
            {
                ReplayEvents(source, end);
                return false;
            }
            // An entry that the cut's start covers is in the state already.
            var covered = _cut is not null && _cut.Start.Covers(source, _entry.Offset, _entry.Ordinal);
            if (OpensTail(covered)) return false;
            if (!covered) Shard.Apply(_entry, source, _decisionBatch.Value(_decisionAt - 1));
            _hasEntry = _askedAgain = false;
            return false;
        }
        for (var source = 0; source < _events.Length; source++)
        {
            if (Shard.Next(source) >= _committed![source]) continue;
            ReplayEvents(source, _committed[source]);
            return false;
        }
        return Tail is null || HasEvents(Tail);
    }

    private LogException NotCommitted()
    {
        var why = _noOffsets
            ? $"group {_engine.Options.Name} has no offsets any more; Kafka forgets those of a group that was stopped for longer than "
                + "offsets.retention.minutes (7 days). Set them to where the group stood "
                + "(kafka-consumer-groups.sh --reset-offsets --to-offset)"
            : "the group's offsets or the config's event sources were changed by hand. Set the offsets back";
        var delivery = _atLeastOnce
            ? ""
            : " Where it ran with runtime.delivery: at_least_once until it was killed, run it so once more and stop it in the ordinary "
                + "way.";
        return new LogException($"{_decisionTopic}[{Shard.Partition}]: a decision names {_entryTopic}, offset {_entry.Offset}, which is "
            + "not "
            + $"committed: {why}, or give the engine a name and a decision topic of its own.{delivery}");
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
            throw new LogException($"{_decisionTopic}[{Shard.Partition}] offset {record.Offset}: not a decision record ({_entry.Error}). "
                + "Something else writes to the decision topic: give the engine a topic of its own.");
        var topic = _decisionBatch.Value(at).Slice(_entry.Topic.Start, _entry.Topic.Length);
        if (_entrySource < 0 || !topic.SequenceEqual(_sourceTopics[_entrySource])) _entrySource = SourceOf(topic);
        if (_bounds is not null && _entrySource >= 0 && _entry.Offset >= _committed![_entrySource])
        {
            // The first of what the engine did meanwhile: the picture ends before it.
            _mark = DecisionsEnd = record.Offset;
            _decisionAt = _decisionBatch.Count;
            exhausted = true;
            return false;
        }
        _hasEntry = _entrySource < 0 || !IsRepeated(_entrySource);
        return _hasEntry;
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
        _eventAt[source] = Shard.Replay(batch, from, to, source);
        if (_eventAt[source] < to) return;
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
        Shard.Restored(_cut);
        if (Shard.Counters.Restored + Shard.Counters.Loaded > 0)
        {
            var loaded = _cut is null ? "" : $"checkpoint {_cut.Number} with {Shard.Counters.Loaded} profiles from {_place}, then ";
            _report(new WorkerEvent(false, $"Shard {Shard.Partition} restored: {loaded}{Shard.Counters.Restored} records, in "
                + $"{_time.GetElapsedTime(_started).TotalSeconds:0.0} s."));
        }
        return true;
    }

    private void Report()
    {
        long done = 0, all = 0;
        for (var i = 0; i < _events.Length; i++)
        {
            done += Shard.Next(i) - (_cut?.Start.Next[i] ?? 0);
            all += _committed![i] - (_cut?.Start.Next[i] ?? 0);
        }
        var replayed = all == 0 ? 1 : (double)done / all;
        Progress = _cut is null ? replayed : ((_load?.Progress ?? 1) + replayed) / 2;
        if (_reportedAt != 0 && _time.GetElapsedTime(_reportedAt) < TimeSpan.FromSeconds(5)) return;
        // Readers stop at an open transaction. One that the broker has forgotten to end would hold them up without a word.
        var stands = _load is null && done + _decisions.Position == _reported;
        _reported = done + _decisions.Position;
        if (_reportedAt != 0)
            _report(new WorkerEvent(stands, $"Shard {Shard.Partition} is being restored: {Progress:P0}." + (stands
                ? $" Nothing has come for 5 s: {_decisionTopic}[{Shard.Partition}] is read at offset {_decisions.Position} of {_mark}. If "
                + "it stays so, look there and in the sources for a transaction that hangs, and abort it with the broker's tools."
                : "")));
        _reportedAt = _time.GetTimestamp();
    }
}
