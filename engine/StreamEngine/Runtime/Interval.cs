using StreamEngine.Connectors;
using StreamEngine.Decisions;
using StreamEngine.Runtime.Requests;
using StreamEngine.Telemetry;

namespace StreamEngine.Runtime;

/// <summary>Where a commit interval stands.</summary>
internal enum IntervalState : byte
{
    /// <summary>Nothing is to be committed.</summary>
    Empty,

    /// <summary>
    /// Something is to be committed, and no transaction is open: nothing was written yet, or all of it has to be written again.
    /// </summary>
    Filling,

    /// <summary>A transaction is open and holds the outputs written so far.</summary>
    Open,

    /// <summary>The open transaction holds outputs of a shard that was lost: it must be aborted before anything else is written.</summary>
    Stale,
}

/// <summary>
/// One commit interval of a worker: what its shards wrote, kept until the commit is confirmed, because state can't be rolled back. An
/// interval whose commit failed is sent again, byte for byte, without the outputs of shards that were lost meanwhile.
/// <code>
/// Empty ──Touch──▶ Filling ──Write──▶ Open ──Commit: confirmed──▶ Empty
///                     ▲                 │└──Commit: waiting──▶ Open
///                     ├─Commit: failed──┘└──Drop──▶ Stale
///                     └─────────────Settle (abort)────┘
/// </code>
/// Answers to requests wait for the commit of what they tell; a waiting answer brings the commit forward.
/// How the two deliveries differ is in here: without transactions there is nothing to look up after a commit that failed, and what was
/// written and not yet sent for a lost shard is dropped at once.
/// </summary>
internal sealed class Interval(WorkerSettings settings, ILogWorker log, OwnedShards owned, EngineMetrics metrics, IntervalTrace trace)
{
    private readonly CompiledEngine _engine = settings.Engine;
    private readonly bool _transactional = settings.Engine.Options.Runtime.Delivery == Delivery.ExactlyOnce;
    private readonly List<ShardRequest> _answers = [];
    private bool _isRetried;     // a commit of it failed: the next try comes after an interval, however many wait
    private int _written;        // outputs that the open transaction holds
    private long _began;
    private long _confirmed;     // when the last commit was confirmed; 0 before the first

    /// <summary>What the shards wrote in it.</summary>
    public OutputBuffer Outputs { get; } = new() { MaxRecordBytes = log.MaxOutputBytes };

    /// <summary>Where it stands.</summary>
    public IntervalState State { get; private set; }

    /// <summary>Whether nothing is to be committed.</summary>
    public bool IsEmpty => State == IntervalState.Empty;

    /// <summary>Whether its outputs have grown to the limit: nothing more is fetched before they are committed.</summary>
    public bool IsFull => Outputs.Bytes > _engine.Options.Runtime.MaxIntervalBytes.Bytes;

    /// <summary>Whether it is time to commit it.</summary>
    public bool IsDue => !IsEmpty && Left <= TimeSpan.Zero;

    /// <summary>
    /// The time until it should be committed; of no meaning while it is empty. An answer that waits brings it forward, but for a retry.
    /// </summary>
    public TimeSpan Left => _answers.Count > 0 && !_isRetried
        ? TimeSpan.Zero
        : _engine.Options.Runtime.CommitInterval - settings.Time.GetElapsedTime(_began);

    /// <summary>Whether it holds a mark of silence.</summary>
    public bool IsSilenced { get; private set; }

    /// <summary>Something is to be committed from now on.</summary>
    public void Touch()
    {
        if (!IsEmpty) return;
        State = IntervalState.Filling;
        _began = settings.Time.GetTimestamp();
    }

    /// <summary>A mark of silence was written, or may be among what was.</summary>
    public void TouchBySilence()
    {
        Touch();
        IsSilenced = true;
    }

    /// <summary>
    /// A request was served, and what it told or did is decided: its answer goes with the commit, or at once where the config says so.
    /// </summary>
    public void Answer(ShardRequest request)
    {
        Touch();
        if (_engine.Options.Requests.Reply == ReplyWhen.Decided && OwnsForNow) request.Release();
        else _answers.Add(request);
    }

