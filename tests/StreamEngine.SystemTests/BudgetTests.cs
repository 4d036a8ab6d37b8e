using System.Globalization;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Decisions;
using StreamEngine.Host.Configuration;
using StreamEngine.Runtime;
using StreamEngine.SystemTests.Oracle;
using StreamEngine.SystemTests.Runs;
using StreamEngine.SystemTests.Shop;
using StreamEngine.Testing;
using Xunit;
using Xunit.Abstractions;

namespace StreamEngine.SystemTests;

/// <summary>
/// Two engines on one broker share budgets while one after the other is killed with kill -9. A long form alone:
/// <c>STREAMENGINE_BUDGET_KILLS</c> says how many times.
/// </summary>
[Collection(nameof(ChaosTests))]
public sealed class BudgetTests(ITestOutputHelper output)
{
    private const int EventsPerKill = 2_500, PerSecond = 250, Customers = 400;
    private const string Shared = "budgets-shared";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(180);

    [SkippableFact]
    public async Task Engines_that_are_killed_in_turn_overspend_no_budget_and_forget_nothing_that_is_spent()
    {
        _ = int.TryParse(Environment.GetEnvironmentVariable("STREAMENGINE_BUDGET_KILLS"), CultureInfo.InvariantCulture, out var kills);
        Skip.If(kills == 0, "a long form: set STREAMENGINE_BUDGET_KILLS=4");
        Skip.If(KafkaBroker.Missing is not null, KafkaBroker.Missing);
        using var arena = new Arena(JobDefinition.Chaos, KafkaBroker.Shared.Address, "budgets");
        using (var log = arena.OpenLog()) log.CreateTopics([new TopicSpec(Shared, 1, Compacted: true)]);
        var amount = 100 * kills;
        string[] settings =
        [
            $"shared.topic={Shared}", "decisions.budgets={money: {amount: " + amount + "}, wide: {amount: 1000000, cost: '2.5'}}",
            .. Member.Short,
        ];

        // (1) Customers come while engines die and come back.
        var input = ShopInput.Make(new InputSpec(33, EventsPerKill * (kills + 1), Customers, Arena.Partitions)).ToArray();
        var engines = new[] { arena.Start(1, node: "a", settings: settings), arena.Start(2, node: "b", settings: settings) };
        for (var kill = 0; kill <= kills; kill++)
        {
            await arena.Write(input.AsSpan(kill * EventsPerKill, EventsPerKill).ToArray(), PerSecond);
            if (kill == kills) break;
            await engines[kill % 2].Kill();
            engines[kill % 2] = arena.Start(1 + kill % 3, node: kill % 2 == 0 ? "a" : "b", settings: settings);
        }
        Assert.True(await engines[0].Until(() => Task.FromResult(arena.AllCommitted()), Patience), engines[0].Output);
        foreach (var engine in engines) engine.Terminate();
        foreach (var engine in engines) Assert.True(await engine.Exit(Patience) == 0, engine.Output);

        // (2) What the topic says is what the decision log says, and no more than the amount.
        var served = arena.Decisions().Where(d => d.Kind == "decision" && d.Offer is not null).ToList();
        var numbers = Numbers(arena, settings);
        output.WriteLine($"{kills} kills: {served.Count} served; {string.Join("; ", numbers)}");
        Assert.Equal(served.Count, served.Select(d => d.DecisionId).Distinct().Count());
        foreach (var (budget, cost) in new[] { ("money", 1.0), ("wide", 2.5) })
        {
            var state = numbers.Single(n => n.Budget == budget);
            Assert.Equal(cost * served.Count, state.Spent);
            Assert.InRange(state.Spent, 1, state.Granted);
            Assert.InRange(state.Granted, 1, state.Amount);
        }
        // All partitions have customers, so no more is left than each shard has in hand.
        Assert.InRange(served.Count, amount * (1 - 0.05) - Arena.Partitions, amount);
    }

    private static List<BudgetState> Numbers(Arena arena, string[] settings)
    {
        var errors = new ConfigErrors();
        var config = ConfigLoader.Load(arena.Config, arena.Settings(null, "reader", settings), new Dictionary<string, string>(), errors);
        using var compiled = ConfigCheck.CompileForTopics(config, errors);
        errors.ThrowIfAny();
        using var log = arena.OpenLog();
        return [.. BudgetState.Now(compiled!.Policy, SharedBoard.ReadAll(log, compiled, _ => { }, default), 0)];
    }
}
