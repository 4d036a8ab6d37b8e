using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using StreamEngine.Configuration;
using StreamEngine.Decisions;
using StreamEngine.Host.Cli;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Run;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Exploring;

/// <summary><c>exploration</c>: what placements that learn have learnt, from the topic of shared numbers.</summary>
internal static class ExplorationCommand
{
    private static readonly Option<string> Config = SharedOptions.Config();

    /// <summary>The command.</summary>
    public static Command Make()
    {
        var command = new Command("exploration", "Lists the arms of placements that learn (method: thompson), each an offer in a "
            + "placement: how many decisions count, their mean reward, the mean that is believed and its 95 % interval. It reads the topic "
            + "of shared numbers; an engine may be running.") { Config };
        return Invocation.Act(LogOptions.AddTo(command), call => Task.FromResult(Run(call)));
    }

    private static int Run(Invocation call)
    {
        var errors = new ConfigErrors();
        var config = call.Load(Config, errors);
        using var engine = ConfigCheck.Compile(config, errors, line => call.Say(LogLevel.Debug, line));
        if (engine is { Policy.Learns: false })
            errors.Add(config.Options.Decisions.Node, "exploration", "no placement learns",
                "Give one the method thompson under decisions.exploration");
        errors.ThrowIfAny();
        using var log = LogOptions.OpenExisting(call, config.Options.Kafka);
        var numbers = SharedBoard.ReadAll(log, engine!, e => call.Say(e.Warning ? LogLevel.Warning : LogLevel.Info, e.Text), call.Stop);
        var arms = ArmSummary.Of(engine!.Policy, numbers).Select(ReportedArm.Of).ToList();
        if (call.Json) call.Print(Json(arms, numbers.Version));
        else Write(call.Out, arms);
        return ExitCode.Done;
    }

    private static void Write(TextWriter output, List<ReportedArm> arms)
    {
        foreach (var placement in arms.GroupBy(a => a.Arm.Placement))
        {
            var first = placement.First().Arm;
            output.WriteLine($"{Printable.Text(placement.Key)}: {Spelling.Snake($"{first.Reward}")}"
                + (first.AsOf is { } at ? $", as of {at.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}" : ", nothing counts yet"));
            var width = placement.Select(a => Printable.Text(a.Arm.Offer).Length).Append("offer".Length).Max();
            output.WriteLine($"  {"offer".PadRight(width)} {"trials",12} {"mean",10} {"believed",10}   95 % interval");
            foreach (var (arm, low, high) in placement)
                output.WriteLine($"  {Printable.Text(arm.Offer).PadRight(width)} "
                    + string.Create(CultureInfo.InvariantCulture, $"{arm.Trials,12:N1} {Number(arm.Mean),10} ")
                    + $"{Number(arm.PosteriorMean),10}   {Number(low)} to {Number(high)}");
        }
    }

    private static string Number(double? mean) => mean?.ToString("0.#####", CultureInfo.InvariantCulture) ?? "-";

    private static JsonObject Json(List<ReportedArm> arms, long version) => new()
    {
        ["version"] = version,
        ["arms"] = new JsonArray([.. arms.Select(a => new JsonObject
        {
            ["placement"] = a.Arm.Placement,
            ["reward"] = Spelling.Snake($"{a.Arm.Reward}"),
            ["offer"] = a.Arm.Offer,
            ["trials"] = a.Arm.Trials,
            ["mean"] = a.Arm.Mean,
            ["posterior_mean"] = a.Arm.PosteriorMean,
            ["low"] = a.Low,
            ["high"] = a.High,
            ["as_of"] = a.Arm.AsOf?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture),
        })]),
    };
}
