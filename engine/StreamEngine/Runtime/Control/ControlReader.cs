using StreamEngine.Connectors;

namespace StreamEngine.Runtime;

/// <summary>
/// Follows the control topic on a thread of its own, one per process, and offers what it reads to the board:
/// <code>
///  (1) begin    from the topic's beginning to its end; then the board is ready, and shards may go live
///  (2) follow   asks a few times a second where the topic ends, and reads what is new
///  (3) away     where the log does not answer, what was known holds; it is told, and asked again
/// </code>
/// A topic that does not exist is an empty one, looked for again until it is there. One that was made anew is read anew: its id tells, and
/// where the log has no ids, that it ends before what was read of it.
/// </summary>
internal sealed class ControlReader : IDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(250), Missing = TimeSpan.FromSeconds(2);
    private const int ShorterLooks = 20, LooksPerId = 20;
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(10);

    private readonly ILog _log;
    private readonly ControlTopic _topic;
    private readonly SwitchBoard _board;
    private readonly Action<WorkerEvent> _report;
    private readonly Outage _outage;
    private readonly CancellationTokenSource _stop = new();
    private Thread? _thread;
    private long _next = -1;      // the next offset to read; -1 before the topic was there
    private string? _topicId;     // of the topic that was read up to there; null where the log has no ids
    private int _shorter;         // looks in a row at which the topic ended before that
    private int _behindHeard;     // looks in a row at which it ended before what another process told of it
    private int _looks;           // since it was last asked which topic it is
    private bool _toldMissing;

    /// <param name="log">The log.</param>
    /// <param name="topic">The control topic's name.</param>
    /// <param name="board">Takes what is read.</param>
    /// <param name="time">Measures how long the topic is away.</param>
    /// <param name="report">Takes lines for the log.</param>
    public ControlReader(ILog log, string topic, SwitchBoard board, TimeProvider time, Action<WorkerEvent> report)
    {
        (_log, _topic, _board, _report) = (log, new ControlTopic(log, topic), board, report);
        _outage = new Outage("control topic", time, report);
    }

    /// <summary>Begins, on a thread of its own.</summary>
    public void Start()
    {
        _thread = new Thread(Run) { Name = "control", IsBackground = true };
        _thread.Start();
    }

    /// <summary>One look at the topic, as the class says.</summary>
    /// <returns>How long to rest before the next one.</returns>
    /// <exception cref="LogException">The log does not answer.</exception>
    internal TimeSpan Turn()
    {
        if (_next < 0 && !Begin()) return Missing;
        var end = _log.Ends([_topic.Partition])[0];
        if ((end != _next || ++_looks >= LooksPerId) && IsAnother()) return BeginAnew(end);
        _shorter = end < _next ? _shorter + 1 : 0;
        // A broker that has just started may know less of the topic's end for a moment.
        if (_shorter is > 0 and < ShorterLooks) return Every;
        if (_shorter > 0) return BeginAnew(end);
        _topic.Read(_next, end, record => _board.Offer(record), text => _report(new WorkerEvent(true, text)), _stop.Token);
        _next = Math.Max(_next, end);
        _board.ReadTo(_next);
        // Another process read it there; where it stays away, the log has lost it.
        _behindHeard = _board.IsAheadOf(end) ? _behindHeard + 1 : 0;
        if (_behindHeard >= ShorterLooks) _board.EndsAt(end);
        _board.Ready();
        return Every;
    }

    private bool IsAnother()
    {
        _looks = 0;
        return _topicId is not null && _log.TopicId(_topic.Name) is { } id && id != _topicId;
    }

    private TimeSpan BeginAnew(long end)
    {
        _report(new WorkerEvent(true, $"The control topic '{_topic.Name}' was made anew: it ends at offset {end} and was read to "
            + $"{_next}. What it says now holds."));
        _board.Forget();
        (_next, _shorter) = (-1, 0);
        return TimeSpan.Zero;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Cancel();
        // It may wait for a log that is away; the process ends without it then.
        if (_thread?.Join(EndPatience) != false) _stop.Dispose();
    }

    /// <summary>Finds where the topic begins; false while it does not exist.</summary>
    private bool Begin()
    {
        if (!_topic.Exists)
        {
            if (!_toldMissing)
                _report(new WorkerEvent(false, $"The control topic '{_topic.Name}' does not exist, so everything is on. 'topics create' "
                    + "makes it; it is followed then."));
            _toldMissing = true;
            _board.Ready();
            return false;
        }
        if (_topic.Fault is { } fault) throw new LogException(fault);
        _topicId = _log.TopicId(_topic.Name);
        _next = _log.Watermarks(_topic.Partition).Low;
        _board.Follow(_topicId);
        return true;
    }

    private void Run()
    {
        var rest = TimeSpan.Zero;
        while (!_stop.Token.WaitHandle.WaitOne(rest))
        {
            try
            {
                rest = Turn();
                _outage.Back();
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (OffsetOutOfRangeException)
            {
                _next = -1; // the topic is cut or made anew: read from where it begins now
            }
            catch (Exception e)
            {
                // Whatever it is: what was known holds, and the loops need no topic for it.
                _outage.Away(e.Message, _board.IsReady ? "What was switched off stays off, and nothing new is heard."
                    : "No shard goes live before it was read.");
                rest = Missing;
            }
        }
    }
}
