using System.Threading.Channels;
using StreamEngine.Connectors;

namespace StreamEngine.Host.Collector;

/// <summary>
/// Writes the batches of requests to the log from one thread, by the log's own writer: keyed, placed by murmur2, acknowledged by all
/// replicas. What has come while the log was busy is written together with the next flush, so that many small requests cost as little as a
/// large one. A batch has ended when it is durable, or when the log says that it could not be written.
/// </summary>
/// <remarks>
/// A bounded <see cref="Channel{T}"/> and a thread, not a stream of Akka: on one machine nothing of Akka is loaded, and the two logs have
/// one blocking writer, so that a stream would be a queue before the same thread. What is bounded is the memory (<see
/// cref="MemoryBudget"/>).
/// </remarks>
internal sealed class EventQueue : IDisposable
{
    /// <summary>Requests that may wait; their bytes are bounded before.</summary>
    private const int MostWaiting = 65_536;

    /// <summary>Bytes after which a flush is due, although more is waiting.</summary>
    private const int FlushBytes = 4 << 20;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200), Grace = TimeSpan.FromSeconds(5);

    private readonly Channel<EventBatch> _channel = Channel.CreateBounded<EventBatch>(new BoundedChannelOptions(MostWaiting)
    {
        SingleReader = true,
    });

    private readonly Func<ILogWriter> _open;
    private readonly Action<EventBatch, bool> _ended;
    private readonly CollectorMetrics _metrics;
    private readonly Action<string> _say;
    private readonly CancellationTokenSource _stop = new();
    private readonly Thread _thread;

    /// <summary>Prepares to write.</summary>
    /// <param name="open">Opens the log's writer.</param>
    /// <param name="ended">Told of each batch that has ended, and whether it is in the log, before its requests are.</param>
    /// <param name="metrics">Counts.</param>
    /// <param name="say">Told of a failure, for the log.</param>
    public EventQueue(Func<ILogWriter> open, Action<EventBatch, bool> ended, CollectorMetrics metrics, Action<string> say)
    {
        (_open, _ended, _metrics, _say) = (open, ended, metrics, say);
        _thread = new Thread(Work) { Name = "collector", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Hands a batch over; false where the queue is full or closed.</summary>
    public bool TryAdd(EventBatch batch) => _channel.Writer.TryWrite(batch);

    /// <summary>Takes nothing more, and waits for what was taken; false where the log does not take it in time.</summary>
    public bool Close(TimeSpan patience)
    {
        _channel.Writer.TryComplete();
        return _thread.Join(patience);
    }

    public void Dispose()
    {
        _channel.Writer.TryComplete();
        _stop.Cancel(); // a log that is away is not waited for: its own stop ends the flush
        _thread.Join(Grace);
    }

    private void Work()
    {
        var taken = new List<EventBatch>();
        ILogWriter? writer = null;
        while (_channel.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            try
            {
                writer ??= _open();
                WriteWhatWaits(writer, taken);
                End(taken, true);
            }
            catch (Exception e) when (e is LogException or OperationCanceledException)
            {
                // Nobody knows how much of it arrived: those who sent it are told to send it again.
                var events = taken.Sum(b => b.Records.Count);
                End(taken, false);
                if (e is LogException && events > 0) _say($"{events} collected events could not be written: {e.Message}");
                writer = Close(writer);
                _stop.Token.WaitHandle.WaitOne(Pause);
            }
        }
        Close(writer);
    }

    private void WriteWhatWaits(ILogWriter writer, List<EventBatch> taken)
    {
        var bytes = 0L;
        var began = TimeProvider.System.GetTimestamp();
        while (bytes < FlushBytes && _channel.Reader.TryRead(out var batch))
        {
            bytes += batch.Length;
            if (TryWrite(writer, batch)) taken.Add(batch);
            else End([batch], false);
        }
        writer.Flush();
        _metrics.Written(TimeProvider.System.GetElapsedTime(began));
    }

    /// <summary>A record that the log refuses fails its own request, and no other.</summary>
    private bool TryWrite(ILogWriter writer, EventBatch batch)
    {
        try
        {
            foreach (var r in batch.Records)
                writer.Write(batch.Topic, batch.Buffer.AsSpan(r.Key, r.KeyLength), batch.Buffer.AsSpan(r.Value, r.ValueLength),
                    batch.Arrived);
            return true;
        }
        catch (LogException e)
        {
            _say($"{batch.Records.Count} collected events could not be written: {e.Message}");
            return false;
        }
    }

    private void End(List<EventBatch> batches, bool written)
    {
        foreach (var batch in batches)
        {
            _ended(batch, written);
            batch.End(written);
        }
        batches.Clear();
    }

    private ILogWriter? Close(ILogWriter? writer)
    {
        try
        {
            writer?.Dispose();
        }
        catch (LogException e)
        {
            _say($"the collector's writer was not closed in order: {e.Message}");
        }
        return null;
    }
}
