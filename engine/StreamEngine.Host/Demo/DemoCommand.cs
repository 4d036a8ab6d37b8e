using System.CommandLine;
using System.Text.Json.Nodes;
using Spectre.Console;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Embedded;
using StreamEngine.Dashboard;
using StreamEngine.Events;
using StreamEngine.Host.Cli;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Explanation;
using StreamEngine.Host.Http;
using StreamEngine.Host.Replay;
using StreamEngine.Host.Run;
using StreamEngine.Host.Telemetry;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Demo;

/// <summary><c>demo</c>: the whole engine on the embedded log, fed by a synthetic shop, with what it does shown live.</summary>
internal static class DemoCommand
{
    private const int Partitions = 4;

    /// <summary>How long the engine may take to read what was written last.</summary>
    private static readonly TimeSpan CatchUp = TimeSpan.FromSeconds(5);

    /// <summary>Event time of the first event that <c>--write</c> writes: 2026-01-01 UTC, ms.</summary>
    private const long FileStart = 1_767_225_600_000;
    private static readonly Option<string> Config = new("--config",
        "-c")
    {
        Description = "Another config than the demo's own; its first source gets the shop's events.",
        HelpName = "FILE",
        DefaultValueFactory = _ => Path.Combine(AppContext.BaseDirectory, "samples", "demo", "streamengine.yaml")
    };
    private static readonly Option<int> Rate = SharedOptions.Number("--rate", "Events a second.", 2_000, 1, 5_000_000);
    private static readonly Option<int> Customers = SharedOptions.Number("--customers", "Customers of the shop.", 20_000, 2, 10_000_000);
    private static readonly Option<int> Seed = SharedOptions.Number("--seed", "Another seed makes another history.", 42, 0, int.MaxValue);
    private static readonly Option<int> Speed =
        SharedOptions.Number("--speed", "Seconds of shop time in one second, so that timers of 30 minutes can be seen.", 120, 1, 10_000);
    private static readonly Option<TimeSpan?> For =
        FileArguments.Duration("--for", "Ends after this long, e.g. 60s; runs until Ctrl-C where absent.");
    private static readonly Option<string?> Directory =
        new("--dir") { Description = "Keeps the log in this folder; a temporary one where absent.", HelpName = "DIR" };

    private static readonly Option<string?> Write = new("--write")
    {
        Description = "Runs no engine: writes the shop's events to this file "
        + "as NDJSON, for replay, features and training; an hour of shop time where --for is absent.",
        HelpName = "FILE"
    };

    public static Command Make() => Invocation.Act(
        new Command("demo", "Runs the engine on a synthetic shop, with nothing else needed, and shows live what it does.") { Config, Rate,
            Customers, Seed, Speed, For, Directory, Write }, RunAsync);

