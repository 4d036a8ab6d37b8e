using System.Diagnostics;
using System.Globalization;
using StreamEngine.Runtime;
using StreamEngine.Testing.Simulation;
using Xunit;
using Xunit.Abstractions;

namespace StreamEngine.Tests.Simulation;

/// <summary>
/// Thousands of lives of a few shards, each decided by its seed: workers die at every boundary between two steps, lose and gain partitions,
/// are told nothing, the wrong thing or too late by the log. What is committed in the end must be what the oracle expects.
/// <c>STREAMENGINE_SIM_SEEDS</c> and <c>STREAMENGINE_SIM_FIRST</c> run other seeds, or more.
/// </summary>
[Trait("Category", "Computing")]
public abstract class SimulationTests(ITestOutputHelper output)
{
    private protected abstract SimLogKind Kind { get; }

    private protected virtual Delivery Delivery => Delivery.ExactlyOnce;

    [Fact]
    public void EverySeed_CommitsWhatTheOracleExpects_Once()
    {
        var first = Setting("STREAMENGINE_SIM_FIRST", 1);
        var seeds = Setting("STREAMENGINE_SIM_SEEDS", 1_500);
        using var engines = new SimEngines(Delivery, shares: true);
        var started = Stopwatch.GetTimestamp();
        long boundaries = 0, decisions = 0, deaths = 0, fromFiles = 0, fromStandbys = 0, damaged = 0, answered = 0, repeated = 0,
            switched = 0, followed = 0, told = 0, outcomes = 0, explored = 0, changes = 0, granted = 0, refused = 0, anew = 0,
            learned = 0, knowing = 0;
        var network = new SimNetworkCounts();
        for (var seed = first; seed < first + seeds; seed++)
        {
            engines.Reset();
            var driver = new SimDriver(seed, Kind, engines, told: null);
            if (Failure(driver, engines, out var judge) is { } failure) Assert.Fail(Story(seed, engines, failure));
            boundaries += driver.Boundaries;
            deaths += driver.Cluster.Crashes;
            fromFiles += driver.Cluster.FromFiles;
            fromStandbys += driver.Cluster.FromStandbys;
            damaged += driver.Disk?.Damaged ?? 0;
            decisions += judge.Decisions;
            explored += judge.Explored;
            anew += judge.MadeAnew;
            switched += judge.Switched;
            followed += judge.Followed;
            outcomes += judge.OutcomeCount;
            changes += judge.AudienceCount;
            granted += judge.Granted;
            refused += judge.Refused;
            learned += judge.Learned;
            knowing += judge.Knowing;
            answered += driver.Asks.Answered;
            repeated += judge.Repeated;
            told += driver.Watches.Decisions;
            network.Add(driver.Coordination.Counts);
        }
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Kind}, {Delivery}: {seeds} seeds in {seconds:0.0} s "
            + $"({seeds / seconds:0} a second): {boundaries} step boundaries, {deaths} deaths, {decisions} decisions compared, "
            + $"{explored} that explored, {anew} made anew after quiet hours, "
            + $"{answered} requests answered, {told} decisions told to watchers, {switched} marks of switches, "
            + $"{followed} of tables, {granted} of budgets, {refused} offers refused by them, {learned} of arms, "
            + $"{knowing} decisions that knew something of them, "
            + $"{repeated} decisions repeated, "
            + $"{fromFiles} shards restored from files, {fromStandbys} of them a standby's, {damaged} files damaged; by the network: "
            + $"{network}"));
        if (seeds >= 100) Assert.True(decisions > seeds * 5 && deaths > seeds && fromFiles > seeds / 5 && damaged > seeds / 5);
        if (seeds >= 100) Assert.True(switched > seeds * 2, $"only {switched} marks of switches");
        if (seeds >= 100) Assert.True(followed > seeds * 2, $"only {followed} marks of tables");
        if (seeds >= 100) Assert.True(explored > seeds / 5, $"only {explored} decisions that explored");
        if (seeds >= 100) Assert.True(anew > seeds / 5, $"only {anew} decisions made anew after quiet hours");
        if (seeds >= 100) Assert.True(outcomes > seeds * 2, $"only {outcomes} outcomes");
        if (seeds >= 100) Assert.True(granted > seeds / 2 && refused > seeds, $"{granted} marks of budgets, {refused} refused");
        if (seeds >= 100) Assert.True(learned > seeds / 4 && knowing > seeds / 20, $"{learned} marks of arms, {knowing} that knew them");
        // What follows the checkpoint topic needs one, and a log with several processes.
        var follows = Delivery == Delivery.ExactlyOnce && Kind == SimLogKind.Kafka;
        Assert.True(follows ? seeds < 100 || fromStandbys > seeds / 20 : fromStandbys == 0, $"{fromStandbys} take-overs by a standby");
        if (seeds >= 100 && Delivery == Delivery.ExactlyOnce)
        {
            Assert.True(answered > seeds * 5 && told > seeds, $"{answered} answered, {told} told");
            // Whatever can happen has, or what was asserted of it was not proved.
            Assert.Empty(network.Missing);
        }
        // Exactly once nothing is repeated; without transactions repeats must have come up, or that they are the same was not proved.
        if (Delivery == Delivery.ExactlyOnce) Assert.Equal(0, repeated);
        else if (seeds >= 100) Assert.True(repeated > seeds / 10, $"only {repeated} repeats");
    }

    [Fact]
    public void Seed_AlwaysGoesTheSameWay()
    {
        using var engines = new SimEngines(Delivery, shares: true);
        for (var seed = 1; seed < 20; seed++) Assert.Equal(Told(seed, engines), Told(seed, engines));
    }

    private static Exception? Failure(SimDriver driver, SimEngines engines, out SimJudge judge)
    {
        judge = new SimJudge(driver, engines);
        try
        {
            driver.Run();
            judge.Judge();
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
        finally
        {
            driver.Dispose();
        }
    }

    /// <summary>Runs a failed seed again, to tell how it went.</summary>
    private string Story(int seed, SimEngines engines, Exception failure)
    {
        var told = Told(seed, engines);
        return $"seed {seed} over the {Kind} log, {Delivery}: {(failure is SimFailure ? failure.Message : failure)}\n  again: "
            + $"STREAMENGINE_SIM_FIRST={seed} STREAMENGINE_SIM_SEEDS=1\n{string.Join('\n', told)}";
    }

    private List<string> Told(int seed, SimEngines engines)
    {
        var told = new List<string>();
        Failure(new SimDriver(seed, Kind, engines, told), engines, out _);
        return told;
    }

    private static int Setting(string name, int standard) => int.TryParse(Environment.GetEnvironmentVariable(name), out var value) ? value
        : standard;
}

public sealed class KafkaSimulationTests(ITestOutputHelper output) : SimulationTests(output)
{
    private protected override SimLogKind Kind => SimLogKind.Kafka;
}

/// <summary>Without transactions: nothing lost, nothing wrong, and what comes again is the same to the byte.</summary>
public sealed class AtLeastOnceSimulationTests(ITestOutputHelper output) : SimulationTests(output)
{
    private protected override SimLogKind Kind => SimLogKind.Kafka;

    private protected override Delivery Delivery => Delivery.AtLeastOnce;
}

public sealed class EmbeddedSimulationTests(ITestOutputHelper output) : SimulationTests(output)
{
    private protected override SimLogKind Kind => SimLogKind.Embedded;
}
