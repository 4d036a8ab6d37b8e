using System.Collections;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Kafka;
using StreamEngine.Host.Collector;
using StreamEngine.Host.Configuration;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Http;

/// <summary>The collector before a real broker that dies and comes back.</summary>
public sealed class KafkaCollectorTests
{
    private const int Senders = 6, Partitions = 4;

    private const string Config = """
        name: collected
        events:
          shop: { topic: shop, format: json, customer: c, id: id, time: t }
        features: { n: { op: count } }
        collector: { patience: 2s, sources: { shop: {} } }

        """;

    [SkippableFact]
    public async Task Every_event_that_was_answered_is_in_the_log_once_and_in_its_partition_across_a_brokers_death()
    {
        Skip.If(KafkaBroker.MissingOwn is not null, KafkaBroker.MissingOwn);
        using var broker = KafkaBroker.Start();
        var path = Path.Combine(Directory.CreateTempSubdirectory("collector-").FullName, "c.yaml");
        File.WriteAllText(path, Config);
        var errors = new ConfigErrors();
        var loaded = ConfigLoader.Load(path, [], new Hashtable(), errors);
        using var compiled = ConfigCheck.CompileForTopics(loaded, errors);
        errors.ThrowIfAny();
        using var log = new KafkaLog(new KafkaLogOptions { Bootstrap = broker.Address, Patience = Timeout.InfiniteTimeSpan });
        log.CreateTopics([new TopicSpec("shop", Partitions, ReplicationFactor: 1)]);
        using var collector = new EventCollector(loaded.Options.Collector!, compiled!, log.OpenWriter, [], 1_000_000, _ => { });

        using var stop = new CancellationTokenSource();
        var answered = new int[Senders];
        var senders = Enumerable.Range(0, Senders).Select(s => Task.Run(async () =>
        {
            // Each sends its events in order, and again until they are answered, as clients do.
            for (var n = 0; !stop.IsCancellationRequested || n < 20; n++)
            {
                while (!await Send(collector, s, n)) await Task.Delay(5);
                Volatile.Write(ref answered[s], n + 1);
            }
        })).ToList();
        await Until(() => answered.All(n => Volatile.Read(in n) >= 5));
        broker.Kill();
        var before = answered.Sum();
        broker.Restart();
        await Until(() => answered.Sum() >= before + 10 * Senders);
        await stop.CancelAsync();
        await Task.WhenAll(senders);

        var records = CollectorBench.Read(log, "shop"); // which looks at the partitions too
        var expected = answered.SelectMany((count, s) => Enumerable.Range(0, count).SelectMany(n => Ids(s, n)));
        Assert.Equal(expected.Order(StringComparer.Ordinal),
            records.Select(r => (string)r.Json["id"]!).Order(StringComparer.Ordinal));
    }

    private static async Task<bool> Send(EventCollector collector, int sender, int n)
    {
        var events = Ids(sender, n).Select((id, i) => $$"""{"c":"c{{sender * 31 + i}}","id":"{{id}}","t":1704067200000}""").ToList();
        var body = System.Text.Encoding.UTF8.GetBytes($"[{string.Join(',', events)}]");
        var share = collector.Memory.Open();
        var places = BodyEvents.Find(body, BodyKind.Json, 32, 1_000, out _)!;
        var (outcome, taken) = await collector.TakeAsync(collector.Sources["shop"], body, places, false, null, share,
            CancellationToken.None);
        Assert.Empty(taken.Errors);
        return outcome == WriteOutcome.Written;
    }

    private static IEnumerable<string> Ids(int sender, int n) => Enumerable.Range(0, 5).Select(i => $"{sender}-{n}-{i}");

    private static async Task Until(Func<bool> holds)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(180));
        while (!holds()) await Task.Delay(10, patience.Token);
    }
}
