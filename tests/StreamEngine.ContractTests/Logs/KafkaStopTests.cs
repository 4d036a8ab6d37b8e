using StreamEngine.Connectors;
using Xunit;

namespace StreamEngine.ContractTests.Logs;

/// <summary>
/// A member that stops at any moment of a rebalance must come to its end. A close that met a rebalance which nobody had served yet could
/// wait for ever, once in some thirty tries on a loaded machine.
/// </summary>
public sealed class KafkaStopTests : LogContract
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    protected override TimeSpan Patience => TimeSpan.FromSeconds(60);

    private protected override ILog OpenLog() => TestKafka.Open();

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_member_stops_in_the_midst_of_a_rebalance_and_is_told_of_what_it_had(bool leaves)
    {
        var (source, output) = (Topic("in", 4), Topic("out", 4));
        using var other = Worker(source, output, "other");
        Until(() => other.Owned.Count == 4, "all partitions", other);
        for (var round = 0; round < 4; round++)
        {
            // Joining, and stopping without a further poll, at another moment of the rebalance each time.
            var stopped = Worker(source, output, $"stopped-{round}");
            for (var turn = 0; turn < 40 * round; turn++)
            {
                other.Poll(milliseconds: 5);
                stopped.Poll(milliseconds: 5);
            }
            var had = stopped.Owned.ToHashSet();
            if (leaves) stopped.Log.Leave();
            var stopping = Task.Run(stopped.Dispose);
            var began = System.Diagnostics.Stopwatch.GetTimestamp();
            while (!stopping.IsCompleted && System.Diagnostics.Stopwatch.GetElapsedTime(began) < Limit) other.Poll();
            Assert.True(stopping.IsCompleted, $"round {round}: the member has not stopped within {Limit.TotalSeconds:0} s");
            await stopping;
            Assert.Empty(stopped.Owned);
            Assert.Subset(stopped.WasRevoked.Concat(stopped.WasLost).ToHashSet(), had);
            Until(() => other.Owned.Count == 4, "the partitions of the one that stopped", other);
        }
    }
}
