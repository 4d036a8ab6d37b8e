using System.Diagnostics;
using StreamEngine.Connectors;

namespace StreamEngine.SystemTests.Runs;

/// <summary>
/// Follows how far a run's events go and how far its group has committed them, on a thread of its own that is patient with a broker that is
/// away. It asks seldom: each question while a broker restarts may meet librdkafka's assertion (README, Limits).
/// </summary>
internal sealed class GroupWatch : IDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(250);
    private readonly Arena _arena;
    private readonly ManualResetEventSlim _stop = new();
    private readonly Thread _watching;
    private volatile long[] _ends, _committed;

    public GroupWatch(Arena arena, int partitions)
    {
        _arena = arena;
        _ends = _committed = new long[partitions];
        _watching = new Thread(Watch) { IsBackground = true, Name = "group-watch" };
        _watching.Start();
    }

    /// <summary>The partitions' ends as last seen.</summary>
    public long[] Ends => _ends;

    /// <summary>Waits until the group has committed this much of each partition.</summary>
    /// <exception cref="TimeoutException">It does not come that far.</exception>
    public async Task Passes(long[] target, TimeSpan patience)
    {
        var started = Stopwatch.GetTimestamp();
        while (_committed.Zip(target).Any(p => p.First < p.Second))
        {
            if (Stopwatch.GetElapsedTime(started) > patience)
                throw new TimeoutException($"after {patience.TotalSeconds} s the group stands at [{string.Join(", ", _committed)}], short "
                    + $"of [{string.Join(", ", target)}]");
            await Task.Delay(20);
        }
    }

    public void Dispose()
    {
        _stop.Set();
        _watching.Join();
        _stop.Dispose();
    }

    private void Watch()
    {
        using var log = _arena.OpenLog();
        while (!_stop.Wait(Every))
        {
            try
            {
                var offsets = _arena.Offsets(log);
                (_ends, _committed) = ([.. offsets.Select(p => p.End)], [.. offsets.Select(p => p.Committed)]);
            }
            catch (LogException)
            {
                // The broker is away for long: asked again.
            }
        }
    }
}
