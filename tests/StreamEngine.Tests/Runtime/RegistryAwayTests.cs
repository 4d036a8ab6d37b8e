using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Embedded;
using StreamEngine.Connectors.Kafka;
using StreamEngine.Connectors.SchemaRegistry;
using StreamEngine.Events;
using StreamEngine.Events.Registry;
using StreamEngine.Host.Run;
using StreamEngine.Runtime;
using StreamEngine.State;
using StreamEngine.Testing;
using StreamEngine.Tests.Events;
using Xunit;

namespace StreamEngine.Tests.Runtime;

/// <summary>
/// An engine on the embedded log, and a registry on loopback that is stopped and started: records whose schema can't be asked for wait,
/// with what follows them in their partition, and nothing else does.
/// </summary>
public sealed class RegistryAwayTests : IAsyncLifetime
{
    private const int Partitions = 2, Known = 1, Newer = 2, Bad = 77;
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);
    private readonly string _folder = Directory.CreateTempSubdirectory("away-").FullName;
    private readonly ConcurrentQueue<string> _told = [];
    private ILog _log;
    private string _prefix = "";   // of the topics, where others use the same log
    private readonly string[] _customers;
    private RegistryServer _registry = null!;
    private int _written;

    public RegistryAwayTests()
    {
        _log = new EmbeddedLog(new EmbeddedLogOptions(_folder)
        {
            WriteMemoryBytes = 4 << 20,
            PageBytes = 1 << 20,
            SegmentBytes = 16 << 20
        });
        _log.CreateTopics(Topics.Needed(Options("", TimeSpan.Zero), Partitions));
        // One customer for each partition.
        _customers = [.. Enumerable.Range(0, Partitions).Select(p =>
            Enumerable.Range(0, 100).Select(i => $"c{i}").First(c => Murmur2.Partition(Encoding.UTF8.GetBytes(c), Partitions) == p))];
    }

    public async Task InitializeAsync()
    {
        _registry = await RegistryServer.RunAsync();
        var schema = File.ReadAllText(RepositoryRoot.At("schemas/shop-event.avsc"));
        _registry.Add(Known, schema, "events-value");
        _registry.Add(Newer, schema);
    }

    public async Task DisposeAsync()
    {
        await _registry.DisposeAsync();
        _log.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [SkippableTheory]
    [InlineData(Delivery.ExactlyOnce)]
    [InlineData(Delivery.AtLeastOnce)]
    public async Task The_same_on_a_broker(Delivery delivery)
    {
        Skip.If(KafkaBroker.Missing is not null, KafkaBroker.Missing);
        _log.Dispose();
        _prefix = $"away-{Guid.NewGuid():N}-";
        _log = new KafkaLog(new KafkaLogOptions { Bootstrap = KafkaBroker.Shared.Address });
        _log.CreateTopics(Topics.Needed(Options("", TimeSpan.Zero), Partitions));
        await Records_wait_for_a_registry_that_is_away_and_nothing_else_does(false, delivery);
    }

    [Theory]
    [InlineData(false, Delivery.ExactlyOnce)]
    [InlineData(true, Delivery.ExactlyOnce)]
    [InlineData(false, Delivery.AtLeastOnce)]
    public async Task Records_wait_for_a_registry_that_is_away_and_nothing_else_does(bool answers500, Delivery delivery)
    {
        using var engine = Start(TimeSpan.Zero, delivery);
        Write(0, Known, 10);
        Write(1, Known, 10);
        await Until(engine, e => Admitted(e) == 20);
        await Away(answers500);

        // The schema of partition 0's next record is not known yet; that of partition 1's is.
        Write(0, Newer, 5);
        Write(0, Known, 5);
        Write(1, Known, 10);
        await Until(engine, e => Admitted(e) == 30 && e.Dependencies.Any(d => d.Lasts is not null));
        var health = RunCommand.Health(engine.Engine);
        Assert.Equal((false, "waiting"), (health.Ready, health.Status));
        Assert.Equal("schema-registry", Assert.Single(health.Away).Dependency);
        Assert.Contains(_told, t => t.StartsWith("The schema registry does not answer: ", StringComparison.Ordinal)
            && t.EndsWith("Shard 0 waits for a schema; nothing is lost.", StringComparison.Ordinal)
            && (!answers500 || t.Contains("500", StringComparison.Ordinal)));
        await Until(engine, e => e.Dependencies.Any(d => d.Lasts > TimeSpan.FromSeconds(3)));
        Assert.Equal(30, Admitted(engine.Engine)); // neither passed over nor rejected
        Assert.Equal(10, _log.Committed(_prefix + "scenario", new TopicPartition(_prefix + "events", 0)));

        await Back(answers500);
        await Until(engine, e => Admitted(e) == 40 && e.Dependencies.All(d => d.Lasts is null));
        await Until(engine, _ => RunCommand.Health(engine.Engine).Ready);
        Assert.Contains(_told, t => t.StartsWith("The schema registry answers again after ", StringComparison.Ordinal));
        Assert.Equal(0, engine.Engine.Metrics.Totals().Rejected.Sum());
        Assert.Equal(40, engine.Engine.Metrics.Totals().Records);
    }

    [Fact]
    public async Task A_start_without_the_registry_says_so_and_its_shards_go_on_once_it_is_there()
    {
        using (var engine = Start(TimeSpan.Zero))
        {
            Write(0, Known, 10);
            Write(1, Known, 10);
            await Until(engine, e => Admitted(e) == 20);
        }
        await Away(answers500: true);
        using var again = Start(TimeSpan.Zero); // its restore needs the schemas as well
        Assert.Contains(_told, t => t.Contains("is not checked against the newest schema of 'events-value'", StringComparison.Ordinal)
            && t.Contains("500", StringComparison.Ordinal));
        Write(0, Known, 5);
        await Until(again, e => e.Dependencies.Any(d => d.Lasts > TimeSpan.FromSeconds(1)));
        Assert.Equal((0, 2), (Admitted(again.Engine), again.Engine.Restoring.Count()));

        await Back(answers500: true);
        await Until(again, e => Admitted(e) == 5 && e.Metrics.Totals().Restored == 20);
        Assert.Equal(0, again.Engine.Metrics.Totals().Rejected.Sum());
    }

    [Fact]
    public async Task A_bad_record_stops_others_no_longer_than_the_patience()
    {
        using var engine = Start(TimeSpan.FromSeconds(1));
        Write(0, Known, 10);
        await Until(engine, e => Admitted(e) == 10);
        Write(0, Bad, 1);
        Write(0, Known, 1);
        await Until(engine, e => Admitted(e) == 11); // an answer: there is no such schema
        Assert.Equal(1, Refused(engine.Engine));

        await Away(answers500: false);
        var began = TimeProvider.System.GetTimestamp();
        Write(0, Bad + 1, 1);
        Write(0, Known, 1);
        Write(0, Bad + 2, 3);
        Write(0, Known, 1);
        await Until(engine, e => Admitted(e) == 13);
        Assert.True(TimeProvider.System.GetElapsedTime(began) >= TimeSpan.FromSeconds(1));
        Assert.Equal(5, Refused(engine.Engine));
    }

    [Fact]
    public async Task A_drain_does_not_end_before_the_records_that_wait()
    {
        using (var engine = Start(TimeSpan.Zero))
        {
            Write(0, Known, 10);
            await Until(engine, e => Admitted(e) == 10);
        }
        Write(0, Newer, 5);
        Write(1, Newer, 5);
        using var drained = Start(TimeSpan.Zero, drain: true, before: () => _registry.Status = 500);
        await Until(drained, e => e.Dependencies.Any(d => d.Lasts > TimeSpan.FromSeconds(1)));
        Assert.False(drained.Engine.Completion.IsCompleted);
        _registry.Status = null;
        await drained.Engine.Completion.WaitAsync(Long);
        Assert.Equal(10, Admitted(drained.Engine));
    }

    private Task Away(bool answers500)
    {
        if (!answers500) return _registry.StopAsync();
        _registry.Status = 500;
        return Task.CompletedTask;
    }

    private Task Back(bool answers500)
    {
        _registry.Status = null;
        return answers500 ? Task.CompletedTask : _registry.StartAsync();
    }

    private EngineOptions Options(string registry, TimeSpan patience, Delivery delivery = Delivery.ExactlyOnce) =>
        Scenario.Options() with
        {
            Name = _prefix + "scenario",
            Events = [ShopEvents.Source with { Topic = _prefix + "events", Customer = "$key" }],
            Outputs = new OutputOptions
            {
                Actions = _prefix + "actions",
                Decisions = _prefix + "decisions",
                DeadLetter = _prefix + "dead-letter",
                Late = _prefix + "late"
            },
            Purposes = ["analytics", "personalization"],
            Schemas = new SchemaOptions { Registry = registry, Patience = patience },
            Runtime = new RuntimeOptions { Delivery = delivery },
        };

    private Running Start(TimeSpan patience, Delivery delivery = Delivery.ExactlyOnce, bool drain = false, Action? before = null)
    {
        var errors = new ConfigErrors();
        Directory.CreateDirectory(Path.Combine(_folder, "models", "shop", "1"));
        var compiled = CompiledEngine.Compile(Options(_registry.Url, patience, delivery), _folder, new LinearModels(1), errors,
            new RegistryAccess { Connect = ConfluentSchemas.Connect, Say = _told.Enqueue });
        errors.ThrowIfAny();
        before?.Invoke();
        var engine = new Engine(new WorkerSettings
        {
            Engine = compiled!,
            Log = _log,
            InstanceId = "w",
            OpenStore = _ => new MemoryStateStore(),
            Report = e => _told.Enqueue(e.Text),
        });
        engine.Start(drain);
        return new Running(engine, compiled!);
    }

    private void Write(int partition, int schema, int count)
    {
        using var writer = _log.OpenWriter();
        for (var i = 0; i < count; i++)
        {
            var record = ShopEvents.Encode($"e-{_written++}");
            BinaryPrimitives.WriteInt32BigEndian(record.AsSpan(1), schema);
            writer.Write(_prefix + "events", Encoding.UTF8.GetBytes(_customers[partition]), record, 1_700_000_000_000);
        }
        writer.Flush();
    }

    private async Task Until(Running running, Func<Engine, bool> holds)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!holds(running.Engine))
        {
            if (running.Engine.Completion.IsFaulted) await running.Engine.Completion;
            if (TimeProvider.System.GetElapsedTime(began) > Long)
                Assert.Fail($"admitted {Admitted(running.Engine)}, rejected {running.Engine.Metrics.Totals().Rejected.Sum()}\n"
                    + string.Join('\n', _told));
            await Task.Delay(20);
        }
    }

    private static long Admitted(Engine engine) => engine.Metrics.Totals().Admitted;

    private static long Refused(Engine engine) => engine.Metrics.Totals().Rejected[(int)RejectReason.UnknownSchema];

    private sealed record Running(Engine Engine, CompiledEngine Compiled) : IDisposable
    {
        public void Dispose()
        {
            Engine.Dispose();
            Compiled.Dispose();
        }
    }
}
