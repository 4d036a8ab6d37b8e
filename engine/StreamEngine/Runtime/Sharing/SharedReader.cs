using StreamEngine.Connectors;

namespace StreamEngine.Runtime;

/// <summary>
/// Follows the topic of shared numbers on a thread of its own, one per process, and gives what it reads to the board:
/// <code>
///  (1) begin    from the topic's beginning to its end; then the board is ready, and shards may go live
///  (2) follow   asks a few times a second where the topic ends, and reads what is new
///  (3) away     where the log does not answer, what was known holds: shards spend what they were granted, and no more
/// </code>
/// A topic that was made anew is read anew.
/// </summary>
internal sealed class SharedReader : IDisposable
{
    private readonly ILog _log;
    private readonly FollowedTopic _topic;
    private readonly SharedBoard _board;
    private readonly TimeSpan _refresh;
    private readonly Action<WorkerEvent> _report;
    private readonly FollowerThread _thread;

    /// <param name="log">The log.</param>
    /// <param name="options">The topic, and how often it is looked at.</param>
    /// <param name="board">Takes what is read.</param>
    /// <param name="time">Measures how long the topic is away.</param>
    /// <param name="report">Takes lines for the log.</param>
    public SharedReader(ILog log, SharingOptions options, SharedBoard board, TimeProvider time, Action<WorkerEvent> report)
    {
        (_log, _board, _refresh, _report) = (log, board, options.Refresh, report);
        _topic = new FollowedTopic(log, new TopicPartition(options.Topic, 0));
        _thread = new FollowerThread("shared", new Outage("topic of shared numbers", time, report), () => board.IsReady
            ? "Shards go on by the numbers that they know, and spend no more than they were granted."
            : "No shard goes live before it was read.", _topic.Dispose);
    }

    /// <summary>Begins, on a thread of its own.</summary>
    public void Start() => _thread.Start(Turn);

    /// <summary>One look at the topic, as the class says.</summary>
    /// <returns>How long to rest before the next one.</returns>
    /// <exception cref="LogException">The log does not answer.</exception>
    internal TimeSpan Turn()
    {
        if (_topic.Next < 0)
        {
            if (_log.Partitions(_topic.Partition.Topic) == 0)
                throw new LogException($"the topic '{_topic.Partition.Topic}' does not exist; 'topics create' makes it");
            _topic.Begin();
        }
        try
        {
            switch (_topic.Look(out var end))
            {
                case TopicLook.Anew:
                    return BeginAnew(end);
                case TopicLook.Read:
                    _topic.Read(end, (batch, position) => _board.Take(batch, end, position), _thread.Stop);
                    _board.ReadTo(_topic.Next);
                    _board.Publish(isComplete: _topic.Next >= end);
                    break;
            }
        }
        catch (OffsetOutOfRangeException e)
        {
            return BeginAnew(e.High);
        }
        return _refresh;
    }

    /// <inheritdoc/>
    public void Dispose() => _thread.Dispose();

    private TimeSpan BeginAnew(long end)
    {
        _report(new WorkerEvent(true, $"The topic of shared numbers '{_topic.Partition.Topic}' was made anew: it ends at offset {end} and "
            + $"was read to {_topic.Next}. Shards that are live write their numbers again; what others had written is gone."));
        _board.Forget();
        _topic.BeginAnew();
        return TimeSpan.Zero;
    }
}
