using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using StreamEngine.Configuration;
using StreamEngine.Decisions.Outcomes;
using StreamEngine.Host.Cli;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Run;

namespace StreamEngine.Host.Evaluation.Experiments;

/// <summary><c>experiments report</c>: whether variations do better than the control, from the records of decisions and outcomes.</summary>
internal static class ExperimentsCommand
{
    private const string Fixed = "fixed", Sequential = "sequential";

    private static readonly Option<string> Config = SharedOptions.Config();

    private static readonly Option<string> Interval = new("--interval")
    {
        Description = "sequential: right however often the report is looked at, and whenever the experiment is stopped for what it says; "
            + "fixed: narrower, right where the end was fixed before and is looked at once (Welch's t-test).",
        HelpName = "KIND",
        DefaultValueFactory = _ => Sequential,
    };

    private static readonly Option<double> Alpha = new("--alpha")
    {
        Description = "How often a difference may be found where there is none.",
        HelpName = "RATE",
        DefaultValueFactory = _ => 0.05,
    };

    private static readonly Option<DateTimeOffset?> Since = SharedOptions.Time("--since",
        "Only decisions from this time on (ISO 8601, else UTC).");

    private static readonly Option<DateTimeOffset?> Until = SharedOptions.Time("--until", "Only decisions before this time.");

    private static readonly Option<string?> Plot =
        new("--plot") { Description = "Also draws the lifts with their intervals, as an SVG image.", HelpName = "FILE" };

    /// <summary>The command, and its part for examples.</summary>
    public static (Command All, Command Report) Make()
    {
        Interval.AcceptOnlyFromAmong(Sequential, Fixed);
        var report = new Command("report", "Compares the variations of each experiment with its control, the first one: the share of "
            + "customers with an outcome of each kind that the config declares, and the value per customer; with intervals, and a check "
            + "that the variations have as many customers as their weights say.")
        {
            Config, LogOptions.From, LogOptions.Embedded, LogOptions.Kafka, Interval, Alpha, Since, Until, Plot,
        };
        LogOptions.DemandOneOfThree(report);
        report.Validators.Add(result =>
        {
            if (result.GetResult(Alpha) is { Implicit: false, Tokens: [var token, ..] }
                && !(double.TryParse(token.Value, CultureInfo.InvariantCulture, out var rate) && rate is > 0 and < 0.5))
                result.AddError($"--alpha is '{token.Value}': give a rate above 0 and below 0.5, e.g. 0.05.");
        });
        Invocation.Act(report, call => Run(call));
        return (new Command("experiments", "Experiments, and what came of them.") { report }, report);
    }

    private static int Run(Invocation call)
    {
        var errors = new ConfigErrors();
        var config = call.Load(Config, errors);
        ConfigCheck.CheckKafka(config.Options.Kafka, errors);
        if (config.Options.Decisions.Experiments.Count == 0)
            errors.Add(config.Options.Decisions.Node.At, "there are no experiments",
                "Declare what is compared under decisions.experiments");
        if (config.Options.Outcomes is null)
            errors.Add(config.Options.Node.At, "there are no outcomes", "Say under outcomes which events tell what became of a decision");
        errors.ThrowIfAny();
        if (call.Get(Plot) is { } plot) ResultPath.File(Plot.Name, plot);
        var kinds = config.Options.Outcomes!.Events.Select(e => e.Kind).ToHashSet();
        var reader = new ExperimentReader(config.Options, call.Get(Since), call.Get(Until));
        reader.Read(call, call.Get(LogOptions.From));
        foreach (var (what, count) in reader.Unknown)
            call.Say(LogLevel.Warning, $"{count} assignments to {what} are not in the config and are left out");
        var alpha = call.Get(Alpha);
        var isFixed = call.Get(Interval) == Fixed;
        var reports = reader.Experiments.Select(e => ExperimentReport.Of(e, Measures(e, kinds),
            (control, arm) => isFixed ? Lift.Fixed(control, arm, alpha) : Lift.Sequential(control, arm, alpha))).ToList();
        foreach (var report in reports) Warn(call, report);
        if (call.Get(Plot) is { } file) File.WriteAllText(file, LiftPlot.Svg(reports, alpha));
        if (call.Json) call.Print(new JsonArray([.. reports.Select(r => r.Json())]));
        else foreach (var report in reports) report.Tell(call.Out, alpha);
        return ExitCode.Done;
    }

    private static IEnumerable<(string Name, ArmSums[] Arms)> Measures(ExperimentData data, HashSet<OutcomeKind> kinds)
    {
        foreach (var kind in Enum.GetValues<OutcomeKind>())
            if (kind != OutcomeKind.None && kinds.Contains(kind)) yield return (Spelling.Snake(kind.ToString()), data.Shares(kind));
        if (kinds.Contains(OutcomeKind.Conversion)) yield return ("value", data.Values());
    }

    private static void Warn(Invocation call, ExperimentReport report)
    {
        if (report.IsMismatched)
            call.Say(LogLevel.Warning, $"{report.Name}: the variations do not have the customers that their weights say. Something in the "
                + "assignment, in what is decided or in what is counted is broken: believe none of its lifts");
        if (report.Moved > 0)
            call.Say(LogLevel.Warning, $"{report.Name}: {report.Moved} customers were in more than one variation, as the seed, the weights "
                + "or the variations changed, and are left out. --since leaves the time before out");
    }
}
