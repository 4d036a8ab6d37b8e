using System.Diagnostics;

namespace StreamEngine.Benchmarks.Processes;

/// <summary>Writes events at a steady rate, on a thread of its own, until it is disposed.</summary>
internal sealed class EventFeed : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Thread _feeding;

    private EventFeed(EventLoad load, int perSecond)
    {
        _feeding = new Thread(() => Feed(load, perSecond)) { IsBackground = true, Name = "event-feed" };
        _feeding.Start();
    }

    /// <summary>Begins.</summary>
    public static EventFeed Start(EventLoad load, int perSecond) => new(load, perSecond);

    public void Dispose()
    {
        _stop.Cancel();
        _feeding.Join();
        _stop.Dispose();
    }

    private void Feed(EventLoad load, int perSecond)
    {
        var started = Stopwatch.GetTimestamp();
        for (var written = 0L; !_stop.IsCancellationRequested;)
        {
            var due = (long)(Stopwatch.GetElapsedTime(started).TotalSeconds * perSecond);
            if (due > written)
            {
                load.Write((int)(due - written));
                written = due;
            }
            _stop.Token.WaitHandle.WaitOne(5);
        }
    }
}