    /// <summary>
    /// Whether a confirmed commit is young enough that nobody else can be taken for the owner yet. A third of what the log grants is left
    /// for clocks that run apart and for the time that the confirmation took.
    /// </summary>
    private bool OwnsForNow => _confirmed != 0 && State != IntervalState.Stale
        && (log.Lease == Timeout.InfiniteTimeSpan || settings.Time.GetElapsedTime(_confirmed) < log.Lease * 2 / 3);

    /// <summary>Writes the new outputs into the transaction, which it opens where none is.</summary>
    public void Write()
    {
        if (IsEmpty) return;
        if (State == IntervalState.Filling)
        {
            log.Begin();
            State = IntervalState.Open;
            _written = 0;
        }
        if (_written == Outputs.Count) return;
        var began = trace.Now;
        log.Write(Outputs, _written, Outputs.Count);
        _written = Outputs.Count;
        trace.Step("write", began);
    }

    /// <summary>Commits outputs, decisions and the offsets of every shard together; false where that is still to be done.</summary>
    public bool TryCommit()
    {
        Settle();
        if (owned.Count == 0)
        {
            // Every shard is gone, and with them what they wrote: nothing may be committed for them.
            if (State == IntervalState.Open) Abort();
            Confirmed(byTheLog: false);
            return true;
        }
        owned.Committing();
        Touch();
        Write();
        var (started, began) = (settings.Time.GetTimestamp(), trace.Now);
        var outcome = log.Commit(owned.Offsets());
        trace.Step("commit", began);
        metrics.CommitDone(outcome, settings.Time.GetElapsedTime(started), settings.Time.GetElapsedTime(_began));
        switch (outcome)
        {
            case CommitOutcome.Committed:
                _confirmed = settings.Time.GetTimestamp();
                Confirmed(byTheLog: true);
                return true;
            case CommitOutcome.Waiting:
                return false;
            case CommitOutcome.Aborted:
                SendAgain("The commit was aborted; what is still owned is sent again.");
                return false;
            default:
                SendAgain(outcome == CommitOutcome.Fenced
                    ? "The producer was fenced or failed for good; it is rebuilt."
                    : "The outcome of the commit is unknown; the producer is rebuilt and the log asked.");
                log.Rebuild();
                if (!_transactional || !IntervalInLog.Contains(settings.Log, _engine, Outputs, owned.Live.Values)) return false;
                Confirmed(byTheLog: false);
                return true;
        }
    }

    /// <summary>A shard was lost: what it wrote must never be committed by us.</summary>
    public void Drop(int shard)
    {
        Outputs.Drop(s => s == shard);
        foreach (var request in _answers)
            if (request.Shard == shard) request.Fail(RequestStatus.Moved, $"shard {shard} was lost before the commit");
        _answers.RemoveAll(r => r.Shard == shard);
        if (State != IntervalState.Open) return;
        State = IntervalState.Stale;
        // What is still queued must not follow the next owner's records; a transaction sees to that by itself.
        if (!_transactional) Abort();
    }

    /// <summary>Aborts a transaction that holds outputs of a lost shard; the others' are written again.</summary>
    public void Settle()
    {
        if (State == IntervalState.Stale) Abort();
    }

    private void Abort()
    {
        if (log.Abort() is CommitOutcome.Fenced or CommitOutcome.Unknown) log.Rebuild();
        State = IntervalState.Filling;
    }

    private void SendAgain(string why)
    {
        State = IntervalState.Filling;
        _isRetried = true;
        _began = settings.Time.GetTimestamp();
        settings.Report(new WorkerEvent(true, why));
    }

    /// <summary>Everything is in the log, or no shard is left.</summary>
    /// <param name="byTheLog">
    /// Whether the commit itself was confirmed. Where the interval was only found in the log, another owner may have written the same: it
    /// makes the same decisions of the same events, but need not know of a request. Whoever asked asks again, with the same id, and is told
    /// what stands. </param>
    private void Confirmed(bool byTheLog)
    {
        foreach (var request in _answers)
            if (byTheLog) request.Release();
            else request.Fail(RequestStatus.Moved, "whose the shard was at the commit is not known");
        _answers.Clear();
        trace.End(byTheLog ? "committed" : "found", Outputs.Count);
        Outputs.Clear();
        owned.Committed();
        State = IntervalState.Empty;
        IsSilenced = _isRetried = false;
    }
}
