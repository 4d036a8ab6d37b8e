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
    private static readonly Option<string?> ListConfig = new("--config", "-c")
    {
        Description = "A config: its topics are listed first, with their roles, also those that are missing; its kafka.settings (SASL, "
            + "TLS) are used.",
        HelpName = "FILE",
    };

    /// <summary>Partitions of a topic where nothing else is said.</summary>
    internal const int DefaultPartitions = 8;

    private static readonly Option<int> Partitions = SharedOptions.Number("--partitions",
        "Partitions of each topic: the most workers that can share the load, now and later.", DefaultPartitions, 1, 10_000);
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
            "Lists the log's topics with partitions, records, retention and first and end offsets; with a config also the role of each, "
            + "what is missing and what does not fit.") { ListConfig }), call => Task.FromResult(List(call)));
        return (new Command("topics", "Creates and lists topics.") { create, list }, create, list);
    }

    private static int Create(Invocation call)
    {
        var errors = new ConfigErrors();
        var options = call.Load(Config, errors).Options;
        ConfigCheck.CheckKafka(options.Kafka, errors);
        errors.ThrowIfAny();
        using var log = LogOptions.Open(call, options.Kafka);
        IReadOnlyList<TopicSpec> needed =
        [
            .. Topics.Needed(options, call.Get(Partitions), call.Get(Retention), (short)call.Get(Replicas)),
            .. options.Activations.Select(a => a.DeadLetter).Distinct()
                .Select(t => new TopicSpec(t, call.Get(Partitions), call.Get(Retention), (short)call.Get(Replicas))),
        ];
        var created = log.CreateTopics(needed);
        if (call.Json)
            call.Print(new JsonObject
            {
                ["created"] = new JsonArray([.. created.Select(t => JsonValue.Create(t))]),
                ["existing"] = new JsonArray([.. needed.Select(t => t.Name).Except(created).Select(t => JsonValue.Create(t))])
            });
        else foreach (var topic in needed)
            call.Out.WriteLine($"{topic.Name}: "
                + $"{(!created.Contains(topic.Name) ? "is there already" : topic.Partitions == 1 ? "created with 1 partition"
                    : $"created with {topic.Partitions} partitions")}");
        return ExitCode.Done;
    }

    private static int List(Invocation call)
    {
        var errors = new ConfigErrors();
        var options = call.Get(ListConfig) is null ? null : call.Load(ListConfig!, errors).Options;
        var kafka = options?.Kafka ?? new KafkaOptions();
        ConfigCheck.CheckKafka(kafka, errors);
        errors.ThrowIfAny();
        using var log = LogOptions.OpenExisting(call, kafka);
        var there = log.ListTopics();
        var uses = options is null ? [] : TopicUse.Of(options);
        var others = there.Where(t => uses.All(u => u.Topic != t.Name)).Select(t => new TopicRow(t.Name, null, t, null));
        var rows = uses.Select(u => new TopicRow(u.Topic, u.Role, there.FirstOrDefault(t => t.Name == u.Topic), u.Fault(there, uses)))
            .Concat(others).ToList();
        if (call.Json) call.Print(new JsonObject { ["topics"] = new JsonArray([.. rows.Select(r => r.ToJson(options is not null))]) });
        else Tell(call, rows, options is not null);
        return ExitCode.Done;
    }

    private static void Tell(Invocation call, List<TopicRow> rows, bool roles)
    {
        var (name, role) = (rows.Select(r => r.Topic.Length).Append(5).Max(), rows.Select(r => r.Role?.Length ?? 1).Append(4).Max());
        call.Out.WriteLine($"{"topic".PadRight(name)}{(roles ? $"  {"role".PadRight(role)}" : "")}  partitions       records  retention   "
            + "offsets");
        foreach (var r in rows)
            call.Out.WriteLine($"{r.Topic.PadRight(name)}{(roles ? $"  {(r.Role ?? "-").PadRight(role)}" : "")}  "
                + $"{r.Info?.Partitions ?? 0,10}  {r.Info?.Records ?? 0,12}  {r.Info?.Retention ?? "-",-10}  {r.Offsets}"
                + $"{(r.Fault is null ? "" : $"  {r.Fault}")}");
    }
}
