using System.CommandLine;
using System.Text.Json.Nodes;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Kafka;
using StreamEngine.Host.Cli;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Replay;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Run;

/// <summary><c>topics create</c> and <c>topics list</c>.</summary>
internal static class TopicsCommand
{
    private static readonly Option<string> Config = SharedOptions.Config();
    private static readonly Option<string?> ListConfig =
        new("--config", "-c") { Description = "A config file, for its kafka.settings (SASL, TLS).", HelpName = "FILE" };
    private static readonly Option<int> Partitions = SharedOptions.Number("--partitions",
        "Partitions of each topic: the most workers that can share the load, now and later.", 8, 1, 10_000);
    private static readonly Option<int> Replicas =
        SharedOptions.Number("--replication-factor", "Copies of each partition; -1 takes the broker's default.", -1, -1, short.MaxValue);
    private static readonly Option<TimeSpan?> Retention =
        FileArguments.Duration("--retention", "How long records are kept; for ever where absent, as state is rebuilt from them.");

    /// <summary>The command with its two subcommands, for their examples.</summary>
    public static (Command All, Command Create, Command List) Make()
    {
        var create =
            Invocation.Act(LogOptions.AddTo(new Command("create", "Creates the topics that the config reads and writes, those that are "
            + "missing.") { Config, Partitions, Replicas, Retention }), call => Task.FromResult(Create(call)));
        var list =
            Invocation.Act(LogOptions.AddTo(new Command("list",
            "Lists the log's topics with partitions, records and retention.") { ListConfig }), call => Task.FromResult(List(call)));
        return (new Command("topics", "Creates and lists topics.") { create, list }, create, list);
    }

    private static int Create(Invocation call)
    {
        var errors = new ConfigErrors();
        var options = call.Load(Config, errors).Options;
        ConfigCheck.CheckKafka(options.Kafka, errors);
        errors.ThrowIfAny();
        using var log = LogOptions.Open(call, options.Kafka);
        var needed = Topics.Needed(options, call.Get(Partitions), call.Get(Retention), (short)call.Get(Replicas));
        var created = log.CreateTopics(needed);
        if (call.Json)
            call.Print(new JsonObject
            {
                ["created"] = new JsonArray([.. created.Select(t => JsonValue.Create(t))]),
                ["existing"] = new JsonArray([.. needed.Select(t => t.Name).Except(created).Select(t => JsonValue.Create(t))])
            });
        else foreach (var topic in needed)
            call.Out.WriteLine($"{topic.Name}: "
                + $"{(created.Contains(topic.Name) ? $"created with {topic.Partitions} partitions" : "is there already")}");
        return ExitCode.Done;
    }

    private static int List(Invocation call)
    {
        var errors = new ConfigErrors();
        var kafka = call.Get(ListConfig) is null ? new KafkaOptions() : call.Load(ListConfig!, errors).Options.Kafka;
        ConfigCheck.CheckKafka(kafka, errors);
        errors.ThrowIfAny();
        if (call.Get(LogOptions.Embedded) is { } folder && !Directory.Exists(folder))
            throw new LogException($"--embedded {folder}: there is no such folder. Name the folder of an embedded log; `topics create` "
                + "makes one.");
        using var log = LogOptions.Open(call, kafka);
        var topics = log.ListTopics();
        if (call.Json)
            call.Print(new JsonObject
            {
                ["topics"] =
                new JsonArray([.. topics
                .Select(t => new JsonObject { ["name"] = t.Name, ["partitions"] = t.Partitions, ["records"] = t.Records,
                ["retention"] = t.Retention })])
            });
        else
        {
            var width = topics.Select(t => t.Name.Length).Append(5).Max();
            call.Out.WriteLine($"{"topic".PadRight(width)}  partitions       records  retention");
            foreach (var t in topics) call.Out.WriteLine($"{t.Name.PadRight(width)}  {t.Partitions,10}  {t.Records,12}  {t.Retention}");
        }
        return ExitCode.Done;
    }
}
