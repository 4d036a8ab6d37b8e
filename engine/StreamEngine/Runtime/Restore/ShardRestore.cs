using StreamEngine.Connectors;
using StreamEngine.Decisions;
using StreamEngine.State.Checkpoints;

namespace StreamEngine.Runtime;

/// <summary>
/// Rebuilds one shard, in slices between polls, on readers of its own: from its newest cut that is whole and fits, else from the start of
/// the log. Then everything in the order in which it happened:
/// <code>
///  (1) ask       the stable committed offset of each source, then the decision partition's high watermark (RestoreQuestion)
///  (-) load      the cut's profiles, each as of its own position; what that covers is left out below (CutChoice, ICutLoad)
///  (2) decisions read the decision partition up to that mark; each entry names its cause (source, offset) (DecisionCursor)
///  (3) events    re-read the cause's source up to the cause, without scoring or emitting, then apply the entry (EventCursor)
///  (4) rest      re-read each source up to its committed offset
/// </code>
/// What was decided before stands: scores may change between runs, a model may be replaced, the log is not asked to agree. At least once,
/// the log may hold more than was committed: that is collected for the shard to catch up on (TailBuilder).
/// </summary>
internal sealed class ShardRestore : IDisposable
{
    /// <summary>The most records of one read.</summary>
    internal const int ReadRecords = 2_000;
    private static readonly TimeSpan SliceTime = TimeSpan.FromMilliseconds(15);

    private readonly WorkerSettings _settings;
    private readonly CompiledEngine _engine;
    private readonly TimeProvider _time;
    private readonly long _started;
    private readonly bool _forSavepoint;
    private readonly RestorePass _pass;
    private readonly RestoreQuestion _question;
    private readonly DecisionCursor _decisions;
    private readonly EventCursor[] _events;
    private readonly TailBuilder? _behind;
    private readonly RestoreReport _report;
    private readonly TableWait _tables;
    private readonly SharedWait _shared;
    private CutMarker? _cut;
    private ICutLoad? _load;

    /// <summary>Starts restoring a fresh shard.</summary>
    /// <param name="settings">The log, the config and the clock.</param>
    /// <param name="shard">The shard.</param>
    /// <param name="bounds">Where it ends, for a savepoint, whose shard is nobody's; null where it goes live.</param>
    public ShardRestore(WorkerSettings settings, Shard shard, RestoreBounds? bounds = null)
    {
        (_settings, _engine, _time, Shard) = (settings, settings.Engine, settings.Time, shard);
        _started = _time.GetTimestamp();
        _forSavepoint = bounds is not null;
        _pass = shard.BeginRestore();
        _events = [.. _engine.Events.Sources.Select((s, i) =>
            new EventCursor(settings.Log, new TopicPartition(s.Topic, shard.Partition), i, _pass))];
        _decisions = new DecisionCursor(settings.Log, _engine, shard.Partition, bounds?.Offsets);
        _question = new RestoreQuestion(settings, shard, bounds);
        if (_engine.Options.Runtime.Delivery == Delivery.AtLeastOnce && !_forSavepoint)
            _behind = new TailBuilder(_engine, _pass, _question, _decisions, _events);
        _tables = new TableWait(settings.Tables, shard.State);
        _shared = new SharedWait(_forSavepoint ? null : settings.Shared, shard.State);
        _report = new RestoreReport(settings, shard, _decisions);
    }

    /// <summary>The shard; live once <see cref="Slice"/> returned true.</summary>
    public Shard Shard { get; }

    /// <summary>
    /// Whether there is nothing to do but wait, for the log's answer, for a schema, for records of a table, or for shared numbers.
    /// </summary>
    public bool Waits => _question.Waits || Shard.WaitsFor is not null || _tables.Waits || _shared.Waits;

    /// <summary>The time since it began.</summary>
    public TimeSpan Took => _time.GetElapsedTime(_started);

    /// <summary>How much is done, 0 to 1.</summary>
    public double Progress => _report.Progress;

    /// <summary>What is to be processed once the shard is live, before anything else; null where nothing is.</summary>
    public LoggedTail? Tail => _behind?.Tail;

    /// <summary>Once done: the decision partition's offset from which on nothing was applied.</summary>
    public long DecisionsEnd => _decisions.End;

