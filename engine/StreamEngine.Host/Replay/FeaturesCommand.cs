using System.CommandLine;
using System.Text.Json.Nodes;
using StreamEngine.Configuration;
using StreamEngine.Decisions;
using StreamEngine.Host.Cli;
using StreamEngine.Host.Configuration;

namespace StreamEngine.Host.Replay;

/// <summary>
/// <c>features</c>: point-in-time vectors for training. A label's vector is made of the events strictly before its time, as of that time;
/// events at the very time are left out, so that an outcome that is itself an event can't leak into its own features. One ordered pass over
/// the events, whatever the number of labels.
/// </summary>
internal static class FeaturesCommand
{
    private static readonly Option<string> Config = SharedOptions.Config();
    private static readonly Option<string> At = new("--at")
    {
        Description = "A CSV file with the columns customer and time (and any "
        + "others, passed through): whose features, from the events strictly before when.",
        Required = true,
        HelpName = "LABELS"
    };
    private static readonly Option<string> Out = new("--out", "-o")
    {
        Description =
        "The CSV file to write: the labels' columns, then the features, in the labels' order.",
        Required = true,
        HelpName = "FILE"
    };

    public static Command Make() => Invocation.Act(
        new Command("features", "Computes training sets: each label's feature vector as it was just before the label's time, by the "
            + "operators that run live. Its subcommands tell what features a config has, and show those of a customer.")
        {
            Config, FileArguments.Events, At, Out, TableFiles.Tables, FileArguments.Memory,
        },
        call => Run(call));

    private static int Run(Invocation call)
    {
        var errors = new ConfigErrors();
        var config = TableFiles.In(FeaturesOnly(call.Load(Config, errors)), call.Get(TableFiles.Tables), errors);
        var labels = Labels.Read(call.Get(At)!, errors);
        using var run = FileRun.Open(config, call.Get(FileArguments.Events)!, FileArguments.MemoryOf(call), errors,
            line => call.Say(LogLevel.Warning, line));
        TableText.Say(call, run.Engine);
        labels.CheckAgainst(FeatureCsv.Columns(run.Engine.Features), call.Get(At)!, errors);
        errors.ThrowIfAny();
        var path = call.Get(Out)!;
        ResultPath.File(Out.Name, path);
        ResultPath.SpareInputs(Out.Name, path, [.. run.Inputs, call.Get(At)!, call.Get(Config)!]);
        var started = TimeProvider.System.GetTimestamp();
        var vectors = new double[labels.Rows.Count][];
        try
        {
            ProgressView.Show(call, progress => Join(run, labels, vectors, progress, call.Stop));
        }
        catch (OperationCanceledException) when (call.Stop.IsCancellationRequested)
        {
            call.Say(LogLevel.Error, $"stopped after {(run.Loaded ? run.Source.Position : run.Source.Count)} records; {path} was not "
                + "written");
            return ExitCode.Interrupted;
        }
        Write(run, labels, vectors, path);
        run.TellRejected();
        foreach (var early in run.Source.Early) call.Say(LogLevel.Warning, early);
        if (run.Source.Count == 0) call.Say(LogLevel.Warning, "there is no record in the input");
        var seconds = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        if (call.Json)
            call.Print(new JsonObject
            {
                ["labels"] = labels.Rows.Count,
                ["features"] = FeatureCsv.Columns(run.Engine.Features).Count,
                ["read"] = run.Shard.Counters.Records,
                ["seconds"] = Math.Round(seconds, 3)
            });
        else call.Out.WriteLine($"{labels.Rows.Count} labels, {FeatureCsv.Columns(run.Engine.Features).Count} features, "
            + $"{run.Shard.Counters.Records} events before the last label, {seconds:F1} s: {path}");
        return ExitCode.Done;
    }

    /// <summary>Decisions write no features: without them the pass is faster and the vectors are the same.</summary>
    private static LoadedConfig FeaturesOnly(LoadedConfig config) =>
        config with { Options = config.Options with { Decisions = new DecisionOptions(), Offers = [], Timers = [], Models = [] } };

    /// <summary>A merge join on time: events and labels both in order, each looked at once.</summary>
    private static void Join(FileRun run, Labels labels, double[][] vectors, Action<string, double> progress, CancellationToken stop)
    {
        run.Load(share => progress("reading", share), stop);
        var order = Enumerable.Range(0, labels.Rows.Count).OrderBy(i => labels.Rows[i].Time).ToArray();
        for (var done = 0; done < order.Length; done++)
        {
            stop.ThrowIfCancellationRequested();
            var label = labels.Rows[order[done]];
            while (run.Step(before: label.Time)) stop.ThrowIfCancellationRequested();
            var vector = vectors[order[done]] = new double[run.Engine.Features.Width];
            run.Shard.ReadFeatures(label.Customer, label.Time, vector);
            if (done % 256 == 0) progress("joining", (double)done / order.Length);
        }
    }

    private static void Write(FileRun run, Labels labels, double[][] vectors, string path)
    {
        using var csv = FeatureCsv.Create(path);
        csv.Write([.. labels.Header, .. FeatureCsv.Columns(run.Engine.Features)]);
        for (var i = 0; i < vectors.Length; i++) csv.Write(labels.Rows[i].Cells, run.Engine.Features, vectors[i]);
    }
}
