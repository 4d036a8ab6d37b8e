using StreamEngine.Runtime;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Runtime;

/// <summary>What a config must not ask for although each part of it is right.</summary>
public sealed class CompiledEngineTests
{
    [Fact]
    public void A_commit_interval_that_no_transaction_outlives_is_refused()
    {
        var options = Scenario.Options() with
        {
            Runtime = new RuntimeOptions { CommitInterval = TimeSpan.FromSeconds(2) },
            Kafka = new KafkaOptions { TransactionTimeout = TimeSpan.FromSeconds(2) },
        };
        var error = Assert.ThrowsAny<Exception>(() => Scenario.Compile(options, new LinearModels(1)));
        Assert.Contains("runtime.commit_interval", error.Message, StringComparison.Ordinal);
    }
}
