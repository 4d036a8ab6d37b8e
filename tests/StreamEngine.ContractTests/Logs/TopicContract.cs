using StreamEngine.Connectors;
using Xunit;

namespace StreamEngine.ContractTests.Logs;

/// <summary>Topics, the plain writer and the reader.</summary>
public abstract class TopicContract : LogContract
{
    [SkippableFact]
    public void Creating_a_topic_again_does_nothing_and_another_shape_is_refused()
    {
        var name = $"{Unique}-a";
        Assert.Equal([name], Log.CreateTopics([new TopicSpec(name, 3)]));
        Assert.Empty(Log.CreateTopics([new TopicSpec(name, 3)]));
        Assert.Equal(3, Log.Partitions(name));

        var error = Assert.ThrowsAny<LogException>(() => Log.CreateTopics([new TopicSpec(name, 4)]));
        Assert.Contains(name, error.Message, StringComparison.Ordinal);
        Assert.Equal(3, Log.Partitions(name));
    }

    [SkippableFact]
    public void An_unknown_topic_has_no_partitions() => Assert.Equal(0, Log.Partitions($"{Unique}-nowhere"));

    [SkippableFact]
    public void Topics_are_listed_with_their_records()
    {
        var name = Topic("a", 2);
        Produce(name, "x", "y", "z");
        var listed = Log.ListTopics().Single(t => t.Name == name);
        Assert.Equal((2, 3), (listed.Partitions, listed.Records));
        Assert.Equal([Log.Watermarks(new TopicPartition(name, 0)), Log.Watermarks(new TopicPartition(name, 1))], listed.Offsets);
    }

    [SkippableFact]
    public void Records_come_back_in_order_with_key_value_timestamp_and_offset()
    {
        var topic = Topic("a");
        using (var writer = Log.OpenWriter())
        {
            for (var i = 0; i < 100; i++) writer.Write(topic, Bytes($"k{i}"), Bytes($"v{i}"), 1_700_000_000_000 + i);
            writer.Flush();
        }
        var records = ReadAll(topic);
        Assert.Equal(100, records.Count);
        for (var i = 0; i < 100; i++) Assert.Equal(new Received(topic, 0, i, 1_700_000_000_000 + i, $"k{i}", $"v{i}"), records[i]);
        Assert.Equal((0, 100), Log.Watermarks(new TopicPartition(topic, 0)));
    }

    [SkippableFact]
    public void A_key_goes_to_the_partition_that_murmur2_says()
    {
        var topic = Topic("a", 5);
        var keys = Enumerable.Range(0, 200).Select(i => $"customer-{i}").ToArray();
        Produce(topic, keys);
        for (var p = 0; p < 5; p++)
            Assert.Equal(keys.Where(k => Murmur2.Partition(Bytes(k), 5) == p), Values(topic, p));
    }

    [SkippableFact]
    public void Empty_keys_and_tombstones_come_back_empty()
    {
        var topic = Topic("a");
        using (var writer = Log.OpenWriter())
        {
            writer.Write(topic, default, Bytes("no key"), 1);
            writer.Write(topic, Bytes("gone"), default, 2);
            writer.Flush();
        }
        var records = ReadAll(topic);
        Assert.Equal([("", "no key"), ("gone", "")], records.Select(r => (r.Key, r.Value)));
    }

    [SkippableFact]
    public void Ten_thousand_records_and_large_ones_survive_the_way()
    {
        var topic = Topic("a", 2);
        var large = new string('x', 200_000);
        using (var writer = Log.OpenWriter())
        {
            for (var i = 0; i < 10_000; i++) writer.Write(topic, Bytes($"k{i}"), Bytes($"value of record {i}"), i);
            writer.Write(topic, Bytes("large"), Bytes(large), 1);
            writer.Flush();
        }
        var records = ReadAll(topic, 0).Concat(ReadAll(topic, 1)).ToDictionary(r => r.Key);
        Assert.Equal(10_001, records.Count);
        Assert.All(Enumerable.Range(0, 10_000), i => Assert.Equal($"value of record {i}", records[$"k{i}"].Value));
        Assert.Equal(large, records["large"].Value);
    }

    [SkippableFact]
    public void A_reader_starts_where_it_is_told_and_waits_at_the_end()
    {
        var topic = Topic("a");
        Produce(topic, "a", "b", "c");
        Assert.Equal(["b", "c"], ReadAll(topic, from: 1).Select(r => r.Value));

        using var reader = Log.OpenReader();
        reader.Assign(new TopicPartition(topic, 0), 3);
        var batch = new RecordBatch();
        reader.Read(batch, 10, TimeSpan.FromMilliseconds(50));
        Assert.Equal(0, batch.Count);
        Produce(topic, "d");
        Until(() =>
        {
            reader.Read(batch, 10, TimeSpan.FromMilliseconds(50));
            return batch.Count > 0;
        }, "the record written later");
        Assert.Equal("d", Received.From(batch, 0, topic).Value);
        Assert.Equal(4, reader.Position);
    }

    [SkippableFact]
    public void A_reader_gives_no_more_than_asked_and_can_be_assigned_anew()
    {
        var topic = Topic("a");
        Produce(topic, [.. Enumerable.Range(0, 50).Select(i => $"{i}")]);
        using var reader = Log.OpenReader();
        reader.Assign(new TopicPartition(topic, 0), 0);
        var batch = new RecordBatch();
        Until(() =>
        {
            reader.Read(batch, 7, TimeSpan.FromMilliseconds(50));
            Assert.InRange(batch.Count, 0, 7);
            return reader.Position >= 30;
        }, "position 30");
        reader.Assign(new TopicPartition(topic, 0), 5);
        Until(() =>
        {
            reader.Read(batch, 1, TimeSpan.FromMilliseconds(50));
            return batch.Count > 0;
        }, "the record at 5");
        Assert.Equal((5, "5"), (batch[0].Offset, Received.From(batch, 0, topic).Value));
    }

    [SkippableFact]
    public void Writing_to_an_unknown_topic_is_refused()
    {
        using var writer = Log.OpenWriter();
        Assert.ThrowsAny<LogException>(() =>
        {
            writer.Write($"{Unique}-nowhere", Bytes("k"), Bytes("v"), 1);
            writer.Flush();
        });
    }
}
