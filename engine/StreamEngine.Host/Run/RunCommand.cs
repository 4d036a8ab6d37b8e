using System.CommandLine;
using System.Text.Json.Nodes;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Kafka;
using StreamEngine.Host.Activation;
using StreamEngine.Host.Cli;
using StreamEngine.Host.Collector;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Explanation;
using StreamEngine.Host.Http;
using StreamEngine.Host.Live;
using StreamEngine.Host.Ofrep;
using StreamEngine.Host.Rpc;
using StreamEngine.Host.Telemetry;
using StreamEngine.Runtime;
using StreamEngine.Runtime.Requests;
using StreamEngine.State.Checkpoints;

namespace StreamEngine.Host.Run;

/// <summary><c>run</c>: the engine on a log until it is stopped, or with <c>--drain</c> until the log's present end.</summary>
internal static class RunCommand
{
    private static readonly Option<string> Config = SharedOptions.Config();
    private static readonly Option<bool> Drain = new("--drain")
    {
        Description =
        "Ends once everything that is in the source topics now is processed and committed, and prints a summary as one JSON object."
    };

    public static Command Make() => Invocation.Act(
        LogOptions.AddTo(new Command("run",
            "Runs the engine on Kafka or on the embedded log, exactly once, until Ctrl-C or SIGTERM.") { Config, Drain }), RunAsync);

    private static async Task<int> RunAsync(Invocation call)
    {
        var errors = new ConfigErrors();
        var config = call.Load(Config, errors);
        using var compiled = ConfigCheck.CompileForTopics(config, errors, line => call.Say(LogLevel.Warning, line), call.Stop);
        ClusterRun.CheckLog(call, config.Options.Cluster, errors);
        errors.ThrowIfAny();
        compiled!.OutputIds?.AtStart(errors, config.Options.Outputs.Node);
        errors.ThrowIfAny();
        TableText.Say(call, compiled);
        // Also where a worker fails: the others may be waiting for the log.
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(call.Stop);
        using var log = LogOptions.Open(call, config.Options.Kafka, ends.Token);
        using var stores = new StateStores(config.Options.State, config.BaseDirectory);
        using var metrics = new MetricsEndpoint();
        using var engine = new Engine(Settings(call, compiled, config.Options.Kafka, log, stores));
        var drain = call.Get(Drain);
        // Also where it drains: it owns shards meanwhile, and requests for their customers must find it.
        await using var cluster = ClusterRun.Of(call, config, engine, log);
        await using var connectors = drain ? null : ActivateCommand.InRun(call, config, log);
        await using var replays = ActivateCommand.Replays(call, config, log);
        using var collector = CollectorRun.Of(call, config, compiled, log, drain);
        using var live = LiveRun.Of(config, engine, cluster);
        using var decisions = new DecisionLookups(log, compiled);
        var gateway = (cluster?.Customers ?? engine.Customers) is { } customers
            ? new FallbackGateway(customers, compiled, engine.Metrics, engine.Switches) : null;
        using var flags = gateway is not null && config.Options.Ofrep is { } ofrep
            ? new OfrepEvaluator(gateway, compiled, ofrep, TimeProvider.System,
                config.Options.Cluster?.Routing.Stash + 1 ?? OfrepEvaluator.MostAtOnce) : null;
        HealthReport Report() => Health(engine, cluster?.Health, connectors is null ? [] : ActivateCommand.Away(connectors));
        await using var dashboard = DashboardRun.Of(config.Options, config.Options.Http, compiled, engine, log, Report, cluster,
            replay: replays.Control, decisions: decisions);
        await using var http = await HttpEndpoint.StartAsync(config.Options.Http, metrics, Report, () => !engine.Completion.IsCompleted,
            config.BaseDirectory, app =>
        {
            LeaveEndpoint.Map(app, config.Options.Name, () => LeaveAsync(engine, config.Options));
            if (gateway is not null) CustomerEndpoints.Map(app, gateway, config.Options.Http.Origins);
            if (gateway is not null && config.Options.Http.GrpcPort > 0)
                RpcEndpoints.Map(app, gateway, config.Options.Requests.Timeout, live);
            if (flags is not null) OfrepEndpoints.Map(app, flags, config.Options.Http.Origins);
            DecisionEndpoint.Map(app, decisions);
            ClusterEndpoint.Map(app, config.Options.Name, cluster is null ? null : cluster.ReportAsync);
            if (engine.Switches is { } switches) SwitchEndpoint.Map(app, switches);
            if (live is not null) LiveEndpoints.Map(app, live);
            if (collector is not null) CollectorEndpoints.Map(app, collector);
            if (dashboard is not null) DashboardEndpoints.Map(app, dashboard, config.Options.Http);
        }, line => call.Say(LogLevel.Warning, line)).ConfigureAwait(false);
        call.Say(LogLevel.Info, http is null ? "no /metrics and /healthz: http.port is 0"
            : $"{http.Address}/metrics and /healthz{(dashboard is null ? "" : $"; the dashboard is at {http.Address}")}");
        if (http is not null && config.Options.Http.GrpcPort > 0)
            call.Say(LogLevel.Info, $"gRPC at {config.Options.Http.Address}:{config.Options.Http.GrpcPort}");

        engine.Start(drain);
        cluster?.Start();
        connectors?.Start();
        // Connectors that have failed end the process, which is started again with them.
        _ = connectors?.Completion.ContinueWith(_ => engine.Stop(), CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted,
            TaskScheduler.Default);
        call.Say(LogLevel.Info, $"{config.Options.Name} {compiled.ConfigHash}: {engine.Partitions} shards, "
            + $"{config.Options.Runtime.Workers} workers");
        try
        {
            using (call.Stop.Register(engine.Stop)) await engine.Completion.ConfigureAwait(false);
            connectors?.Stop();
            if (connectors is not null) await connectors.Completion.ConfigureAwait(false);
        }
        finally
        {
            CollectorRun.Close(collector, call);
            await ends.CancelAsync().ConfigureAwait(false);
            // Behind the workers: until they have handed their shards over, this node passes on what comes for them.
            if (cluster is not null) await cluster.LeaveAsync().ConfigureAwait(false);
        }

        if (drain) Print(call, engine.Summary(), compiled);
        else call.Say(LogLevel.Info, "stopped: everything done is committed");
        return ExitCode.Done;
    }

