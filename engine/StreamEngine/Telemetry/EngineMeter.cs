using System.Diagnostics.Metrics;

namespace StreamEngine.Telemetry;

/// <summary>The engine's meter: every instrument is made from it, so one name switches all of them on.</summary>
public static class EngineMeter
{
    /// <summary>The meter's name, for <c>AddMeter</c>.</summary>
    public const string Name = "StreamEngine";

    /// <summary>Bounds of histograms of durations, seconds: 0.1 ms to 10 s.</summary>
    public static IReadOnlyList<double> DurationBounds { get; } =
        [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    /// <summary>Makes a meter; an engine owns one and disposes it.</summary>
    public static Meter Create() => new(Name);
}
