using System.CommandLine;
using System.Text;
using System.Text.Json.Nodes;
using StreamEngine.Configuration;
using StreamEngine.Decisions;
using StreamEngine.Events;
using StreamEngine.Host.Budgets;
using StreamEngine.Host.Cli;
using StreamEngine.Host.Configuration;
using StreamEngine.Runtime;
using StreamEngine.State;

namespace StreamEngine.Host.Replay;

/// <summary><c>replay</c>: the whole engine over files, as fast as it can, with every output as a file.</summary>
internal static class ReplayCommand
{
    private static readonly Option<string> Config = SharedOptions.Config();
    private static readonly Option<string> Out = new("--out", "-o")
    {
        Description = "The folder for the results; made where it is missing, "
        + "and results that are there are overwritten.",
        Required = true,
        HelpName = "DIR"
    };
    private static readonly Option<DateTimeOffset?> AsOf = FileArguments.Time("--as-of",
        "Leaves out events after this time, and gives the features as of it; the newest event's time where absent.");

    public static Command Make() => Invocation.Act(
        new Command("replay", "Runs the whole engine over files in event-time order and writes actions, decisions, features, dead letters "
            + "and a summary. The same input gives the same bytes.")
        {
            Config, FileArguments.Events, Out, AsOf, TableFiles.Tables, FileArguments.Memory,
        },
        call => Run(call));

    private static int Run(Invocation call)
    {
        var errors = new ConfigErrors();
        var config = TableFiles.In(call.Load(Config, errors), call.Get(TableFiles.Tables), errors);
        using var run = FileRun.Open(config, call.Get(FileArguments.Events)!, FileArguments.MemoryOf(call), errors,
            line => call.Say(LogLevel.Warning, line));
        TableText.Say(call, run.Engine);
        var directory = ResultPath.Folder(Out.Name, call.Get(Out)!);
        ResultPath.SpareInputs(Out.Name, directory, run.Inputs);
        var started = TimeProvider.System.GetTimestamp();
        var asOf = call.Get(AsOf)?.ToUnixTimeMilliseconds();
        try
        {
            ProgressView.Show(call, progress => Replay(run, directory, asOf, progress, call.Stop));
        }
        catch (OperationCanceledException) when (call.Stop.IsCancellationRequested)
        {
            call.Say(LogLevel.Error, run.Loaded ? $"stopped after {run.Source.Position} records; the results in {directory} are incomplete"
                : $"stopped while reading, after {run.Source.Count} records; nothing was written to {directory}");
            return ExitCode.Interrupted;
        }
        var summary = Summary(run, asOf, TimeProvider.System.GetElapsedTime(started).TotalSeconds);
        using (var file = ResultPath.Create(Path.Combine(directory, "summary.json")))
            file.Write(Encoding.UTF8.GetBytes(Invocation.Text(summary) + "\n"));
        ReplayWarnings.Tell(run, "dead-letter.ndjson has the reasons", line => call.Say(LogLevel.Warning, line));
        if (call.Json) call.Print(summary);
        else Tell(call, summary, directory);
        return ExitCode.Done;
    }

    private static void Replay(FileRun run, string directory, long? asOf, Action<string, double> progress, CancellationToken stop)
    {
        run.Load(share => progress("reading", share), stop);
        // written last: their absence tells of a run that was stopped
        foreach (var old in new[] { "summary.json", "features.csv" }) File.Delete(Path.Combine(directory, old));
        using var files = new OutputFiles(directory, run.Engine.Outputs, run.Source);
        while (run.Advance(asOf))
        {
            stop.ThrowIfCancellationRequested();
            files.Write(run.Outputs);
            progress("replaying", (double)run.Source.Position / Math.Max(1, run.Source.Count));
        }
        progress("replaying", 1);
        WriteFeatures(run, Path.Combine(directory, "features.csv"), asOf ?? run.Newest ?? 0);
    }

    /// <summary>One row per profile, by the customer id's bytes.</summary>
    private static void WriteFeatures(FileRun run, string path, long at)
    {
        var customers = new Customers();
        run.Shard.Scan(customers);
        customers.Keys.Sort(static (a, b) => a.AsSpan().SequenceCompareTo(b));
        var vector = new double[run.Engine.Features.Width];
        using var csv = FeatureCsv.Create(path);
        csv.Write(["customer_id", .. FeatureCsv.Columns(run.Engine.Features)]);
        foreach (var key in customers.Keys)
        {
            run.Shard.ReadFeatures(key, at, vector);
            csv.Write([Encoding.UTF8.GetString(key)], run.Engine.Features, vector);
        }
    }

    private static JsonObject Summary(FileRun run, long? asOf, double seconds)
    {
        var counts = run.Shard.Counters;
        var summary = new JsonObject
        {
            ["read"] = counts.Records,
            ["admitted"] = counts.Admitted,
            ["duplicates"] = counts.Rejected[(int)RejectReason.Duplicate],
            ["late"] = counts.Rejected[(int)RejectReason.Late],
            ["rejected"] = CountsJson.Of(EngineMetrics.Reasons, counts.Rejected,
                but: [(int)RejectReason.Duplicate, (int)RejectReason.Late]),
            ["profiles"] = run.Shard.Profiles,
            ["timers_fired"] = counts.TimersFired,
            ["decisions"] = counts.Decisions,
            ["outcomes"] = CountsJson.Of([.. Enum.GetNames<Outcome>().Select(Spelling.Snake)], counts.Outcomes),
            ["actions"] = CountsJson.Of([.. run.Engine.Options.Offers.Select(o => o.Name)], counts.Actions),
            ["fallbacks"] = CountsJson.Fallbacks(run.Engine, counts),
            ["dropped"] = CountsJson.Of([.. Enum.GetNames<DropReason>().Select(Spelling.Snake)], counts.Drops, but: [(int)DropReason.None]),
            ["as_of"] = (asOf ?? run.Newest) is { } at ? ReplayWarnings.Text(at) : null,
            ["config_hash"] = run.Engine.ConfigHash,
            ["spilled_runs"] = run.Source.Runs,
            ["seconds"] = Math.Round(seconds, 3),
            ["events_per_second"] = Math.Round(counts.Records / Math.Max(seconds, 1e-9)),
        };
        if (run.Engine.Policy.Budgets.Count > 0)
            summary["budgets"] = BudgetsCommand.Json(run.Budgets((asOf ?? run.Newest) ?? 0));
        if (run.Engine.Tables.Count == 0) return summary;
        summary["tables"] = TableText.Json(run.Engine);
        summary["lookups_missed"] = CountsJson.Of([.. run.Engine.Tables.Select(t => t.Shape.Name)], counts.LookupsMissed);
        return summary;
    }

    private static void Tell(Invocation call, JsonObject summary, string directory)
    {
        foreach (var (name, value) in summary)
            call.Out.WriteLine($"{name,-18} {Words(value)}");
        call.Out.WriteLine($"{"written to",-18} {directory}");
    }

    private static string Words(JsonNode? value) => value is JsonObject many
        ? string.Join(", ", many.Select(m => $"{m.Key} {Words(m.Value)}"))
        : value is JsonArray list ? string.Join("; ", list.Select(Words)) : $"{value?.ToString() ?? "-"}";

    private sealed class Customers : IProfileVisitor
    {
        public List<byte[]> Keys { get; } = [];

        public void Visit(ReadOnlySpan<byte> key, ReadOnlySpan<byte> profile) => Keys.Add(key.ToArray());
    }
}
