using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using StreamEngine.Configuration;
using StreamEngine.Decisions;
using StreamEngine.Decisions.Outcomes;
using StreamEngine.Host.Cli;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Evaluation.Experiments;
using StreamEngine.Host.Replay.Comparison;
using StreamEngine.Host.Run;

namespace StreamEngine.Host.Evaluation.OffPolicy;

/// <summary><c>evaluate policy</c>: what another way of choosing would have earned, from logged decisions and their outcomes.</summary>
internal static class PolicyCommand
{
    private static readonly Option<string> Config = SharedOptions.Config();

    private static readonly Option<string> Policy = new("--policy")
    {
        Description = $"What would choose among the logged candidates: {TargetPolicy.Forms}; or another config, which decides each logged "
            + "decision again.",
        HelpName = "POLICY|FILE",
        Required = true,
    };

    private static readonly Option<string> Reward = new("--reward")
    {
        Description = "What counts: a kind of outcome, 1 where it came, or value, of conversions less refunds.",
        HelpName = "KIND",
        DefaultValueFactory = _ => "conversion",
    };

    private static readonly Option<string?> Placement = new("--placement")
    {
        Description = "Only decisions of this placement.",
        HelpName = "NAME",
    };

    private static readonly Option<double> Clip = new("--clip")
    {
        Description = "The largest weight that clipped_ips gives a decision.",
        HelpName = "WEIGHT",
        DefaultValueFactory = _ => 10,
    };

    private static readonly Option<double> Alpha = new("--alpha")
    {
        Description = "How often an interval may miss the truth.",
        HelpName = "RATE",
        DefaultValueFactory = _ => 0.05,
    };

    /// <summary>The command.</summary>
    public static Command Make()
    {
        Reward.AcceptOnlyFromAmong([.. Enum.GetValues<OutcomeKind>().Where(k => k != OutcomeKind.None)
            .Select(k => Spelling.Snake(k.ToString())), PolicyData.Value]);
        var command = new Command("policy", "Tells what another policy would have earned per decision, from logged decisions that explored "
            + "and what came of them: IPS, clipped IPS, SNIPS and doubly robust, with intervals, and how far the log covers the policy.")
        {
            Config, LogOptions.From, LogOptions.Embedded, LogOptions.Kafka, Policy, Reward, Placement, Clip, Alpha,
        };
        LogOptions.DemandOneOfThree(command);
        command.Validators.Add(result =>
        {
            if (result.GetResult(Policy) is { Tokens: [var policy, ..] } && TargetPolicy.TryParse(policy.Value) is null
                && !IsConfig(policy.Value))
                result.AddError($"--policy is '{policy.Value}': " + (TargetPolicy.Learns(policy.Value) ? $"{TargetPolicy.WhyNotLearning}."
                    : $"give {TargetPolicy.Forms}, or the file of a config."));
            if (result.GetResult(Clip) is { Implicit: false, Tokens: [var clip, ..] }
                && !(double.TryParse(clip.Value, CultureInfo.InvariantCulture, out var most) && most > 0))
                result.AddError($"--clip is '{clip.Value}': give a weight above 0, e.g. 10.");
            if (result.GetResult(Alpha) is { Implicit: false, Tokens: [var token, ..] }
                && !(double.TryParse(token.Value, CultureInfo.InvariantCulture, out var rate) && rate is > 0 and < 0.5))
                result.AddError($"--alpha is '{token.Value}': give a rate above 0 and below 0.5, e.g. 0.05.");
        });
        Invocation.Act(command, call => Run(call));
        return command;
    }

    private static int Run(Invocation call)
    {
        var errors = new ConfigErrors();
        var config = call.Load(Config, errors);
        ConfigCheck.CheckKafka(config.Options.Kafka, errors);
        if (config.Options.Outcomes is null)
            errors.Add(config.Options.Node.At, "there are no outcomes", "Say under outcomes which events tell what became of a decision");
        if (TargetPolicy.TryParse(call.Get(Policy)!) is { } policy)
        {
            errors.ThrowIfAny();
            return Evaluate(call, config, policy, null);
        }
        var other = call.Load(call.Get(Policy)!, errors);
        if (ReferenceEquals(other, LoadedConfig.Unreadable)) errors.ThrowIfAny();
        using var log = ConfigCheck.Compile(config, errors, line => call.Say(LogLevel.Debug, line));
        using var engine = ConfigCheck.Compile(other, errors, line => call.Say(LogLevel.Debug, line));
        if (log is not null && engine is not null) PolicyConfigs.Check(log, engine, call.Get(Config)!, errors);
        errors.ThrowIfAny();
        using var again = new ConfigPolicy(log!, engine!);
        var report = new ConfigReport(again, ConfigDifference.Of(log!, engine!), [.. PolicyConfigs.Notes(log!, engine!)]);
        foreach (var note in report.Notes) call.Say(LogLevel.Warning, note);
        return Evaluate(call, config, again, report);
    }

