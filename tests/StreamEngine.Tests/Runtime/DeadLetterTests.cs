using System.Security.Cryptography;
using System.Text;
using Avro.Generic;
using StreamEngine.Connectors;
using StreamEngine.Events;
using StreamEngine.Runtime;
using StreamEngine.Testing;
using StreamEngine.Tests.Events;
using StreamEngine.Tests.Events.Avro;
using Xunit;

namespace StreamEngine.Tests.Runtime;

/// <summary>
/// Bad Avro records and misplaced ones, through the shard to the dead letter: its reason, and what of the record it keeps.
/// </summary>
public sealed class DeadLetterTests
{
    private static readonly ApacheAvro Schema = ApacheAvro.Of("dead-letter");

    [Fact]
    public void TruncatedAvro_IsMalformed_AndNothingOfItIsKept()
    {
        var good = ShopEvents.Encode();
        foreach (var cut in (int[])[0, 1, 4, 5, 6, 40, good.Length - 1])
        {
            var (letter, driver) = One(good[..cut]);
            using (driver)
            {
                Assert.Equal("malformed", letter["reason"]);
                Assert.NotEqual("", letter["detail"]);
                Assert.Null(letter["bytes"]);
                Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(good.AsSpan(0, cut))), letter["sha256"]);
                Assert.Equal(1, driver.Shard.Counters.Rejected[(int)RejectReason.Malformed]);
            }
        }
    }

    [Fact]
    public void UnknownSchemaId_IsTold_AndTheNextRecordIsAdmitted()
    {
        var unknown = ShopEvents.Encode();
        unknown[4] = 77;
        var (letter, driver) = One(unknown);
        using (driver)
        {
            Assert.Equal("unknown-schema", letter["reason"]);
            Assert.Equal("schema id 77 is not known, or can't be read as the source's", letter["detail"]);
            Assert.Null(letter["bytes"]);
            driver.Add("customer-000017", ShopEvents.Encode(), 0).Process();
            Assert.Equal(1, driver.Shard.Counters.Admitted);
        }
    }

    [Fact]
    public void BadUtf8_IsTold_AndPersonalDataIsMasked()
    {
        var bytes = ShopEvents.Encode(id: "e-~");
        bytes[bytes.AsSpan().IndexOf((byte)'~')] = 0xff;
        var (letter, driver) = One(bytes);
        using (driver)
        {
            Assert.Equal(("bad-utf8", true), (letter["reason"], letter["masked"]));
            Assert.Equal("field 'event_id': 'e-\\xff' is not UTF-8", letter["detail"]);
            var kept = (byte[])letter["bytes"]!;
            Assert.Equal(-1, kept.AsSpan().IndexOf("shop.example"u8));
            Assert.True(kept.AsSpan().IndexOf("\u0006***"u8) > 0);
        }
    }

    [Theory]
    [InlineData(RecordFormat.Json)]
    [InlineData(RecordFormat.Csv)]
    public void BadUtf8_InOtherFormats_IsTold(RecordFormat format)
    {
        var source = ShopEvents.Source with { Format = format, Pii = [], Fields = ShopEvents.Source.Fields };
        if (format == RecordFormat.Csv)
            source = source with { Columns = ["event_id", "customer_id", "type", "event_time", "value", "placement", "consent"] };
        var text = format == RecordFormat.Csv
            ? "e-1,~,purchase,1700000000000,1.5,home,personalization"
            : """{"event_id":"e-1","customer_id":"~","type":"purchase","event_time":1700000000000,"value":1.5,"placement":"home","consent":["personalization"]}""";
        var bytes = Encoding.UTF8.GetBytes(text);
        bytes[bytes.AsSpan().IndexOf((byte)'~')] = 0xff;
        var (letter, driver) = One(bytes, source);
        using (driver) Assert.Equal("bad-utf8", letter["reason"]);
    }

    [Fact]
    public void OversizedRecord_IsTold_WithItsHash()
    {
        var large = ShopEvents.Encode(id: new string('i', 3_000));
        var (letter, driver) = One(large, runtime: new RuntimeOptions { MaxRecordBytes = new(2_000) });
        using (driver)
        {
            Assert.Equal("oversized", letter["reason"]);
            Assert.StartsWith("longer than runtime.max_record_bytes", (string)letter["detail"]!, StringComparison.Ordinal);
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(large)), letter["sha256"]);
        }
        // As long as the limit is not too long, but an id of that length would stand in every record about it.
        var (second, other) = One(large, runtime: new RuntimeOptions { MaxRecordBytes = new(large.Length) });
        using (other) Assert.Equal("oversized", second["reason"]);
    }

    [Theory]
    [InlineData(WrongPartitionFate.Count)]
    [InlineData(WrongPartitionFate.Refuse)]
    public void RecordInTheWrongPartition_IsCounted_OrRefused(WrongPartitionFate fate)
    {
        using var engine = Compile(ShopEvents.Source with { Customer = "$key" }, new RuntimeOptions { WrongPartition = fate });
        using var driver = new ShardDriver(engine, partitions: 2);
        string[] customers = [.. Enumerable.Range(0, 40).Select(i => $"customer-{i}")];
        for (var i = 0; i < customers.Length; i++) driver.Add(customers[i], ShopEvents.Encode(id: $"e-{i}"), 0);
        driver.Process();
        string[] strangers = [.. customers.Where(c => Murmur2.Partition(Encoding.UTF8.GetBytes(c), 2) != 0)];
        Assert.InRange(strangers.Length, 5, 35);
        Assert.Equal([0, 0, strangers.Length], driver.Shard.Counters.WrongPartition);
        var refused = fate == WrongPartitionFate.Refuse;
        Assert.Equal(refused ? customers.Length - strangers.Length : customers.Length, driver.Shard.Counters.Admitted);
        var letters = driver.Outputs.Where(o => o.Topic == "dead-letter").ToList();
        Assert.Equal(refused ? strangers : [], letters.Select(l => l.Key));
        Assert.All(letters, l => Assert.Equal("wrong-partition", Parse(l)["reason"]));
    }

    private static (GenericRecord Letter, ShardDriver Driver) One(byte[] value, EventSourceOptions? source = null,
        RuntimeOptions? runtime = null)
    {
        var driver = new ShardDriver(Compile(source ?? ShopEvents.Source, runtime ?? new RuntimeOptions()));
        driver.Add("k", value, 0).Process();
        Assert.Equal(0, driver.Shard.Counters.Admitted);
        var letter = Parse(Assert.Single(driver.Outputs, o => o.Topic == "dead-letter"));
        Assert.Equal(("events", 0, 0L), (letter["topic"], letter["partition"], letter["offset"]));
        return (letter, driver);
    }

    private static CompiledEngine Compile(EventSourceOptions source, RuntimeOptions runtime) =>
        Scenario.Compile(Scenario.Options() with
        {
            Events = [source],
            Schemas = new() { Registry = RepositoryRoot.At("schemas") },
            Runtime = runtime
        }, new LinearModels(1));

    private static GenericRecord Parse(Written letter) => Schema.Record(letter.Value.AsSpan(5));
}
