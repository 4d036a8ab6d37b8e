using System.CommandLine;
using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Host.Cli;
using StreamEngine.Host.Configuration;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Replay.Comparison;

/// <summary>
/// <c>replay compare</c>: two configs over the same events, step by step side by side, and what the second would decide otherwise.
/// </summary>
internal static class CompareCommand
{
    private const string Summary = "comparison.json";

    private static readonly Option<string[]> Policy = new("--policy")
    {
        Description = "A config (YAML or JSON) that decides; given twice: A, what there is, then B, what it is compared with.",
        HelpName = "FILE",
        Required = true,
    };

    private static readonly Option<string?> Out = new("--out", "-o")
    {
        Description = $"A folder for {ChangesFile.Name}, the decisions that are not the same, and {Summary}; made where it is missing, and "
            + "results that are there are overwritten.",
        HelpName = "DIR",
    };

    private static readonly Option<DateTimeOffset?> AsOf = FileArguments.Time("--as-of",
        "Leaves out events after this time, and fires timers up to it; the newest event's time where absent.");

    public static Command Make()
    {
        var command = new Command("compare", "Replays the same events through two configs and tells side by side what each decides: "
            + "outcomes, offers, channels, drops, limits, expected value, customers reached, and which decisions change.")
        {
            Policy, FileArguments.Events, Out, AsOf, TableFiles.Tables, FileArguments.Memory,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(Policy) is { Tokens.Count: not 2 } given)
                result.AddError($"--policy is given {given.Tokens.Count} times: give it twice, one config each.");
        });
        return Invocation.Act(command, call => Run(call));
    }

    private static int Run(Invocation call)
    {
        var started = TimeProvider.System.GetTimestamp();
        var files = call.Get(Policy)!;
        var (a, b) = Open(call, files);
        using (a)
        using (b)
        {
            var directory = call.Get(Out) is { } folder ? ResultPath.Folder(Out.Name, folder) : null;
            if (directory is not null) ResultPath.SpareInputs(Out.Name, directory, [.. a.Inputs, .. files]);
            var asOf = call.Get(AsOf)?.ToUnixTimeMilliseconds();
            PolicyComparison? comparison = null;
            try
            {
                ProgressView.Show(call, progress => comparison = Compare(a, b, directory, asOf, progress, call.Stop));
            }
            catch (OperationCanceledException) when (call.Stop.IsCancellationRequested)
            {
                call.Say(LogLevel.Error, b.Loaded ? $"stopped after {a.Source.Position} records"
                    + (directory is null ? "" : $"; the results in {directory} are incomplete") : "stopped while reading");
                return ExitCode.Interrupted;
            }
            Warn(call, files, a, b);
            Tell(call, directory, new ComparisonReport
            {
                Policies = [Of(files[0], a), Of(files[1], b)],
                Differences = ConfigDifference.Of(a.Engine, b.Engine),
                Records = a.Source.Position,
                AsOf = (asOf ?? FileRun.Later(a.Newest, b.Newest)) is { } at ? ReplayWarnings.Text(at) : null,
                Total = comparison!.Total(),
                Placements = comparison.Placements,
                Notes = Notes(a.Engine, b.Engine),
                Seconds = TimeProvider.System.GetElapsedTime(started).TotalSeconds,
            });
        }
        return ExitCode.Done;
    }

    /// <summary>What can't be concluded.</summary>
    private static string[] Notes(params CompiledEngine[] engines) =>
    [
        ComparisonReport.NoOutcomes,
        .. engines.Any(e => e.Options.Outcomes is not null) ? [ComparisonReport.HistoryOutcomes] : Array.Empty<string>(),
        .. engines.Any(e => e.Policy.Explorations.Any(x => x.Learns)) ? [ComparisonReport.HistoryRewards] : Array.Empty<string>(),
    ];

    /// <summary>
    /// Reads and compiles both; every mistake of both is told at once. Each has mistakes of its own, as those of one are no reason to look
    /// less closely at the other.
    /// </summary>
    private static (FileRun A, FileRun B) Open(Invocation call, string[] files)
    {
        var errors = files.Select(_ => new ConfigErrors()).ToArray();
        var configs = files.Select((f, i) => call.Load(f, errors[i])).ToArray();
        var known = errors.Select(e => !e.Any).ToArray(); // the sources, so that their files can be looked at
        var tables = configs.SelectMany(c => c.Options.Tables).ToList();
        for (var i = 0; i < configs.Length; i++) configs[i] = TableFiles.In(configs[i], call.Get(TableFiles.Tables), errors[i], tables);
        if (!configs.Any(c => ReferenceEquals(c, LoadedConfig.Unreadable)))
            ComparableConfigs.Check(configs[0].Options, configs[1].Options, files[0], errors[1]);
        var now = TimeProvider.System.GetUtcNow();
        var runs = new FileRun?[files.Length];
        try
        {
            var pipes = false;
            for (var i = 0; i < files.Length; i++)
            {
                if (ReferenceEquals(configs[i], LoadedConfig.Unreadable)) continue;
                var name = files[i];
                // What a pipe brought while it was looked at is gone: it is not opened for the other.
                var events = known[i] && !pipes ? FileRun.FindFiles(configs[i], call.Get(FileArguments.Events)!, errors[i]) : null;
                foreach (var pipe in events?.Pipes ?? [])
                {
                    errors[i].Add(new ConfigLocation(pipe, 0, 0, "events"), "it is a pipe, which can be read once only, and each config "
                        + "reads it", "Write it to a file first");
                    pipes = true;
                }
                runs[i] = FileRun.TryOpen(configs[i], events, FileArguments.MemoryOf(call) / files.Length, errors[i],
                    line => call.Say(LogLevel.Warning, $"{name}: {line}"), now);
            }
            if (runs is [{ } a, { } b])
            {
                ComparableConfigs.CheckSchemas(a.Engine, b.Engine, files[0], errors[1]);
                if (!errors[1].Any) return (a, b);
            }
        }
        catch
        {
            foreach (var run in runs) run?.Dispose();
            throw;
        }
        foreach (var run in runs) run?.Dispose();
        // An override or a file at fault is so for both.
        throw new ConfigException([.. errors.SelectMany(e => e.All).Distinct()]);
    }

    private static PolicyComparison Compare(FileRun a, FileRun b, string? directory, long? asOf, Action<string, double> progress,
        CancellationToken stop)
    {
        a.Load(share => progress("reading", share / 2), stop);
        b.Load(share => progress("reading", (1 + share) / 2), stop);
        // Written last: its absence tells of a run that was stopped.
        if (directory is not null) File.Delete(Path.Combine(directory, Summary));
        using var changes = directory is null ? null : new ChangesFile(directory);
        var comparison = new PolicyComparison(a.Engine, b.Engine, pair => changes?.Write(pair));
        while (a.Advance(asOf, b.Newest) | b.Advance(asOf, a.Newest))
        {
            stop.ThrowIfCancellationRequested();
            if (a.Source.Position != b.Source.Position)
                throw new IOException("The files of events changed while they were read. Compare over files that nobody writes");
            comparison.Step(a, b);
            progress("comparing", (double)a.Source.Position / Math.Max(1, a.Source.Count));
        }
        comparison.End();
        progress("comparing", 1);
        return comparison;
    }

    private static ComparedPolicy Of(string file, FileRun run) => new(file, run.Engine.Options.Name, run.Engine.ConfigHash);

    /// <summary>What both would warn of is told once.</summary>
    private static void Warn(Invocation call, string[] files, FileRun a, FileRun b)
    {
        var (first, second) = (new List<string>(), new List<string>());
        ReplayWarnings.Tell(a, "`streamengine replay` writes the reasons", first.Add);
        ReplayWarnings.Tell(b, "`streamengine replay` writes the reasons", second.Add);
        foreach (var line in first) call.Say(LogLevel.Warning, second.Contains(line) ? line : $"{files[0]}: {line}");
        foreach (var line in second.Except(first)) call.Say(LogLevel.Warning, $"{files[1]}: {line}");
    }

    private static void Tell(Invocation call, string? directory, ComparisonReport report)
    {
        var json = ComparisonJson.Of(report);
        if (directory is not null)
            using (var file = ResultPath.Create(Path.Combine(directory, Summary)))
                file.Write(Encoding.UTF8.GetBytes(Invocation.Text(json) + "\n"));
        if (call.Json) call.Print(json);
        else
        {
            new ComparisonText(call.Out).Write(report);
            if (directory is not null) call.Out.WriteLine($"written to {directory}");
        }
    }
}
