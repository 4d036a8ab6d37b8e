using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Files;
using StreamEngine.Connectors.Kafka;
using StreamEngine.Events;
using StreamEngine.Events.Avro;
using StreamEngine.Host.Cli;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Replay;
using StreamEngine.Host.Run;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Logs;

/// <summary><c>produce</c>: writes events from files to the topics that the engine reads.</summary>
internal static class ProduceCommand
{
    private const int Told = 10;
    private const int Listed = 100;

    private static readonly Option<string> Config = SharedOptions.Config();

    private static readonly Option<string?> Source =
        new("--source") { Description = "The source of the files that name none themselves.", HelpName = "NAME" };

    private static readonly Option<double> Rate = new("--rate")
    {
        Description = "Records a second, such as 500 or 500/s; as fast as the log takes them where absent.",
        HelpName = "N",
        CustomParser = r =>
        {
            var text = r.Tokens[0].Value;
            var number = text.EndsWith("/s", StringComparison.Ordinal) ? text[..^2] : text;
            if (double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var n)
                && n is >= 0.001 and <= 1e7)
                return n;
            r.AddError($"--rate takes records a second from 0.001 to 10000000, such as 500 or 500/s, not '{text}'.");
            return 0;
        },
    };

    public static Command Make() => Invocation.Act(LogOptions.AddTo(new Command("produce",
        "Writes events from files to the sources' topics, keyed by customer id, on Kafka or on the embedded log.")
    { Config, FileArguments.Events, Source, Rate }), call => Run(call));

    private static int Run(Invocation call)
    {
        var errors = new ConfigErrors();
        var config = call.Load(Config, errors);
        var options = config.Options;
        ConfigCheck.CheckKafka(options.Kafka, errors);
        foreach (var source in options.Events)
        {
            // Files of another encoding are written to the topic as UTF-8.
            foreach (var unfit in ConfigCheck.UnfitForTopics(source).Where(u => u.Key == "columns")
                .Concat(ConfigCheck.UnfitForFiles(source)))
                errors.Add(unfit.Node, unfit.Key, unfit.Message, unfit.Remedy);
        }
        if (call.Get(Source) is { } named && !options.Events.Any(e => e.Name == named))
            errors.Add(options.Node, "events", $"there is no source '{named}'",
                $"Sources are {string.Join(", ", options.Events.Select(e => e.Name))}.");
        errors.ThrowIfAny();

        Action<string> say = line => call.Say(LogLevel.Warning, line);
        var given = call.Get(FileArguments.Events)!.Select(e => Named(e, call.Get(Source), options.Events)).ToList();
        var files = EventFiles.Find(given, options.Events, errors,
            (int)Math.Min(1 << 29, options.Runtime.MaxRecordBytes.Bytes));
        errors.ThrowIfAny();
        var registry = ConfigCheck.OpenRegistry(config, errors, say);
        using var connection = registry as IDisposable;
        var catalog = ConfigCheck.CompileEvents(files.Sources, config, registry, errors, say);
        errors.ThrowIfAny();
        var framed = files.Files.Select(f => (f, Framing.Of(f, options.Events[f.Source], Reader(options.Events[f.Source], config),
            registry, errors))).ToList();
        errors.ThrowIfAny();

        using var log = LogOptions.Open(call, options.Kafka);
        MakeTopics(call, log, options);
        using var writer = log.OpenWriter();
        var refused = new List<Refused>();
        var producer = new FileProducer(framed, catalog, writer, call.Get(LogOptions.Embedded) is null
            ? KafkaSettings.LargestRecord(options.Kafka.Settings) : int.MaxValue, call.Get(Rate),
            options.Time.OutOfOrderness + options.Time.Lateness)
        { Refuses = r => Tell(call, refused, r) };
        var started = TimeProvider.System.GetTimestamp();
        ProgressView.Show(call, progress => producer.Run(bytes =>
        {
            // How much a pipe will bring nobody knows.
            if (files.Length > 0) progress("writing", Math.Min(1, (double)bytes / files.Length));
        }, call.Stop));
        return Sum(call, producer, catalog, options, refused, TimeProvider.System.GetElapsedTime(started).TotalSeconds);
    }

    /// <summary>The argument with the source before it, where one is given and the argument has none.</summary>
    private static string Named(string argument, string? source, IReadOnlyList<EventSourceOptions> sources) =>
        source is null || sources.Any(s => argument.StartsWith(s.Name + "=", StringComparison.Ordinal)) ? argument : $"{source}={argument}";

    private static AvroSchema? Reader(EventSourceOptions source, LoadedConfig config) =>
        source.Schema is { } file ? AvroSchema.Parse(File.ReadAllText(Path.Combine(config.BaseDirectory, file))) : null;

    /// <summary>A fresh embedded log gets the config's topics; a cluster's topics are somebody's decision.</summary>
    private static void MakeTopics(Invocation call, ILog log, EngineOptions options)
    {
        if (call.Get(LogOptions.Embedded) is null) return;
        var there = options.Events.Select(e => log.Partitions(e.Topic)).FirstOrDefault(n => n > 0);
        var created = log.CreateTopics(Topics.Needed(options, there > 0 ? there : TopicsCommand.DefaultPartitions));
        var many = created.Where(t => t != options.Control.Topic).ToList();
        if (many.Count > 0)
            call.Say(LogLevel.Info, $"created the topics {string.Join(", ", many)} with "
                + $"{(there > 0 ? there : TopicsCommand.DefaultPartitions)} partitions{(many.Count == created.Count ? ""
                    : $", and {options.Control.Topic} with one")}");
    }

    private static void Tell(Invocation call, List<Refused> refused, Refused record)
    {
        if (refused.Count < Listed) refused.Add(record);
        if (refused.Count <= Told)
            call.Say(LogLevel.Warning, $"{record.File}:{record.Line}: {EngineMetrics.Reasons[(int)record.Reason]}"
                + $"{(record.Detail.Length > 0 ? $": {record.Detail}" : "")}{(refused.Count == Told ? " (others are only counted)" : "")}");
    }

    private static int Sum(Invocation call, FileProducer producer, EventCatalog catalog, EngineOptions options, List<Refused> refused,
        double seconds)
    {
        var written = producer.WrittenBySource.Sum();
        var stopped = call.Stop.IsCancellationRequested;
        var summary = new JsonObject
        {
            ["read"] = producer.Read,
            ["written"] = written,
            ["topics"] = new JsonObject(catalog.Sources.Where(s => producer.WrittenBySource[s.Index] > 0).GroupBy(s => s.Topic)
                .Select(t => KeyValuePair.Create(t.Key, (JsonNode?)t.Sum(s => producer.WrittenBySource[s.Index])))),
            ["rejected"] = new JsonObject(producer.RefusedByReason.Select((n, i) => (n, i)).Where(r => r.n > 0)
                .Select(r => KeyValuePair.Create(EngineMetrics.Reasons[r.i], (JsonNode?)r.n))),
            ["seconds"] = Math.Round(seconds, 3),
            ["events_per_second"] = Math.Round(written / Math.Max(seconds, 1e-9)),
        };
        if (call.Json)
        {
            summary["rejects"] = new JsonArray([.. refused.Select(r => new JsonObject
            {
                ["file"] = r.File, ["line"] = r.Line, ["reason"] = EngineMetrics.Reasons[(int)r.Reason], ["detail"] = r.Detail,
            })]);
            call.Print(summary);
        }
        else
            foreach (var (name, value) in summary)
                call.Out.WriteLine($"{name,-18} {(value is JsonObject many ? Text(many) : value)}");
        if (producer.Late > 0)
            call.Say(LogLevel.Warning, $"{producer.Late} events are older by more than time.lateness, "
                + $"{Spelling.Duration(options.Time.Lateness)}, than one that was written before them: most of them will go to "
                + $"'{options.Outputs.Late}'. Write the files in the order of event time (replay sorts them), or raise it");
        if (stopped) call.Say(LogLevel.Error, $"stopped after {written} records, which are in the log; the rest was not read");
        else if (producer.Read == 0) call.Say(LogLevel.Warning, "there is no record in the input");
        else if (written == 0) call.Say(LogLevel.Error, "no record could be written");
        return stopped ? ExitCode.Interrupted : producer.Read > 0 && written == 0 ? ExitCode.Runtime : ExitCode.Done;
    }

    private static string Text(JsonObject counts) => counts.Count == 0 ? "-" : string.Join(", ", counts.Select(c => $"{c.Key} {c.Value}"));
}
