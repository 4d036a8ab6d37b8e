using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Host.Cli;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Logs;
using StreamEngine.Host.Replay;
using StreamEngine.Host.Run;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Evaluation.Export;

/// <summary><c>decisions export</c>: decisions as a table, for warehouses and notebooks.</summary>
internal static class ExportCommand
{
    private static readonly Option<string> Config = SharedOptions.Config();

    private static readonly Option<string> Out = new("--out")
    {
        Description = "The file: Parquet where its name ends with .parquet, CSV where with .csv.",
        HelpName = "FILE",
        Required = true,
    };

    private static readonly Option<DateTimeOffset?> Since = SharedOptions.Time("--since",
        "Only decisions whose event time is from this time on (ISO 8601, else UTC).");

    private static readonly Option<DateTimeOffset?> Until = SharedOptions.Time("--until", "Only decisions before this time.");

    private static readonly Option<string[]> Placements = new("--placement")
    {
        Description = "Only decisions of this placement; may be given several times.",
        HelpName = "NAME",
    };

    private static readonly Option<string?> Candidates = new("--candidates")
    {
        Description = "nested: a list in the row of their decision (Parquet's default); rows: a row each (CSV's default); none.",
        HelpName = "FORM",
    };

    /// <summary>The command.</summary>
    public static Command Make()
    {
        Candidates.AcceptOnlyFromAmong("nested", "rows", "none");
        var export = new Command("export", "Writes decisions as a table, with their fields, candidates and features, to Parquet or CSV.")
        {
            Config, LogOptions.From, LogOptions.Embedded, LogOptions.Kafka, Out, Since, Until, Placements, Candidates,
        };
        LogOptions.DemandOneOfThree(export);
        export.Validators.Add(result =>
        {
            if (result.GetResult(Out) is { Tokens: [var token, ..] } && !TableFile.IsParquet(token.Value)
                && !token.Value.EndsWith(".csv", StringComparison.OrdinalIgnoreCase))
                result.AddError($"--out is '{token.Value}': give a name that ends with .parquet or .csv.");
        });
        return Invocation.Act(export, call => Run(call));
    }

    private static int Run(Invocation call)
    {
        var path = call.Get(Out)!;
        var form = call.Get(Candidates) is { } given ? Enum.Parse<CandidateForm>(given, ignoreCase: true)
            : TableFile.IsParquet(path) ? CandidateForm.Nested : CandidateForm.Rows;
        var errors = new ConfigErrors();
        var config = call.Load(Config, errors);
        using var engine = ConfigCheck.CompileForTopics(config, errors, line => call.Say(LogLevel.Debug, line));
        errors.ThrowIfAny();
        var folder = call.Get(LogOptions.From);
        var source = folder is null ? null : Path.Combine(folder, "decisions.ndjson");
        if (source is not null && !File.Exists(source))
            throw new LogException($"{source} is not there. Make it: `streamengine replay --config FILE --events FILES --out {folder}`.");
        ResultPath.File(Out.Name, path);
        if (source is not null) ResultPath.SpareInputs(Out.Name, path, [source]);
        // The table takes the place of an earlier one when it is whole.
        var unfinished = $"{path}.unfinished";
        var (decisions, foreign, rows) = (0L, 0L, 0L);
        try
        {
            using (var table = new TableFile(unfinished, TableFile.IsParquet(path), DecisionColumns.Of(form, engine!), About(engine!)))
            {
                ProgressView.Show(call, progress => Read(call, config.Options, source, record => Take(record, table),
                    share => progress("exporting decisions", share)));
                table.Finish();
                rows = table.Rows;
            }
            File.Move(unfinished, path, overwrite: true);
        }
        finally
        {
            File.Delete(unfinished);
        }
        if (foreign > 0)
            call.Say(LogLevel.Warning, $"{foreign} of the decisions were made by another config, so that their features have no value: "
                + "export them with that config, or with the table files of then");
        if (call.Json) call.Print(new JsonObject { ["decisions"] = decisions, ["rows"] = rows, ["other_config"] = foreign });
        else call.Say(LogLevel.Info, $"{decisions} decisions in {rows} rows: {path}");
        return ExitCode.Done;

        void Take(JsonElement record, TableFile table)
        {
            if (!IsWanted(call, record)) return;
            decisions++;
            if (!DecisionColumns.IsOf(record, engine!)) foreign++;
            foreach (var candidate in DecisionColumns.Rows(form, record)) table.Write(record, candidate);
        }
    }

    private static Dictionary<string, string> About(CompiledEngine engine) => new()
    {
        ["streamengine.engine"] = engine.Options.Name,
        ["streamengine.config_hash"] = engine.ConfigHash,
    };

    private static bool IsWanted(Invocation call, JsonElement record)
    {
        if (DecisionColumns.TextOf(record, "kind") is not ("decision" or "")) return false; // a mark, which only recovery reads
        var time = DecisionColumns.TimeOf(record, "event_time");
        return (call.Get(Since) is not { } since || time >= since.UtcDateTime) && (call.Get(Until) is not { } until
            || time < until.UtcDateTime) && (call.Get(Placements) is not { Length: > 0 } placements
            || placements.Contains(DecisionColumns.TextOf(record, "placement")));
    }

    private static void Read(Invocation call, HostOptions options, string? file, Action<JsonElement> take, Action<double> progress)
    {
        if (file is not null)
        {
            DecisionFiles.Read(file, take, progress, call.Stop);
            return;
        }
        using var log = LogOptions.OpenExisting(call, options.Kafka);
        using var text = new RecordText(OutputKind.Decision);
        WholeTopic.Read(call, log, options.Outputs.Decisions, record =>
        {
            text.Read(record);
            if (record.Json is null) return false;
            try
            {
                using var json = JsonDocument.Parse(record.Json);
                take(json.RootElement);
                return true;
            }
            catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
            {
                return false; // a record of somebody else's
            }
        }, progress);
    }
}