    /// <summary>Works for a few milliseconds; true once the shard stands at its committed offsets.</summary>
    public bool Slice()
    {
        if (!Shard.GoesOn() || Waits) return false;
        var began = _time.GetTimestamp();
        do
        {
            if (!_question.IsAnswered) Start();
            else if (_question.TryTake()) GoOn();
            if (!_tables.Follow() || Load() || !Step() || !_tables.MayCatchUp(Tail)) continue;
            if (!_shared.MayGoLive(_question.Answer.SharedEnd)) continue;
            _pass.Done(_cut);
            _report.Done(_cut, Took);
            return true;
        }
        while (!Waits && _time.GetElapsedTime(began) < SliceTime);
        _report.UnderWay(_question.Answer.Committed, _cut, _load);
        return false;
    }

    /// <summary>Closes the readers.</summary>
    public void Dispose()
    {
        foreach (var source in _events) source.Dispose();
        _decisions.Dispose();
        _load?.Dispose();
    }

    /// <summary>The log has answered: the shard stands at its cut, or at the start of the log.</summary>
    private void Start()
    {
        _question.TryTake();
        var answer = _question.Answer;
        Shard.Counters.Committed = answer.Committed;
        _load = answer.Cuts.Open(Shard, _pass, _settings.Log, _engine, _forSavepoint);
        _cut = _load?.Marker;
        if (_load is not null) _report.Place = _load.Place;
        _report.TellDamaged(answer.Cuts.Damaged, _cut);
        if (_load is null) _report.TellWhatIsMissing(answer);
        for (var i = 0; i < _events.Length; i++)
        {
            _pass.StartAt(i, _cut?.Start.Next[i] ?? answer.Start[i]);
            _events[i].Start(answer.Committed[i]);
        }
        if (_cut is not null) _pass.StartAt(_cut);
        _decisions.Start(_cut?.Decisions ?? answer.First, answer.Mark);
    }

    /// <summary>The log was asked again.</summary>
    private void GoOn()
    {
        _decisions.Mark = _question.Answer.Mark;
        for (var i = 0; i < _events.Length; i++) _events[i].Start(_question.Answer.Committed[i]);
    }

    /// <summary>Loads a block of the cut; true while there are more.</summary>
    private bool Load()
    {
        if (_load is null) return false;
        if (_load.Step(_pass)) return true;
        _load.Dispose();
        _load = null;
        return false;
    }

    /// <summary>One small step of (2) to (4); true when there is nothing left to do.</summary>
    private bool Step()
    {
        switch (_decisions.Move())
        {
            case CursorMove.Waits:
                return false;
            case CursorMove.Entry:
                ApplyEntry();
                return false;
            default:
                return Rest() && _behind?.HasEvents() is not false;
        }
    }

    /// <summary>(3) Comes closer to the cause of the entry at hand, or applies the entry once it is there.</summary>
    private void ApplyEntry()
    {
        if (_behind?.Takes() == true) return;
        ref readonly var entry = ref _decisions.Entry;
        var source = _decisions.Source;
        if (source < 0 || entry.Offset >= _question.Answer.Committed[source])
        {
            if (source < 0 || _question.AskedAgain) throw _decisions.NotCommitted(_question.Answer.NoOffsets);
            _question.AskAgain();
            return;
        }
        // A refusal is known before its record: that one is not applied. Everything else follows its cause.
        var end = entry.Kind == DecisionKind.Refused ? entry.Offset : entry.Offset + 1;
        if (_pass.Next(source) < end)
        {
            _events[source].ReplayTo(end);
            return;
        }
        // An entry that the cut's start covers is in the state already.
        if (_cut is null || !_cut.Start.Covers(source, entry.Offset, entry.Ordinal))
        {
            if (_behind?.Opens() == true) return;
            _pass.Apply(entry, source, _decisions.Value);
        }
        _decisions.Settled();
        _question.Settled();
    }

    /// <summary>(4) Re-reads a source that is not at its committed offset yet; true where all are.</summary>
    private bool Rest()
    {
        for (var source = 0; source < _events.Length; source++)
        {
            if (_pass.Next(source) >= _question.Answer.Committed[source]) continue;
            _events[source].ReplayTo(_question.Answer.Committed[source]);
            return false;
        }
        return true;
    }
}
