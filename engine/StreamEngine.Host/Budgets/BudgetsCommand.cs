using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using StreamEngine.Configuration;
using StreamEngine.Decisions;
using StreamEngine.Host.Cli;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Run;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Budgets;

/// <summary><c>budgets</c>: reads the topic of shared numbers, and tells how each budget stands.</summary>
internal static class BudgetsCommand
{
    private static readonly Option<string> Config = SharedOptions.Config();

    private static readonly Option<bool> All = new("--all")
    {
        Description = "Every period in which something was wanted of a budget, not only the one that it is now.",
    };

    public static Command Make() => Invocation.Act(LogOptions.AddTo(new Command("budgets", "Lists the config's budgets: period, amount, "
        + "what of it is released by now, granted to shards and spent, and the pace, which is what was spent of what was released.")
    {
        Config,
        All,
    }), call => Task.FromResult(List(call)));

    private static int List(Invocation call)
    {
        var errors = new ConfigErrors();
        var config = call.Load(Config, errors);
        using var engine = ConfigCheck.Compile(config, errors);
        errors.ThrowIfAny();
        if (engine!.Policy.Budgets.Count == 0)
        {
            if (call.Json) call.Print(new JsonObject { ["budgets"] = new JsonArray() });
            else call.Out.WriteLine("the config has no budgets");
            return ExitCode.Done;
        }
        using var log = LogOptions.OpenExisting(call, config.Options.Kafka);
        var numbers = SharedBoard.ReadAll(log, engine, e => call.Say(e.Warning ? LogLevel.Warning : LogLevel.Info, e.Text), call.Stop);
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        List<BudgetState> states = [.. BudgetState.Now(engine.Policy, numbers, now)];
        if (call.Get(All))
            states = [.. states.Concat(BudgetState.All(engine.Policy, numbers, now)).DistinctBy(s => (s.Budget, s.Period))];
        if (call.Json) call.Print(new JsonObject { ["budgets"] = Json(states) });
        else foreach (var line in Lines(states)) call.Out.WriteLine(Printable.Text(line));
        return ExitCode.Done;
    }

    /// <summary>Budgets for programs.</summary>
    internal static JsonArray Json(IEnumerable<BudgetState> states) => [.. states.Select(s => (JsonNode)new JsonObject
    {
        ["budget"] = s.Budget,
        ["period"] = s.Period.Length == 0 ? null : s.Period,
        ["amount"] = s.Amount,
        ["released"] = s.Released,
        ["granted"] = s.Granted,
        ["spent"] = s.Spent,
        ["pace"] = Math.Round(s.Pace, 4),
    })];

    private static IEnumerable<string> Lines(IReadOnlyList<BudgetState> states)
    {
        string[] head = ["budget", "period", "amount", "released", "granted", "spent", "pace"];
        List<string[]> rows = [head, .. states.Select(s => new[]
        {
            s.Budget, s.Period.Length == 0 ? "-" : s.Period, Number(s.Amount), Number(s.Released), Number(s.Granted), Number(s.Spent),
            s.Pace.ToString("P1", CultureInfo.InvariantCulture),
        })];
        var widths = head.Select((_, i) => rows.Max(r => r[i].Length)).ToArray();
        foreach (var row in rows)
            yield return string.Join("  ", row.Select((cell, i) => i < 2 ? cell.PadRight(widths[i]) : cell.PadLeft(widths[i])));
    }

    private static string Number(double value) => value.ToString("#,##0.00####", CultureInfo.InvariantCulture);
}
