using System.Globalization;
using StreamEngine.Decisions;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Replay;

/// <summary>What is worth a warning once a replay is done: times that look wrong, nothing let in, limits, models that failed.</summary>
internal static class ReplayWarnings
{
    /// <summary>Tells them.</summary>
    /// <param name="run">The replay, after its last step.</param>
    /// <param name="reasons">Where the reasons of rejected records stand.</param>
    /// <param name="warn">Takes a line.</param>
    public static void Tell(FileRun run, string reasons, Action<string> warn)
    {
        run.TellRejected();
        foreach (var early in run.Source.Early) warn(early);
        if (run.Newest is null)
            warn(run.Source.Count == 0 ? "there is no record in the input"
                : run.Shard.Counters.Records == 0 ? $"none of the {run.Source.Count} records is at or before --as-of; the first is of "
                    + (run.Source.NextTime is { } first ? Text(first) : "no time")
                : $"no record was let in: {reasons}");
        var counts = run.Shard.Counters;
        if (counts.DuplicatesEvicted > 0)
            warn($"{run.Engine.Duplicates!.Evicting}; here {counts.DuplicatesEvicted} ids");
        if (counts.PlacementsCut > 0)
            warn($"{counts.PlacementsCut} placements had more than {Decision.MaxPlacementBytes} bytes and were cut");
        if (counts.ZonesUnknown > 0)
            warn($"in {counts.ZonesUnknown} decisions the customer's time zone was unknown or empty, and quiet hours went by 'otherwise'");
        foreach (var model in EngineMetrics.Fallbacks(run.Engine, counts).Where(f => f.Count > 0).GroupBy(f => f.Model))
            warn($"model {model.Key}: in {model.Sum(f => f.Count)} scores the offers' defaults stood in "
                + $"({string.Join(", ", model.Select(f => $"{f.Reason} {f.Count}"))}){Failure(run, model.Key)}");
    }

    /// <summary>A time, ms, as results have it.</summary>
    public static string Text(long ms) => DateTimeOffset.FromUnixTimeMilliseconds(ms)
        .ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private static string Failure(FileRun run, string model) => run.LastFailure(model) is { } failure ? $"; the newest: {failure}" : "";
}
