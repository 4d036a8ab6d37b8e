using System.CommandLine;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Decisions;
using StreamEngine.Host.Cli;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Http;
using StreamEngine.Host.Logs;
using StreamEngine.Host.Run;

namespace StreamEngine.Host.Explanation;

/// <summary><c>decisions show ID</c> and <c>decisions why CUSTOMER</c>: why decisions came out as they did, from their records.</summary>
internal static class ExplainCommands
{
    private static readonly Argument<string> Id = new("ID")
    {
        Description = "The decision's id, such as shop/events/3/1841/1: actions have it as action_id.",
    };

    private static readonly Argument<string> Customer = new("CUSTOMER") { Description = "The customer id, as events have it." };

    private static readonly Option<string?> Config = new("--config", "-c")
    {
        Description = "The config that decided, for the names of features, texts of rules, names of topics and kafka.settings.",
        HelpName = "FILE",
    };

    private static readonly Option<int> Last =
        SharedOptions.Number("--last", "The newest N decisions, the oldest of them first.", 1, 1, 1_000);

    private static readonly Option<int> Reasons = SharedOptions.Number("--reasons",
        "The N features that added most to each score of a model, or took most.", DecisionReasons.Usual, 0, 10_000);

    /// <summary>The two commands.</summary>
    public static (Command Show, Command Why) Make()
    {
        var show = LogOptions.AddTo(new Command("show", "Tells why a decision came out as it did: which offers were looked at, where and "
            + "why they were dropped, the factors of the others, features, models and experiments. Found by its id without reading the "
            + "topic.") { Id, Config, Reasons });
        var why = LogOptions.AddTo(new Command("why", "Tells the same of a customer's newest decisions. It reads the customer's partition "
            + "from its end, as far back as is needed.") { Customer, Config, Last, Reasons });
        return (Invocation.Act(show, call => Task.FromResult(Run(call, Show))),
            Invocation.Act(why, call => Task.FromResult(Run(call, Why))));
    }

    private static int Run(Invocation call, Func<Invocation, ILog, string, DecisionDesk, int> act)
    {
        var errors = new ConfigErrors();
        var config = call.Get(Config) is null ? null : call.Load(Config!, errors);
        using var engine = config is null ? null
            : ConfigCheck.CompileForTopics(config, errors, line => call.Say(LogLevel.Debug, line));
        errors.ThrowIfAny();
        var options = config?.Options ?? new HostOptions();
        using var log = LogOptions.OpenExisting(call, options.Kafka);
        var reasons = engine is null ? null : new DecisionReasons(engine, call.Get(Reasons));
        using var desk = new DecisionDesk(log, options.Outputs.Decisions, new Explainer(engine, reasons));
        try
        {
            return act(call, log, options.Outputs.Decisions, desk);
        }
        catch (OperationCanceledException) when (call.Stop.IsCancellationRequested)
        {
            return ExitCode.Interrupted;
        }
    }

    private static int Show(Invocation call, ILog log, string topic, DecisionDesk desk)
    {
        if (!DecisionId.TryParse(call.Get(Id)!, out var id))
        {
            call.Say(LogLevel.Error, DecisionLookups.Malformed(call.Get(Id)!));
            return ExitCode.Usage;
        }
        if (desk.Look(id, call.Stop, out var missing) is not { } decision) throw new LogException(missing);
        call.Say(LogLevel.Debug, $"found after {desk.Read} records");
        if (call.Json) call.Print(Json(decision));
        else ExplanationText.Write(call.Out, decision);
        return ExitCode.Done;
    }

    private static int Why(Invocation call, ILog log, string topic, DecisionDesk desk)
    {
        var key = Encoding.UTF8.GetBytes(call.Get(Customer)!);
        var partitions = log.Partitions(topic);
        if (partitions == 0)
            throw new LogException($"topic '{topic}' does not exist. Name the config whose topics are meant (--config FILE).");
        // Marks have no key, so that each record with the customer's key is a decision.
        using var tail = new TopicTail([topic], record => record.Key.AsSpan().SequenceEqual(key), call.Stop,
            Murmur2.Partition(key, partitions));
        tail.Use(log);
        var decisions = tail.Last(call.Get(Last)).Select(r => desk.Explain(r.From, r.Offset, r.Value)).ToList();
        if (decisions.Count == 0)
            throw new LogException($"'{topic}' has no decision of customer '{call.Get(Customer)}'.");
        if (call.Json) call.Print(new JsonArray([.. decisions.Select(Json)]));
        else
            foreach (var decision in decisions) ExplanationText.Write(call.Out, decision);
        return ExitCode.Done;
    }

    private static JsonNode Json(ExplainedDecision decision) => JsonSerializer.SerializeToNode(decision, DecisionEndpoint.Json)!;
}
