using System.Text;
using StreamEngine.Connectors;
using StreamEngine.Events;

namespace StreamEngine.Host.Demo;

/// <summary>
/// Writes shop events to the log at a steady rate from one thread: an open loop, so that a slow engine shows as lag, not as fewer events.
/// </summary>
internal sealed class Producer : IDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(5);

    private readonly ILog _log;
    private readonly string _topic;
    private readonly Shop _shop;
    private readonly RecordFormat _format;
    private readonly double _rate, _speed;
    private readonly long _start;
    private readonly CancellationTokenSource _stop = new();
    private readonly Thread _thread;
    private long _written, _burst;

    /// <summary>Prepares to write.</summary>
    /// <param name="log">The log.</param>
    /// <param name="topic">The topic of the events.</param>
    /// <param name="shop">Makes the events.</param>
    /// <param name="format">How they are written.</param>
    /// <param name="rate">Events a second.</param>
    /// <param name="speed">Seconds of shop time in one second.</param>
    /// <param name="start">Shop time of the first event, ms.</param>
    public Producer(ILog log, string topic, Shop shop, RecordFormat format, double rate, double speed, long start)
    {
        (_log, _topic, _shop, _format, _rate, _speed, _start) = (log, topic, shop, format, rate, speed, start);
        _thread = new Thread(Write) { Name = "demo-producer", IsBackground = true };
    }

    /// <summary>Events written so far.</summary>
    public long Written => Interlocked.Read(ref _written);

    /// <summary>Why writing ended before it was told to; null while all is well.</summary>
    public LogException? Failure { get; private set; }

    public void Start() => _thread.Start();

    /// <summary>Has this many events more written as fast as the log takes them.</summary>
    public void Burst(long events) => Interlocked.Add(ref _burst, events);

    /// <summary>Ends the writing; what was written is durable.</summary>
    public void Stop()
    {
        _stop.Cancel();
        if ((_thread.ThreadState & System.Threading.ThreadState.Unstarted) == 0) _thread.Join();
    }

    public void Dispose()
    {
        Stop();
        _stop.Dispose();
    }

    private void Write()
    {
        try
        {
            using var writer = _log.OpenWriter();
            using var encoder = new ShopEventWriter(_format);
            var key = new byte[64];
            var begun = TimeProvider.System.GetTimestamp();
            while (!_stop.Token.WaitHandle.WaitOne(Tick))
            {
                var due = (long)(TimeProvider.System.GetElapsedTime(begun).TotalSeconds * _rate) + Interlocked.Read(ref _burst);
                if (due == _written) continue;
                while (_written < due && !_stop.IsCancellationRequested)
                {
                    var e = _shop.Next(_start + (long)(_written * 1_000 * _speed / _rate));
                    var length = Encoding.UTF8.GetBytes(e.CustomerId, key);
                    writer.Write(_topic, key.AsSpan(0, length), encoder.Write(e), e.Time);
                    Interlocked.Increment(ref _written);
                }
                writer.Flush();
            }
        }
        catch (LogException e)
        {
            Failure = e;
        }
    }
}
