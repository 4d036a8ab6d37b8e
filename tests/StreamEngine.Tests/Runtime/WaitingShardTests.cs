using System.Text;
using StreamEngine.Connectors;
using StreamEngine.Events;
using StreamEngine.Events.Registry;
using StreamEngine.Runtime;
using StreamEngine.State;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Runtime;

/// <summary>A shard that waits before any record of a run, and goes on, writes the same bytes as one that never did.</summary>
public sealed class WaitingShardTests
{
    private const int Records = 120;
    private static readonly CompiledEngine Engine = Scenario.Compile(Scenario.Options(twoSources: true), new LinearModels(1));

    [Fact]
    public void Where_it_waits_does_not_show()
    {
        var expected = Run(_ => false, out var counted);
        Assert.True(expected.Count > Records / 4);
        for (var at = 0; at < Records; at++)
        {
            var stop = at;
            Assert.Equal(expected, Run(n => n == stop, out var again));
            Assert.Equal((counted.Records, counted.Bytes, counted.Admitted), (again.Records, again.Bytes, again.Admitted));
        }
        Assert.Equal(expected, Run(_ => true, out _)); // each record waits once
    }

    [Fact]
    public void Nothing_of_the_record_is_done_before_it_goes_on()
    {
        var time = new ManualTime(DateTimeOffset.UnixEpoch);
        using var decisions = new DecisionBatch(Engine);
        var outputs = new OutputBuffer();
        Interrupted[] decoders = [.. Engine.Events.Sources.Select(s => new Interrupted(s.CreateDecoder()) { Waits = _ => true })];
        using var shard = new Shard(Engine, 0, new MemoryStateStore(), outputs, decisions, time, decoders: decoders);
        var batch = Batch();
        Assert.Equal(0, shard.Process(batch, 0, batch.Count));
        Assert.Equal("the registry is away", shard.WaitsFor);
        Assert.Equal((0, 0, 0, 0), (shard.Next(0), shard.Counters.Records, shard.Profiles, outputs.Count));

        decoders[0].Always = true;
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(shard.GoesOn());
        decoders[0].Always = false;
        Assert.False(shard.GoesOn()); // not looked at again so soon
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(shard.GoesOn());
        Assert.Null(shard.WaitsFor);

        decoders[0].Always = true;
        Assert.False(shard.Fold.Wait.Knows(batch, 0, 0));
        Assert.NotNull(shard.WaitsFor);
        decoders[0].Always = false;
        Assert.True(shard.Fold.Wait.Knows(batch, 0, 0));
    }

    private static List<string> Run(Func<int, bool> waits, out ShardCounters counters)
    {
        var time = new ManualTime(DateTimeOffset.UnixEpoch);
        using var decisions = new DecisionBatch(Engine);
        var outputs = new OutputBuffer();
        var asked = 0;
        IEventDecoder[] decoders = [.. Engine.Events.Sources.Select(s => new Interrupted(s.CreateDecoder()) { Waits = _
            => waits(asked++) })];
        using var shard = new Shard(Engine, 0, new MemoryStateStore(), outputs, decisions, time, decoders: decoders);
        var batch = Batch();
        for (var from = 0; ;)
        {
            from = shard.Process(batch, from, batch.Count);
            decisions.Flush();
            if (from == batch.Count) break;
            Assert.NotNull(shard.WaitsFor);
            time.Advance(TimeSpan.FromMilliseconds(200));
            Assert.True(shard.GoesOn());
        }
        counters = shard.Counters;
        // As each topic has it: what two topics hold has no order between them.
        return [.. Enumerable.Range(0, outputs.Count).OrderBy(i => outputs[i].Topic)
            .Select(i => $"{outputs[i].Topic} {Convert.ToHexString(outputs.Value(i))}")];
    }

    /// <summary>Events of two sources in turn, some of them bad.</summary>
    private static RecordBatch Batch()
    {
        var batch = new RecordBatch();
        var next = new long[2];
        foreach (var (key, json, time) in Scenario.Events(Records, 8, seed: 3))
        {
            var source = batch.Count / 5 % 2;
            batch.Add(source, 0, next[source]++, time, Encoding.UTF8.GetBytes(key), true, Encoding.UTF8.GetBytes(json), true);
        }
        return batch;
    }

    /// <summary>A decoder whose registry can be away: for a record's first try, or until told otherwise.</summary>
    private sealed class Interrupted(IEventDecoder inner) : IEventDecoder
    {
        private readonly HashSet<int> _met = [];

        public required Func<int, bool> Waits { get; init; }

        public bool Always { get; set; }

        public RejectReason Decode(byte[] buffer, Range32 value, Range32 key, Event target)
        {
            var record = string.GetHashCode(Encoding.UTF8.GetString(value.Of(buffer)), StringComparison.Ordinal);
            if (Always || _met.Add(record) && Waits(0)) throw new SchemaRegistryException("the registry is away");
            return inner.Decode(buffer, value, key, target);
        }
    }
}
