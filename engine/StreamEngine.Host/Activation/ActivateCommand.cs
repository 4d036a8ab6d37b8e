using System.CommandLine;
using System.Text.Json.Nodes;
using StreamEngine.Activation;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Host.Cli;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Http;
using StreamEngine.Host.Run;
using StreamEngine.Host.Telemetry;

namespace StreamEngine.Host.Activation;

/// <summary>
/// <c>activate</c>: the config's connectors in a process of their own; and <c>activation replay</c>, which sends their dead letters again.
/// </summary>
internal static class ActivateCommand
{
    private static readonly Option<string> Config = SharedOptions.Config();
    private static readonly Argument<string[]> Names = new("NAME")
    {
        Description = "The connectors; all of the config where none is named.",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private static readonly Option<bool> Drain = new("--drain")
    {
        Description = "Ends once everything that is in the topics now is delivered, and prints a summary as one JSON object.",
    };

    public static Command Make() => Invocation.Act(LogOptions.AddTo(new Command("activate",
        "Delivers actions and decisions to partners, as the config's activations say, until Ctrl-C or SIGTERM.")
        { Names, Config, Drain }),
        call => RunAsync(call, replay: false));

    /// <summary>The command with its subcommand, for their examples.</summary>
    public static (Command All, Command Replay) MakeReplay()
    {
        var replay = Invocation.Act(LogOptions.AddTo(new Command("replay", "Sends what is in the connectors' dead letter now once more, "
            + "and ends with a summary as one JSON object; what is refused again is a dead letter again.") { Names, Config }),
            call => RunAsync(call, replay: true));
        return (new Command("activation", "Looks after what the connectors could not deliver.") { replay }, replay);
    }

    private static async Task<int> RunAsync(Invocation call, bool replay)
    {
        var errors = new ConfigErrors();
        var config = call.Load(Config, errors);
        ConfigCheck.CheckKafka(config.Options.Kafka, errors);
        if (!replay) HttpCheck.Check(config.Options.Http, config.BaseDirectory, errors);
        var compiled = ActivationCheck.Compile(config.Options.Activations, config.Options, config.BaseDirectory, errors);
        errors.ThrowIfAny();
        if (Chosen(call, compiled) is not { } chosen) return ExitCode.Usage;
        var drain = replay || call.Get(Drain);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(call.Stop);
        using var log = LogOptions.Open(call, config.Options.Kafka, ends.Token);
        using var metrics = new MetricsEndpoint();
        var settings = Settings(call, config.Options, log, replay ? "replay" : "activate") with { Drain = drain, Replay = replay };
        await using var connectors = new ConnectorGroup(chosen, settings);
        await using var http = replay ? null : await HttpEndpoint.StartAsync(config.Options.Http, metrics, () => Health(connectors),
            () => !connectors.Completion.IsCompleted, config.BaseDirectory,
            say: line => call.Say(LogLevel.Warning, line)).ConfigureAwait(false);
        connectors.Start();
        call.Say(LogLevel.Info, $"{(replay ? "replaying dead letters of" : "delivering")} {string.Join(", ", chosen.Select(c => c.Name))}"
            + $"{(http is null ? "" : $"; {http.Address}/metrics and /healthz")}");
        try
        {
            using (call.Stop.Register(connectors.Stop)) await connectors.Completion.ConfigureAwait(false);
        }
        finally
        {
            await ends.CancelAsync().ConfigureAwait(false);
        }
        if (drain) Print(call, connectors);
        else call.Say(LogLevel.Info, "stopped: what is delivered is committed");
        return ExitCode.Done;
    }

    /// <summary>The connectors that run in the engine's process, not started yet; null where there are none.</summary>
    /// <param name="call">The command.</param>
    /// <param name="config">The config, checked.</param>
    /// <param name="log">The engine's log.</param>
    internal static ConnectorGroup? InRun(Invocation call, LoadedConfig config, ILog log)
    {
        var inside = ActivationCheck.Compile([.. config.Options.Activations.Where(a => a.InRun)], config.Options, config.BaseDirectory,
            new ConfigErrors());
        return inside.Count == 0 ? null : new ConnectorGroup(inside, Settings(call, config.Options, log, "run"));
    }

    /// <summary>Replays the dead letters of all connectors beside a running engine, when asked to.</summary>
    internal static ReplayDesk Replays(Invocation call, LoadedConfig config, ILog log) => new(ActivationCheck.Compile(
        config.Options.Activations, config.Options, config.BaseDirectory, new ConfigErrors()), Settings(call, config.Options, log, "run"));

    private static ConnectorSettings Settings(Invocation call, HostOptions options, ILog log, string command) => new()
    {
        Engine = options.Name,
        Node = RunCommand.Node(options.Kafka),
        Command = command,
        Log = log,
        Report = e => call.Say(e.Warning ? LogLevel.Warning : LogLevel.Info, e.Text),
    };

    private static List<CompiledActivation>? Chosen(Invocation call, IReadOnlyList<CompiledActivation> all)
    {
        var names = call.Get(Names) is { Length: > 0 } given ? given : [.. all.Select(c => c.Name)];
        var known = all.Count == 0 ? "the config has none: it needs the section activations"
            : $"the config has {string.Join(", ", all.Select(c => c.Name))}";
        if (names.FirstOrDefault(n => all.All(c => c.Name != n)) is { } unknown)
            call.Say(LogLevel.Error, $"there is no connector '{unknown}'; {known}");
        else if (all.Count == 0) call.Say(LogLevel.Error, $"there is no connector; {known}");
        else return [.. all.Where(c => names.Contains(c.Name))];
        return null;
    }

    /// <summary>Ready where every partner answers.</summary>
    private static HealthReport Health(ConnectorGroup connectors)
    {
        var away = Away(connectors);
        return new HealthReport(away.Count == 0 && !connectors.Completion.IsCompleted, [], [], away);
    }

    /// <summary>The partners that do not answer.</summary>
    internal static List<AwayHealth> Away(ConnectorGroup connectors) =>
        [.. connectors.Connectors.Where(c => c.Partner.Lasts is not null).Select(c =>
            new AwayHealth(c.Partner.Label, Math.Round((c.Partner.Lasts ?? TimeSpan.Zero).TotalSeconds, 1), c.Partner.Reason))];

    /// <summary>One line, so that scripts find it.</summary>
    private static void Print(Invocation call, ConnectorGroup connectors) => call.Out.WriteLine(new JsonObject(
        connectors.Connectors.Select(c => new KeyValuePair<string, JsonNode?>(c.Name, new JsonObject
        {
            ["delivered"] = c.Counts.Delivered,
            ["dead_lettered"] = c.Counts.DeadLettered,
            ["retries"] = c.Counts.Retried,
        }))).ToJsonString());
}
