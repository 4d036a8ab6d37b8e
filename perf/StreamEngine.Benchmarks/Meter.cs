using System.Diagnostics;

namespace StreamEngine.Benchmarks;

/// <summary>What one benchmark costs.</summary>
/// <param name="Name">Class and method.</param>
/// <param name="Nanoseconds">Per operation.</param>
/// <param name="Ratio">In units of <see cref="Calibration"/>.</param>
/// <param name="Bytes">Allocated per operation.</param>
internal sealed record Reading(string Name, double Nanoseconds, double Ratio, double Bytes);

/// <summary>
/// Measures a benchmark against the calibration in turn, in samples of about a millisecond, and takes the best of each: what else runs on
/// the machine only adds time, and a short sample has a chance to be left alone.
/// </summary>
internal sealed class Meter
{
    private const int Rounds = 400;
    private static readonly TimeSpan Sample = TimeSpan.FromMilliseconds(1);

    private readonly Calibration _calibration = new();

    public Reading Measure(string name, Action run, int operations)
    {
        // Long enough for the compiler's tiers, and for buffers to reach their size.
        Repeat(run, TimeSpan.FromSeconds(1));
        Thread.Sleep(200);
        Repeat(run, TimeSpan.FromMilliseconds(500));
        Action calibrate = () => _calibration.Work();
        Repeat(calibrate, TimeSpan.FromMilliseconds(300));
        var (times, units) = (Times(run), Times(calibrate));

        var (best, unit) = (double.MaxValue, double.MaxValue);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < Rounds; round++)
        {
            unit = Math.Min(unit, Time(calibrate, units));
            best = Math.Min(best, Time(run, times));
        }
        var bytes = (GC.GetAllocatedBytesForCurrentThread() - before) / ((double)Rounds * times * operations);
        return new Reading(name, best / operations, best / operations / unit, bytes);
    }

    /// <summary>How many runs fill a sample.</summary>
    private static int Times(Action run)
    {
        var once = Enumerable.Range(0, 5).Min(_ => Time(run, 1));
        return (int)Math.Clamp(Sample.TotalNanoseconds / once, 1, 1_000_000);
    }

    private static double Time(Action run, int times)
    {
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < times; i++) run();
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / times;
    }

    private static void Repeat(Action run, TimeSpan time)
    {
        var start = Stopwatch.GetTimestamp();
        do run();
        while (Stopwatch.GetElapsedTime(start) < time);
    }
}
