using StreamEngine.Connectors.Embedded;
using StreamEngine.Runtime;
using StreamEngine.State;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Runtime;

/// <summary>Whether a loop moves, as others than its thread see it.</summary>
public sealed class WorkerTurnTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("turn-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_turn_begins_the_time_anew()
    {
        var time = new ManualTime(DateTimeOffset.UnixEpoch);
        var options = Scenario.Options();
        using var log =
            new EmbeddedLog(new EmbeddedLogOptions(_folder) { WriteMemoryBytes = 4 << 20, PageBytes = 1 << 20, SegmentBytes = 16 << 20 });
        log.CreateTopics(Topics.Needed(options, 1));
        using var engine = Scenario.Compile(options, new LinearModels(1));
        using var metrics = new EngineMetrics(engine);
        using var worker = new Worker(new WorkerSettings
        {
            Engine = engine,
            Log = log,
            InstanceId = "w",
            OpenStore = _ =>
            new MemoryStateStore(),
            Time = time
        }, metrics, Topics.Check(log, engine));

        time.Advance(TimeSpan.FromSeconds(40)); // joined, but no turn yet
        Assert.Equal(TimeSpan.FromSeconds(40), worker.SinceTurn);
        worker.Turn();
        Assert.Equal(TimeSpan.Zero, worker.SinceTurn);
        time.Advance(TimeSpan.FromMinutes(3));
        Assert.Equal(TimeSpan.FromMinutes(3), worker.SinceTurn);
    }

    [Theory]
    [InlineData(1, 120)]
    [InlineData(10, 120)]
    [InlineData(60, 720)]
    public void The_limit_is_above_every_wait_for_a_log_that_answers(int transactionTimeout, int expected)
    {
        var limit = WorkerTurn.Limit(TimeSpan.FromSeconds(transactionTimeout));
        Assert.Equal(TimeSpan.FromSeconds(expected), limit);

        // Three calls, each tried for two timeouts with a grace of five seconds.
        Assert.True(limit > TimeSpan.FromSeconds(3 * (2 * transactionTimeout + 5)));
    }
}