    private static async Task<int> RunAsync(Invocation call)
    {
        if (call.Get(Write) is { } file) return WriteEvents(call, file);
        var errors = new ConfigErrors();
        var config = call.Load(Config, errors);
        // The shop's clock runs ahead of ours: its events are not from the future.
        config = config with { Options = config.Options with { Time = config.Options.Time with { MaxFuture = TimeSpan.FromDays(3_650) } } };
        // Its dashboard shows customers, which are asked for by requests.
        if (HasDashboard(config.Options))
            config = config with { Options = config.Options with { Requests = config.Options.Requests with { Enabled = true } } };
        using var compiled = ConfigCheck.CompileForTopics(config, errors, line => call.Say(LogLevel.Warning, line));
        if (config.Options.Events is [{ Format: RecordFormat.Csv } first, ..])
            errors.Add(first.Node, "format", "the demo's shop sends no CSV",
                "Set the first source's format to json or avro, with the fields of the demo's own config");
        errors.ThrowIfAny();
        TableText.Say(call, compiled!);
        compiled!.OutputIds?.AtStart(errors, config.Options.Outputs.Node);
        errors.ThrowIfAny();
        var given = call.Get(Directory) is { } named ? ResultPath.Folder(Directory.Name, named) : null;
        var folder = given ?? System.IO.Directory.CreateTempSubdirectory("streamengine-demo-").FullName;
        try
        {
            using var log = EmbeddedLog.OpenShared(new EmbeddedLogOptions(folder), asOwner: true);
            log.CreateTopics(Topics.Needed(config.Options, Partitions));
            using var stores = new StateStores(config.Options.State, config.BaseDirectory, temporary: true);
            using var latencies = new Latencies();
            using var engine = new Engine(RunCommand.Settings(call, compiled, config.Options.Kafka, log, stores));
            var source = compiled.Events.Sources[0];
            var (before, newest) = History(log, source.Topic);
            if (before > 0)
                call.Say(LogLevel.Info, $"{folder} holds {before} events of an earlier demo: the shop goes on where it stopped");
            var start = Math.Max(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), newest + 1_000);
            using var producer = new Producer(log, source.Topic, new Shop(call.Get(Seed), call.Get(Customers), before),
                source.Options.Format, call.Get(Rate), call.Get(Speed), start);
            using var metrics = new MetricsEndpoint();
            using var decisions = new DecisionLookups(log, compiled);
            await using var dashboard = DashboardRun.Of(config.Options, config.Options.Http, compiled, engine, log,
                () => RunCommand.Health(engine), trials: DemoTrials.Of(compiled, log, producer), decisions: decisions);
            await using var http = dashboard is null ? null
                : await ListenAsync(call, config.Options.Http, config.BaseDirectory, metrics, engine, dashboard).ConfigureAwait(false);
            engine.Start();
            producer.Start();
            var watch = new Watch(engine, producer, latencies);
            await ShowAsync(call, watch, config.Options.Offers.Select(o => o.Name).ToList(), http?.Address).ConfigureAwait(false);
            producer.Stop();
            if (producer.Failure is { } failure) throw failure;
            await watch.CaughtUpAsync(CatchUp).ConfigureAwait(false);
            engine.Stop();
            await engine.Completion.ConfigureAwait(false);
            var (all, read) = (producer.Written, engine.Metrics.Totals().Records);
            if (read < all)
                call.Say(LogLevel.Warning, $"{all - read} of the events written were not read before the end: the engine is slower than "
                    + $"--rate{(given is null ? "" : "; the next demo with this --dir reads them first")}");
            else if (read > all)
                call.Say(LogLevel.Info, $"{read - all} of the events read were left by an earlier demo");
            Tell(call, watch.Look(), producer.Written, config.Options.Offers.Select(o => o.Name).ToList());
        }
        finally
        {
            if (given is null) System.IO.Directory.Delete(folder, recursive: true);
        }
        return ExitCode.Done;
    }

    /// <summary>The events that the demo would send, from a fixed start, so that the same options give the same bytes.</summary>
    private static int WriteEvents(Invocation call, string file)
    {
        var shop = new Shop(call.Get(Seed), call.Get(Customers));
        using var encoder = new ShopEventWriter(RecordFormat.Json);
        ResultPath.File(Write.Name, file);
        using var to = ResultPath.Create(file);
        var shopSeconds = (call.Get(For) ?? TimeSpan.FromSeconds(3_600.0 / call.Get(Speed))).TotalSeconds;
        var count = (long)(shopSeconds * call.Get(Rate));
        for (var i = 0L; i < count; i++)
        {
            to.Write(encoder.Write(shop.Next(FileStart + (long)(i * 1_000.0 * call.Get(Speed) / call.Get(Rate)))));
            to.WriteByte((byte)'\n');
        }
        call.Say(LogLevel.Info, $"{count} events: {file}");
        return ExitCode.Done;
    }

    private static bool HasDashboard(HostOptions options) => options.Http is { Port: > 0, Dashboard: true };

    /// <summary>Serves the dashboard; at a free port where another process has the config's: a demo is not to fail for that.</summary>
    private static async Task<HttpEndpoint> ListenAsync(Invocation call, HttpOptions options, string folder, MetricsEndpoint metrics,
        Engine engine, DashboardServer dashboard)
    {
        Task<HttpEndpoint> Listen(int port) => HttpEndpoint.ListenAsync(options.Address, port, metrics, () => RunCommand.Health(engine),
            () => !engine.Completion.IsCompleted, app => DashboardEndpoints.Map(app, dashboard, options), options.Hosts, options, folder,
            line => call.Say(LogLevel.Warning, line));
        HttpEndpoint http;
        try
        {
            http = await Listen(options.Port).ConfigureAwait(false);
        }
        catch (IOException)
        {
            http = await Listen(0).ConfigureAwait(false);
        }
        call.Say(LogLevel.Info, $"the dashboard is at {http.Address}");
        return http;
    }

    /// <summary>Shows until the time is over, Ctrl-C, or a failure.</summary>
    private static async Task ShowAsync(Invocation call, Watch watch, IReadOnlyList<string> offers, string? address)
    {
        var limit = call.Get(For) ?? TimeSpan.MaxValue;
        if (call.Json || Console.IsOutputRedirected || !ReferenceEquals(call.Out, Console.Out))
        {
            while (await watch.NextAsync(TimeSpan.FromSeconds(call.Json ? 5 : 2), limit, call.Stop).ConfigureAwait(false) is { } moment)
                if (!call.Json) call.Out.WriteLine(DemoView.Line(moment));
                else call.Say(LogLevel.Info, DemoView.Line(moment));
            return;
        }
        await AnsiConsole.Live(new Table()).AutoClear(true).StartAsync(async live =>
        {
            while (await watch.NextAsync(TimeSpan.FromSeconds(0.5), limit, call.Stop).ConfigureAwait(false) is { } moment)
            {
                live.UpdateTarget(DemoView.Table(moment, offers, address));
                live.Refresh();
            }
        }).ConfigureAwait(false);
    }

    private static void Tell(Invocation call, DemoMoment end, long written, IReadOnlyList<string> offers)
    {
        var actions = new JsonObject();
        for (var i = 0; i < offers.Count; i++) actions[offers[i]] = end.Totals.Actions[i];
        var rejected = new JsonObject();
        foreach (var (reason, count) in DemoView.Rejected(end.Totals)) rejected[reason] = count;
        var summary = new JsonObject
        {
            ["seconds"] = Math.Round(end.Elapsed.TotalSeconds, 1),
            ["written"] = written,
            ["read"] = end.Totals.Records,
            ["admitted"] = end.Totals.Admitted,
            ["rejected"] = rejected,
            ["timers_fired"] = end.Totals.TimersFired,
            ["decisions"] = end.Totals.Decisions,
            ["actions"] = actions,
            ["p50_ms"] = Math.Round(end.P50, 2),
            ["p99_ms"] = Math.Round(end.P99, 2),
        };
        if (call.Json) call.Print(summary);
        else
            foreach (var (name, value) in summary)
                call.Out.WriteLine($"{name,-14} "
                    + $"{(value is JsonObject many ? string.Join(", ", many.Select(m => $"{m.Key} {m.Value}")) : value)}");
    }

    /// <summary>How many events the log holds, and about the newest's time, ms.</summary>
    private static (long Events, long Newest) History(ILog log, string topic)
    {
        var (events, newest) = (0L, 0L);
        using var reader = log.OpenReader();
        var batch = new RecordBatch();
        for (var p = 0; p < log.Partitions(topic); p++)
        {
            var (low, high) = log.Watermarks(new TopicPartition(topic, p));
            events += high;
            if (high == low) continue;
            // Some events are late: the newest is among the last ones, not always the last.
            reader.Assign(new TopicPartition(topic, p), Math.Max(low, high - 100));
            reader.Read(batch, 100, TimeSpan.FromSeconds(5));
            for (var i = 0; i < batch.Count; i++) newest = Math.Max(newest, batch[i].Timestamp);
        }
        return (events, newest);
    }
}
