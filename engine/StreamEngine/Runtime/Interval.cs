using StreamEngine.Connectors;
using StreamEngine.Decisions;
using StreamEngine.Runtime.Requests;
using StreamEngine.Telemetry;

namespace StreamEngine.Runtime;

/// <summary>Where the interval stands that is being filled.</summary>
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
/// The commit intervals of a worker: one that its shards fill, and the one before it, whose commit may still be under way. A commit does
/// not hold up the loop: what is processed meanwhile fills the next interval, which is written once the commit has ended. State can't be
/// rolled back, so what was written is kept until its commit is confirmed; where the commit failed it is sent again, byte for byte, without
/// the outputs of shards that were lost meanwhile, and together with what has come since.
/// <code>
/// Empty ──Touch──▶ Filling ──Write──▶ Open ──Seal──▶ Empty, and a commit is under way
///                     ▲                 └──Drop──▶ Stale      │confirmed: done with
///                     ├──────────Settle (abort)──────┘        │
///                     └──────────────failed: sent again───────┘
/// </code>
/// Answers to requests wait for the commit of what they tell; a waiting answer brings the commit forward.
/// How the two deliveries differ is in here: without transactions there is nothing to look up after a commit that failed, and what was
/// written and not yet sent for a lost shard is dropped at once.
/// </summary>
internal sealed class Interval(WorkerSettings settings, ILogWorker log, OwnedShards owned, EngineMetrics metrics, IntervalTrace trace)
{
    /// <summary>How long a loop without room waits for a commit before it polls again, without fetching.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly CompiledEngine _engine = settings.Engine;
    private readonly bool _transactional = settings.Engine.Options.Runtime.Delivery == Delivery.ExactlyOnce;
    // What was written and is not confirmed.
    private readonly OutputBuffer _kept = new() { Untraced = settings.Engine.Outputs.Checkpoints };
    private readonly List<ShardRequest> _answers = [];
    private readonly List<ShardRequest> _sealedAnswers = [];
    private readonly List<CustomerNews> _news = [];
    private readonly List<CustomerNews> _sealedNews = [];
    private int _written;          // of what is kept, what the transaction holds that is open or under way
    private bool _isRetried;       // a commit failed: the next try comes after an interval, however many wait
    private bool _silenced, _sealedSilence;
    private bool _committed;       // since somebody asked
    private long _began, _sealedBegan;
    private long _asked;           // when the commit under way began
    private long _confirmed;       // when the last commit that was confirmed began; 0 before the first

    /// <summary>What the shards have written since the last <see cref="Write"/>.</summary>
    public OutputBuffer Outputs { get; } = new() { MaxRecordBytes = log.MaxOutputBytes };

    /// <summary>Where the one stands that is being filled.</summary>
    public IntervalState State { get; private set; }

    /// <summary>Whether a commit is under way.</summary>
    public bool IsCommitting { get; private set; }

    /// <summary>Whether nothing is to be committed.</summary>
    public bool IsEmpty => State == IntervalState.Empty && !IsCommitting;

    /// <summary>
    /// Whether its outputs have grown to the limit: nothing more is fetched before they are committed. What a commit under way holds counts
    /// by itself, but for one that failed before: then nothing more is taken on until it succeeds.
    /// </summary>
    public bool IsFull => Outputs.Bytes + (IsCommitting && !_isRetried ? 0 : _kept.Bytes) > _engine.Options.Runtime.MaxIntervalBytes.Bytes;

    /// <summary>Whether it is time to commit it.</summary>
    public bool IsDue => State != IntervalState.Empty && !IsCommitting && Left <= TimeSpan.Zero;

    /// <summary>
    /// The time until it should be committed; of no meaning while it is empty or another is under way. An answer that waits brings it
    /// forward, but for a retry.
    /// </summary>
    public TimeSpan Left => _answers.Count > 0 && !_isRetried
        ? TimeSpan.Zero
        : _engine.Options.Runtime.CommitInterval - settings.Time.GetElapsedTime(_began);

    /// <summary>Whether a mark of silence is not committed yet.</summary>
    public bool IsSilenced => _silenced || _sealedSilence;