    /// <summary>What the workers get; also for the demo.</summary>
    internal static WorkerSettings Settings(Invocation call, CompiledEngine compiled, KafkaOptions kafka, ILog log,
        StateStores stores) => new()
        {
            Engine = compiled,
            Log = log,
            InstanceId = $"{compiled.Options.Name}-{Node(kafka)}",
            OpenStore = partition => stores.Open(partition, compiled.LargestProfile),
            OpenCheckpoints = stores.KeepsCheckpoints(compiled.Options.Checkpoints) ? (partition, report) =>
                new CheckpointFiles(stores.CheckpointFolder(compiled.Options.Name, partition), report) : null,
            Report = e => call.Say(e.Warning ? LogLevel.Warning : LogLevel.Info, e.Text),
        };

    /// <summary>Whether the engine can work, and what it waits for.</summary>
    /// <param name="engine">The engine.</param>
    /// <param name="cluster">This node in the cluster.</param>
    /// <param name="partners">Partners of connectors that do not answer: told, but decisions do not wait for them.</param>
    internal static HealthReport Health(Engine engine, ClusterHealth? cluster = null, IReadOnlyList<AwayHealth>? partners = null)
    {
        var workers = engine.Workers;
        var restoring = engine.Restoring.Select(r => new ShardHealth(r.Key, Math.Round(r.Value, 3))).OrderBy(s => s.Partition).ToList();
        var away = engine.Dependencies.Where(d => d.Lasts is not null).OrderByDescending(d => d.Lasts).DistinctBy(d => d.Label)
            .Select(d => new AwayHealth(d.Label, Math.Round((d.Lasts ?? TimeSpan.Zero).TotalSeconds, 1), d.Reason)).ToList();
        return new HealthReport(restoring.Count == 0 && away.Count == 0 && !engine.Completion.IsCompleted
            && !workers.Any(w => w.StandsStill) && cluster is not { IsUp: false, Required: true }, restoring, workers,
            [.. away, .. partners ?? []], cluster, engine.Tables?.Numbers);
    }

    /// <summary>This node's name: the members of the group are <c>engine-node-worker</c>.</summary>
    internal static string Node(KafkaOptions options) => options.NodeName ?? Environment.MachineName;

    private static async Task<LeaveReply> LeaveAsync(Engine engine, HostOptions options)
    {
        var reply = new LeaveReply(options.Name, Node(options.Kafka), engine.Owned);
        engine.Leave();
        try
        {
            await engine.Completion.ConfigureAwait(false);
            return reply;
        }
        catch (Exception e)
        {
            return reply with { Error = e.Message }; // the command itself fails with it
        }
    }

    /// <summary>One line, so that scripts find it.</summary>
    private static void Print(Invocation call, DrainSummary s, CompiledEngine engine) => call.Out.WriteLine(new JsonObject
    {
        ["events"] = s.Totals.Records,
        ["admitted"] = s.Totals.Admitted,
        ["rejected"] = CountsJson.Of(EngineMetrics.Reasons, s.Totals.Rejected),
        ["decisions"] = s.Totals.Decisions,
        ["actions"] = CountsJson.Of([.. engine.Options.Offers.Select(o => o.Name)], s.Totals.Actions),
        ["fallbacks"] = CountsJson.Fallbacks(engine, s.Totals),
        ["seconds"] = Math.Round(s.Seconds, 4),
        ["cpu_seconds"] = Math.Round(s.CpuSeconds, 4),
        ["allocated_bytes"] = s.AllocatedBytes,
        ["peak_rss_mb"] = Math.Round(s.PeakRssMb, 1),
    }.ToJsonString());
}
