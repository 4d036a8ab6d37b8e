using System.CommandLine;
using System.Text.Json.Nodes;
using StreamEngine.Configuration;
using StreamEngine.Host.Cli;
using StreamEngine.Host.Replay;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Run;

/// <summary><c>topics create</c> and <c>topics list</c>.</summary>
internal static class TopicsCommand
{
    private static readonly Option<string> Config = SharedOptions.Config();
    private static readonly Option<int> Partitions = new("--partitions") { Description = "Partitions of each topic: the most workers that can share the load, now and later.", DefaultValueFactory = _ => 8, HelpName = "N" };
    private static readonly Option<int> Replicas = new("--replication-factor") { Description = "Copies of each partition; -1 takes the broker's default.", DefaultValueFactory = _ => -1, HelpName = "N" };
    private static readonly Option<TimeSpan?> Retention = FileArguments.Duration("--retention", "How long records are kept; for ever where absent, as state is rebuilt from them.");

    /// <summary>The command with its two subcommands, for their examples.</summary>
    public static (Command All, Command Create, Command List) Make()
    {
        Partitions.Validators.Add(r =>
        {
            if (r.GetValueOrDefault<int>() is < 1 or > 10_000) r.AddError("--partitions takes 1 to 10000.");
        });
        var create = Invocation.Act(LogOptions.AddTo(new Command("create", "Creates the topics that the config reads and writes, those that are missing.") { Config, Partitions, Replicas, Retention }), call => Task.FromResult(Create(call)));
        var list = Invocation.Act(LogOptions.AddTo(new Command("list", "Lists the log's topics with partitions, records and retention.")), call => Task.FromResult(List(call)));
        return (new Command("topics", "Creates and lists topics.") { create, list }, create, list);
    }

    private static int Create(Invocation call)
    {
        var errors = new ConfigErrors();
        var options = call.Load(Config, errors).Options;
        errors.ThrowIfAny();
        using var log = LogOptions.Open(call, options.Kafka);
        var needed = Topics.Needed(options, call.Get(Partitions), call.Get(Retention), (short)call.Get(Replicas));
        var created = log.CreateTopics(needed);
        if (call.Json) call.Print(new JsonObject { ["created"] = new JsonArray([.. created.Select(t => JsonValue.Create(t))]), ["existing"] = new JsonArray([.. needed.Select(t => t.Name).Except(created).Select(t => JsonValue.Create(t))]) });
        else foreach (var topic in needed) call.Out.WriteLine($"{topic.Name}: {(created.Contains(topic.Name) ? $"created with {topic.Partitions} partitions" : "is there already")}");
        return ExitCode.Done;
    }

    private static int List(Invocation call)
    {
        using var log = LogOptions.Open(call, new KafkaOptions());
        var topics = log.ListTopics();
        if (call.Json)
            call.Print(new JsonObject { ["topics"] = new JsonArray([.. topics.Select(t => new JsonObject { ["name"] = t.Name, ["partitions"] = t.Partitions, ["records"] = t.Records, ["retention"] = t.Retention })]) });
        else
        {
            var width = topics.Select(t => t.Name.Length).Append(5).Max();
            call.Out.WriteLine($"{"topic".PadRight(width)}  partitions       records  retention");
            foreach (var t in topics) call.Out.WriteLine($"{t.Name.PadRight(width)}  {t.Partitions,10}  {t.Records,12}  {t.Retention}");
        }
        return ExitCode.Done;
    }
}