    /// <summary>Something is to be committed from now on.</summary>
    public void Touch()
    {
        if (State != IntervalState.Empty) return;
        State = IntervalState.Filling;
        _began = settings.Time.GetTimestamp();
    }

    /// <summary>A mark of silence was written, or may be among what was.</summary>
    public void TouchBySilence()
    {
        Touch();
        _silenced = true;
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

    /// <summary>Something about a customer that somebody watches: it is told with the commit, which it does not bring forward.</summary>
    public void Tell(CustomerNews news)
    {
        Touch();
        _news.Add(news);
    }

    /// <summary>
    /// Whether the last confirmed commit began so recently that nobody else can be taken for the owner yet. A third of what the log grants
    /// is left for clocks that run apart.
    /// </summary>
    private bool OwnsForNow => _confirmed != 0 && State != IntervalState.Stale
        && (log.Lease == Timeout.InfiniteTimeSpan || settings.Time.GetElapsedTime(_confirmed) < log.Lease * 2 / 3);

    /// <summary>
    /// Writes the new outputs into the transaction, which it opens where none is. While a commit is under way they wait for its end.
    /// </summary>
    public void Write()
    {
        if (State == IntervalState.Empty || IsCommitting) return;
        if (State == IntervalState.Filling)
        {
            log.Begin();
            State = IntervalState.Open;
            _written = 0;
        }
        _kept.TakeFrom(Outputs);
        if (_written == _kept.Count) return;
        var began = trace.Now;
        _kept.TraceParent = trace.Parent;
        log.Write(_kept, _written, _kept.Count);
        _written = _kept.Count;
        trace.Step("write", began);
    }

    /// <summary>
    /// Begins to commit outputs, decisions and the offsets of every shard together. Only while no other commit is under way.
    /// </summary>
    public void Seal()
    {
        Settle();
        if (owned.Count == 0)
        {
            // Every shard is gone, and with them what they wrote: nothing may be committed for them.
            if (State == IntervalState.Open) Abort();
            Outputs.Clear();
            Close();
            Confirmed(byTheLog: false);
            return;
        }
        owned.Seal();
        Touch();
        Write();
        _asked = settings.Time.GetTimestamp();
        log.BeginCommit(owned.Offsets());
        Close();
        IsCommitting = true;
        if (!_transactional) End(Timeout.InfiniteTimeSpan); // no log tells by itself that it has taken everything
    }

    /// <summary>
    /// Takes in what has happened: a commit that has ended, a transaction that holds outputs of a lost shard and is therefore aborted.
    /// </summary>
    public void Settle()
    {
        if (IsCommitting) End(_transactional ? TimeSpan.Zero : Timeout.InfiniteTimeSpan);
        if (State == IntervalState.Stale) Abort();
    }

    /// <summary>Commits everything, and waits for it; false where that is still to be done.</summary>
    public bool TryCommit()
    {
        if (IsCommitting && !End(Timeout.InfiniteTimeSpan)) return false;
        if (State == IntervalState.Empty) return true;
        Seal();
        return !IsCommitting ? IsEmpty : End(Timeout.InfiniteTimeSpan);
    }

    /// <summary>Lets the commit under way end and the next one begin; false where there is still no room then.</summary>
    public bool MakeRoom()
    {
        if (IsCommitting && !End(Patience) && IsCommitting) return false;
        if (IsFull) Seal();
        return !IsFull;
    }

    /// <summary>Whether a commit was confirmed since this was asked last.</summary>
    public bool TakeCommitted()
    {
        var committed = _committed;
        _committed = false;
        return committed;
    }

    /// <summary>A shard was lost: what it wrote must not be sent by us again, or at all.</summary>
    public void Drop(int shard)
    {
        // What a commit under way holds is committed or not, as a whole: if not, the shard's part stays out of the next try.
        Outputs.Drop(s => s == shard);
        _kept.Drop(s => s == shard);
        foreach (var answers in new[] { _answers, _sealedAnswers })
        {
            foreach (var request in answers)
                if (request.Shard == shard) request.Fail(RequestStatus.Moved, $"shard {shard} was lost before the commit");
            answers.RemoveAll(r => r.Shard == shard);
        }
        _news.RemoveAll(n => n.Shard.Partition == shard);
        _sealedNews.RemoveAll(n => n.Shard.Partition == shard);
        if (State == IntervalState.Open) State = IntervalState.Stale;
        // What is still queued must not follow the next owner's records; a transaction sees to that by itself.
        if (_transactional || State != IntervalState.Stale && !IsCommitting) return;
        if (IsCommitting) Again();
        Abort();
    }

    /// <summary>Waits for the end of the commit under way; whether it is confirmed.</summary>
    private bool End(TimeSpan patience)
    {
        var outcome = log.EndCommit(patience);
        if (outcome == CommitOutcome.Waiting) return false;
        trace.Committed();
        metrics.CommitDone(outcome, settings.Time.GetElapsedTime(_asked), settings.Time.GetElapsedTime(_sealedBegan));
        switch (outcome)
        {
            case CommitOutcome.Committed:
                // Not now: this may be told long after it happened, to a process that stood still meanwhile.
                _confirmed = _asked;
                Confirmed(byTheLog: true);
                return true;
            case CommitOutcome.Aborted:
                SendAgain("The commit was aborted; what is still owned is sent again.");
                return false;
            default:
                var why = outcome == CommitOutcome.Fenced
                    ? "The producer was fenced or failed for good; it is rebuilt."
                    : "The outcome of the commit is unknown; the producer is rebuilt and the log asked.";
                log.Rebuild();
                if (!_transactional || !IntervalInLog.Contains(settings.Log, _engine, _kept, owned.Live.Values))
                {
                    SendAgain(why);
                    return false;
                }
                settings.Report(new WorkerEvent(true, why));
                Confirmed(byTheLog: false);
                return true;
        }
    }

    /// <summary>What was filled is sealed; what comes now belongs to the next one.</summary>
    private void Close()
    {
        (_sealedBegan, _sealedSilence, _silenced) = (_began, IsSilenced, false);
        _sealedAnswers.AddRange(_answers);
        _answers.Clear();
        _sealedNews.AddRange(_news);
        _news.Clear();
        trace.Seal();
        State = IntervalState.Empty;
    }

    private void Abort()
    {
        if (log.Abort() is CommitOutcome.Fenced or CommitOutcome.Unknown) log.Rebuild();
        State = IntervalState.Filling;
    }

    private void SendAgain(string why)
    {
        _isRetried = true;
        Again();
        settings.Report(new WorkerEvent(true, why));
    }

    /// <summary>What was under way is to be written anew, and what has come since goes with it.</summary>
    private void Again()
    {
        IsCommitting = false;
        State = IntervalState.Filling;
        _began = settings.Time.GetTimestamp();
        (_silenced, _sealedSilence) = (IsSilenced, false);
        _answers.InsertRange(0, _sealedAnswers);
        _sealedAnswers.Clear();
        _news.InsertRange(0, _sealedNews);
        _sealedNews.Clear();
        trace.Again();
    }

    /// <summary>Everything sealed is in the log, or no shard is left.</summary>
    /// <param name="byTheLog">
    /// Whether the commit itself was confirmed. Where the interval was only found in the log, another owner may have written the same: it
    /// makes the same decisions of the same events, but need not know of a request. Whoever asked asks again, with the same id, and is told
    /// what stands. </param>
    private void Confirmed(bool byTheLog)
    {
        foreach (var request in _sealedAnswers)
            if (byTheLog) request.Release();
            else request.Fail(RequestStatus.Moved, "whose the shard was at the commit is not known");
        _sealedAnswers.Clear();
        // What is in the log is true, whoever wrote it.
        foreach (var news in _sealedNews) news.Release();
        _sealedNews.Clear();
        trace.End(byTheLog ? "committed" : "found", _kept.Count);
        _kept.Clear();
        owned.Committed();
        _committed = true;
        IsCommitting = _isRetried = _sealedSilence = false;
    }
}
