using System.Globalization;

namespace StreamEngine.Testing;

/// <summary>
/// The processor's time of a piece of work: unlike the clock's, it does not grow where other tests keep the processor busy.
/// </summary>
public static class ThreadTime
{
    /// <summary>What the work takes on this thread; the work must not go on on another one. Off Linux, the time on the clock.</summary>
    public static TimeSpan Of(Action work)
    {
        ArgumentNullException.ThrowIfNull(work);
        var before = Now();
        work();
        return Now() - before;
    }

    private static TimeSpan Now()
    {
        // proc_pid_schedstat(5): nanoseconds on the processor, nanoseconds of waiting for it, and how often.
        const string Stat = "/proc/thread-self/schedstat";
        if (!File.Exists(Stat)) return TimeProvider.System.GetElapsedTime(0);
        return TimeSpan.FromMicroseconds(long.Parse(File.ReadAllText(Stat).Split(' ')[0], CultureInfo.InvariantCulture) / 1_000.0);
    }
}