    /// <summary>Whether the text names the file of a config.</summary>
    private static bool IsConfig(string text) => text.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase)
        || text.EndsWith(".yml", StringComparison.OrdinalIgnoreCase) || File.Exists(text);

    private static int Evaluate(Invocation call, LoadedConfig config, IEvaluatedPolicy policy, ConfigReport? report)
    {
        var learned = config.Options.Decisions.Exploration.Where(e => e.Method == ExplorationMethod.Thompson).DistinctBy(e => e.Name)
            .ToDictionary(e => e.Name, e => Spelling.Snake($"{e.Reward ?? RewardKind.Click}"));
        var data = new PolicyData(policy, call.Get(Reward)!, call.Get(Placement), learned);
        LoggedRecords.Read(call, config.Options, call.Get(LogOptions.From), data.Decision, data.Outcome);
        if (data.Samples.Count == 0)
        {
            report?.Warn(call);
            call.Say(LogLevel.Error, Nothing(call, data));
            return ExitCode.Runtime;
        }
        Warn(call, data);
        report?.Warn(call);
        var estimates = Estimators.All(data.Samples, call.Get(Clip), call.Get(Alpha));
        if (data.OtherReward > 0) estimates = [.. estimates.Where(e => e.Name is not ("dm" or "dr"))];
        if (call.Json)
        {
            var json = Json(data, estimates);
            report?.AddTo(json);
            call.Print(json);
            return ExitCode.Done;
        }
        report?.Tell(call);
        Tell(call, data, estimates);
        return ExitCode.Done;
    }

    /// <summary>Why there is nothing to estimate from.</summary>
    private static string Nothing(Invocation call, PolicyData data) => data.Open > 0
        ? $"no decision is closed yet ({data.Open} open): no event has moved event time past the end of the windows (outcomes.windows). "
            + "Evaluate later, or a replay with a later --as-of"
        : $"no decision can be evaluated: of {(call.Get(Placement) is { } name ? $"the placement '{name}'" : "all placements")} there is "
            + $"none that showed something and is closed; {data.Withdrawn} are of customers who consent no more, {data.Unusable} have no "
            + $"usable probability or candidate{(data.Unknown > 0 ? $", and of {data.Unknown} the log does not tell enough" : "")}";

    private static void Warn(Invocation call, PolicyData data)
    {
        if (data.Uncovered > 0)
            call.Say(LogLevel.Warning, string.Create(CultureInfo.InvariantCulture, $"{data.Uncovered:P1} of what the policy would choose ")
                + "could not come out in the log, as another offer was certain: what that would have earned can't be known");
        if (data.Unusable > 0)
            call.Say(LogLevel.Warning, $"{data.Unusable} decisions without a usable probability or candidate are left out");
        if (data.Open + data.Withdrawn > 0)
            call.Say(LogLevel.Warning, $"{data.Open} decisions whose outcomes are not closed, and {data.Withdrawn} whose customers "
                + "consent no more, are left out");
        if (data.Displaced > 0)
            call.Say(LogLevel.Warning, $"{data.Displaced} decisions were closed before their windows were over and may have earned more");
        if (data.OtherReward > 0)
            call.Say(LogLevel.Warning, $"in {data.OtherReward} decisions P and V are what was learnt of another reward than "
                + $"{call.Get(Reward)}, and no model of it: dm and dr are left out");
        if (data.Replaced > 0)
            call.Say(LogLevel.Warning, $"in {data.Replaced} decisions the offer was no candidate; the best one stands for it");
    }

    private static void Tell(Invocation call, PolicyData data, IReadOnlyList<Estimate> estimates)
    {
        var customers = data.Samples.Select(s => s.Customer).Distinct().Count();
        call.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{call.Get(Policy)}: {data.Samples.Count:N0} decisions of {customers:N0} customers, effective size {Size(data):N0}"));
        call.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  least logged probability {data.Samples.Min(s => s.Logged):0.######}, ")
            + string.Create(CultureInfo.InvariantCulture, $"largest weight {data.Samples.Max(s => s.Weight):0.###}"));
        call.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  {call.Get(Reward),-12} {"estimate",10}   {(1 - call.Get(Alpha)) * 100:0.##} % interval"));
        foreach (var e in estimates)
            call.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {e.Name,-12} {e.Value,10:0.0000}   ")
                + (double.IsFinite(e.Error) ? string.Create(CultureInfo.InvariantCulture, $"{e.Low:0.0000} to {e.High:0.0000}") : "-"));
    }

    private static JsonObject Json(PolicyData data, IReadOnlyList<Estimate> estimates) => new()
    {
        ["decisions"] = data.Samples.Count,
        ["customers"] = data.Samples.Select(s => s.Customer).Distinct().Count(),
        ["effective_size"] = Size(data),
        ["least_logged_probability"] = data.Samples.Min(s => s.Logged),
        ["largest_weight"] = data.Samples.Max(s => s.Weight),
        ["not_covered"] = data.Uncovered,
        ["open"] = data.Open,
        ["withdrawn"] = data.Withdrawn,
        ["displaced"] = data.Displaced,
        ["unusable"] = data.Unusable,
        ["offer_no_candidate"] = data.Replaced,
        ["estimates"] = new JsonObject(estimates.Select(e => KeyValuePair.Create<string, JsonNode?>(e.Name, new JsonObject
        {
            ["value"] = Number(e.Value),
            ["standard_error"] = Number(e.Error),
            ["low"] = Number(e.Low),
            ["high"] = Number(e.High),
        }))),
    };

    private static double Size(PolicyData data) => Estimators.EffectiveSize(data.Samples);

    private static JsonNode? Number(double value) => double.IsFinite(value) ? JsonValue.Create(value) : null;
}
