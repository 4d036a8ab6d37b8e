using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Decisions;

namespace StreamEngine.Runtime;

/// <summary>The topic of switches, as whoever reads or writes it sees it.</summary>
public sealed class ControlTopic(ILog log, string topic)
{
    private const int ReadRecords = 1_000;
    private static readonly TimeSpan ReadTime = TimeSpan.FromMilliseconds(100);

    private readonly RecordBatch _batch = new();

    /// <summary>The topic's specification: one partition, so that switches have one order.</summary>
    /// <param name="topic">Its name.</param>
    /// <param name="replicas">Copies; -1 takes the broker's default.</param>
    public static TopicSpec Spec(string topic, short replicas = -1) => new(topic, 1, null, replicas, Compacted: true);

    /// <summary>Its name.</summary>
    public string Name => topic;

    /// <summary>The partition that holds the switches.</summary>
    public TopicPartition Partition => new(topic, 0);

    /// <summary>Whether it is there.</summary>
    public bool Exists => log.Partitions(topic) > 0;

    /// <summary>What is wrong with the topic as it is in the log; null where it fits, or is not there.</summary>
    public string? Fault => log.Partitions(topic) is > 1 and var n
        ? $"control topic '{topic}' has {n} partitions and needs one, so that switches have one order: make it anew, or name another one "
            + "(control.topic)" : null;

    /// <summary>Reads the committed records from an offset to an end.</summary>
    /// <param name="from">The first offset to read.</param>
    /// <param name="end">The offset before which it ends.</param>
    /// <param name="take">Takes each record.</param>
    /// <param name="passOver">Told, in a sentence, of each that is no switch.</param>
    /// <param name="stop">Ends it.</param>
    /// <exception cref="LogException">The log does not answer.</exception>
    public void Read(long from, long end, Action<SwitchRecord> take, Action<string> passOver, CancellationToken stop)
    {
        if (from >= end) return;
        using var reader = log.OpenReader();
        reader.Assign(Partition, from);
        while (reader.Position < end)
        {
            stop.ThrowIfCancellationRequested();
            reader.Read(_batch, ReadRecords, ReadTime);
            for (var i = 0; i < _batch.Count; i++)
            {
                ref readonly var record = ref _batch[i];
                if (SwitchRecord.Read(_batch.Key(i), _batch.Value(i), record.Offset, record.Timestamp, out var fault) is { } read)
                    take(read);
                else passOver($"{topic}[0] offset {record.Offset} is passed over: {fault} (key "
                    + $"'{Printable.Text(Encoding.UTF8.GetString(_batch.Key(i)))}')");
            }
        }
    }

    /// <summary>The records that are in the topic now, in the order in which they were written.</summary>
    /// <exception cref="LogException">The log does not answer.</exception>
    public IReadOnlyList<SwitchRecord> All(Action<string> passOver, CancellationToken stop)
    {
        var records = new List<SwitchRecord>();
        if (!Exists) return records;
        var (low, high) = log.Watermarks(Partition);
        Read(low, high, records.Add, passOver, stop);
        return records;
    }

    /// <summary>Writes records, and waits until they are durable.</summary>
    /// <exception cref="LogException">They could not be written.</exception>
    public void Write(IEnumerable<SwitchRecord> records)
    {
        using var writer = log.OpenWriter();
        foreach (var record in records) writer.Write(topic, record.Key(), record.Value(), record.At.ToUnixTimeMilliseconds());
        writer.Flush();
    }
}
