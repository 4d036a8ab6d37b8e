using System.CommandLine;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Embedded;
using StreamEngine.Connectors.Kafka;
using StreamEngine.Host.Cli;

namespace StreamEngine.Host.Run;

/// <summary>Which log a command works on: <c>--embedded DIR</c> or <c>--kafka BOOTSTRAP</c>, one of the two.</summary>
internal static class LogOptions
{
    /// <summary>How long a command waits for a cluster that was there when it began.</summary>
    private static readonly TimeSpan CommandPatience = TimeSpan.FromMinutes(5);

    public static readonly Option<string?> Embedded =
        new("--embedded") { Description = "The folder of the embedded log, for single machines.", HelpName = "DIR" };

    public static readonly Option<string?> Kafka =
        new("--kafka") { Description = "Kafka's bootstrap servers, host:port with commas between.", HelpName = "BOOTSTRAP" };

    /// <summary>For commands that read decisions, of a log or of a replay.</summary>
    public static readonly Option<string?> From = new("--from")
    {
        Description = "The folder of a replay's results (decisions.ndjson, outcomes.ndjson), in place of a log.",
        HelpName = "DIR",
    };

    /// <summary>The rule that exactly one of the three options is given.</summary>
    public static void DemandOneOfThree(Command command) => command.Validators.Add(result =>
    {
        if (new Option[] { From, Embedded, Kafka }.Count(o => result.GetResult(o) is not null) != 1)
            result.AddError("Give one of --from DIR, --embedded DIR and --kafka BOOTSTRAP.");
    });

    /// <summary>Adds the two options and the rule that exactly one is given.</summary>
    public static Command AddTo(Command command)
    {
        command.Add(Embedded);
        command.Add(Kafka);
        command.Validators.Add(result =>
        {
            if (result.GetResult(Embedded) is null == result.GetResult(Kafka) is null)
                result.AddError("Give one of --embedded DIR and --kafka BOOTSTRAP.");
        });
        return command;
    }

    /// <summary>Opens a log to read it: an embedded one that is not there is not made.</summary>
    /// <exception cref="LogException">It is not there, or can't be opened.</exception>
    public static ILog OpenExisting(Invocation call, KafkaOptions options)
    {
        if (call.Get(Embedded) is { } folder && !Directory.Exists(folder))
            throw new LogException($"--embedded {folder}: there is no such folder. Name the folder of an embedded log; `topics create` and "
                + "`produce` make one.");
        return Open(call, options);
    }

    /// <summary>The embedded log as another process has it open; null where none has.</summary>
    public static ILog? TryShare(Invocation call) => EmbeddedLog.TryShare(new EmbeddedLogOptions(Path.GetFullPath(call.Get(Embedded)!)));

    /// <summary>Opens the log.</summary>
    /// <param name="call">The command's options.</param>
    /// <param name="options">The config's section.</param>
    /// <param name="engine">
    /// Ends the waits of an engine that runs, which otherwise waits for as long as the cluster is away; null for a command, which gives up.
    /// </param>
    /// <param name="alone">Whether no other process may have an embedded log open: an engine's is always its own.</param>
    /// <exception cref="LogException">It can't be opened.</exception>
    public static ILog Open(Invocation call, KafkaOptions options, CancellationToken? engine = null, bool alone = false) =>
        call.Get(Embedded) is { } directory
        ? EmbeddedLog.OpenShared(new EmbeddedLogOptions(Path.GetFullPath(directory)), asOwner: alone || engine is not null)
        : new KafkaLog(new KafkaLogOptions
        {
            Bootstrap = call.Get(Kafka)!,
            Settings = options.Settings,
            TransactionTimeout = options.TransactionTimeout,
            Patience = engine is null ? CommandPatience : Timeout.InfiniteTimeSpan,
            Stop = engine ?? call.Stop,
            Diagnostics = line => call.Say(LogLevel.Debug, line),
            Waiting = line => call.Say(LogLevel.Info, line),
        });
}
