using StreamEngine.Inference;
using StreamEngine.Runtime;

namespace StreamEngine.Dashboard.Data;

/// <summary>What was so at one moment.</summary>
/// <param name="At">When.</param>
/// <param name="Totals">The shards' counts since the start.</param>
/// <param name="Lag">Records that are not committed yet, over all shards of this process.</param>
/// <param name="Watermarks">The event-time watermark of each partition.</param>
/// <param name="Decisions">From an interval's first record to its commit, over the time since the moment before.</param>
/// <param name="Requests">From a request to its answer, over the same time.</param>
/// <param name="Profiles">Profiles held.</param>
/// <param name="StateBytes">Memory of the state stores.</param>
/// <param name="Timers">Timers that wait.</param>
/// <param name="Shards">Shards owned.</param>
/// <param name="Models">The calls of each model, by its place.</param>
internal sealed record Sample(DateTimeOffset At, ShardCounters Totals, long Lag, IReadOnlyDictionary<int, DateTimeOffset> Watermarks,
    Latency Decisions, Latency Requests, long Profiles, long StateBytes, long Timers, int Shards, IReadOnlyList<ModelCalls> Models)
{
    /// <summary>The lowest watermark; null before the first event.</summary>
    public DateTimeOffset? Watermark => Watermarks.Count == 0 ? null : Watermarks.Values.Min();
}

/// <summary>The calls of a model.</summary>
/// <param name="Counts">What it was asked for since the start.</param>
/// <param name="Took">How long it took for a batch, over the time since the moment before.</param>
internal readonly record struct ModelCalls(ScoreCounts Counts, Latency Took);

/// <summary>How long something took.</summary>
/// <param name="Count">How often it was done.</param>
/// <param name="P50">The median, ms; not a number where it was never done.</param>
/// <param name="P99">The 99th percentile, ms.</param>
internal readonly record struct Latency(long Count, double P50, double P99)
{
    /// <summary>Nothing was done.</summary>
    public static Latency None { get; } = new(0, double.NaN, double.NaN);
}

/// <summary>A moment of a line.</summary>
/// <param name="Time">When, UTC.</param>
/// <param name="Value">How much.</param>
public sealed record Moment(DateTime Time, double Value);

/// <summary>A line of a chart.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Points">Its points in order.</param>
public sealed record Line(string Name, IReadOnlyList<Moment> Points);
