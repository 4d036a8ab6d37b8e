using Confluent.Kafka;
using Confluent.Kafka.Admin;
using StreamEngine.State.Savepoints;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Savepoints;

/// <summary>On a real broker: saved beside a running engine, restored, and refused where retention took what is needed.</summary>
public sealed class KafkaSavepointTests
{
    [SkippableFact]
    public async Task Saved_beside_a_running_engine_it_restores_and_says_what_retention_took()
    {
        Skip.If(KafkaBroker.Missing is not null, KafkaBroker.Missing);
        using var shop = new SavepointShop(KafkaBroker.Shared.Address);
        await shop.Create(shop.Old);
        await shop.Live(shop.Old, 1_000);
        using var stop = new CancellationTokenSource();
        var running = Task.Run(() => shop.Run(shop.Old, stop.Token, "run"));
        shop.Write(1_500);
        await shop.Do(shop.Old, "savepoint", "create", "live");
        shop.Write(300);
        await shop.Do(shop.Old, "savepoint", "create", "later");
        stop.Cancel();
        var (code, _, error) = await running;
        Assert.True(code == 0, error);
        await shop.Live(shop.Old, 200);

        // Whatever it stands at, what follows leads to the state that the log alone gives.
        foreach (var name in new[] { "live", "later" })
        {
            await shop.Do(shop.Old, "savepoint", "restore", name);
            Assert.Contains("checkpoint 0 with", (await shop.Do(shop.Old, "run", "--drain")).Error, StringComparison.Ordinal);
            var restored = await shop.Slots(shop.Old, $"{name}-after");
            Directory.Delete(Path.Combine(shop.Folder, "state", "checkpoints"), recursive: true);
            Assert.Equal(await shop.Slots(shop.Old, $"{name}-log"), restored);
        }

        // Retention: a backfill that misses the first records warns; a log that no longer holds what follows is refused, before anything is
        // written.
        var at = SavepointFolder.Read(shop.Savepoint("live")).Shards[0].Offsets[0];
        Assert.True(at > 10);
        await DeleteBefore(shop.Events, at - 5);
        Assert.Contains("the backfill is partial", (await shop.Do(shop.New, "savepoint", "restore", "live", "--backfill")).Error,
            StringComparison.Ordinal);
        Assert.Contains("checkpoint 0 with", (await shop.Do(shop.New, "run", "--drain")).Error, StringComparison.Ordinal);
        await DeleteBefore(shop.Events, at + 5);
        Directory.Delete(Path.Combine(shop.Folder, "state", "checkpoints"), recursive: true);
        error = await shop.Fail(3, shop.New, "savepoint", "restore", "live");
        Assert.Contains($"{shop.Events}[0] begins at offset {at + 5}: what followed the savepoint, from offset {at} on, was deleted", error,
            StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(shop.Folder, "state", "checkpoints")));
    }

    private static async Task DeleteBefore(string topic, long offset)
    {
        using var admin = new AdminClientBuilder(new Dictionary<string, string> { ["bootstrap.servers"] = KafkaBroker.Shared.Address })
            .Build();
        await admin.DeleteRecordsAsync([new TopicPartitionOffset(topic, 0, offset)],
            new DeleteRecordsOptions { RequestTimeout = TimeSpan.FromSeconds(30) });
    }
}
