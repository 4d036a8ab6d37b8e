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
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(250);

    private readonly ControlTopic _topic;
    private readonly FollowedTopic _followed;
    private readonly SwitchBoard _board;
    private readonly Action<WorkerEvent> _report;
    private readonly FollowerThread _thread;
    private int _behindHeard;     // looks in a row at which it ended before what another process told of it
    private bool _toldMissing;

    /// <param name="log">The log.</param>
    /// <param name="topic">The control topic's name.</param>
    /// <param name="board">Takes what is read.</param>
    /// <param name="time">Measures how long the topic is away.</param>
    /// <param name="report">Takes lines for the log.</param>
    public ControlReader(ILog log, string topic, SwitchBoard board, TimeProvider time, Action<WorkerEvent> report)
    {
        (_topic, _board, _report) = (new ControlTopic(log, topic), board, report);
        _followed = new FollowedTopic(log, _topic.Partition);
        _thread = new FollowerThread("control", new Outage("control topic", time, report), () => board.IsReady
            ? "What was switched off stays off, and nothing new is heard." : "No shard goes live before it was read.", _followed.Dispose);
    }

    /// <summary>Begins, on a thread of its own.</summary>
    public void Start() => _thread.Start(Turn);

    /// <summary>One look at the topic, as the class says.</summary>
    /// <returns>How long to rest before the next one.</returns>
    /// <exception cref="LogException">The log does not answer.</exception>
    internal TimeSpan Turn()
    {
        try
        {
            if (_followed.Next < 0 && !Begin()) return FollowerThread.Missing;
            return _followed.Look(out var end) switch
            {
                TopicLook.Anew => BeginAnew(end),
                TopicLook.Shorter => Every,
                _ => Read(end),
            };
        }
        catch (OffsetOutOfRangeException)
        {
            _followed.BeginAnew(); // the topic is cut or made anew: read from where it begins now
            return Every;
        }
    }

    private TimeSpan Read(long end)
    {
        _topic.Read(_followed.Next, end, record => _board.Offer(record), text => _report(new WorkerEvent(true, text)), _thread.Stop);
        _followed.ReadTo(end);
        _board.ReadTo(_followed.Next);
        // Another process read it there; where it stays away, the log has lost it.
        _behindHeard = _board.IsAheadOf(end) ? _behindHeard + 1 : 0;
        if (_behindHeard >= FollowedTopic.ShorterLooks) _board.EndsAt(end);
        _board.Ready();
        return Every;
    }

    private TimeSpan BeginAnew(long end)
    {
        _report(new WorkerEvent(true, $"The control topic '{_topic.Name}' was made anew: it ends at offset {end} and was read to "
            + $"{_followed.Next}. What it says now holds."));
        _board.Forget();
        _followed.BeginAnew();
        return TimeSpan.Zero;
    }

    /// <inheritdoc/>
    public void Dispose() => _thread.Dispose();

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
        _followed.Begin();
        _board.Follow(_followed.Id);
        return true;
    }
}
