using System.Text.Json;
using StreamEngine.Activation.Records;
using StreamEngine.Connectors;

namespace StreamEngine.Activation.Flow;

/// <summary>Why a record can't be delivered.</summary>
/// <param name="Reason">In a word, as metrics have it.</param>
/// <param name="Detail">For people.</param>
internal readonly record struct Refusal(string Reason, string Detail);

/// <summary>Writes what can't be delivered to the dead letter, and has it durable before the delivery counts as done. Any thread.</summary>
/// <param name="log">The log.</param>
/// <param name="activation">The connector's name, by which a replay finds its own.</param>
/// <param name="topic">The dead letter's topic.</param>
/// <param name="metrics">Counts them.</param>
/// <param name="time">The clock.</param>
internal sealed class DeadLetters(ILog log, string activation, string topic, ConnectorMetrics metrics, TimeProvider time) : IDisposable
{
    private readonly Lock _lock = new();
    private ILogWriter? _writer;

    /// <summary>Writes a record that the partner refused.</summary>
    public Task WriteAsync(ActivationRecord record, Refusal refusal) => WriteAsync(record.Origin.Partition, record.Origin.Offset,
        record.Timestamp, record.Key, record.Json, refusal);

    /// <summary>Writes what could not even be read, as it stands in the log.</summary>
    public Task WriteAsync(TopicPartition partition, long offset, long timestamp, byte[] key, byte[] value, Refusal refusal)
    {
        var letter = new DeadLetter(activation, partition.Topic, partition.Partition, offset, timestamp, refusal.Reason, refusal.Detail,
            time.GetUtcNow(), key, value);
        var text = JsonSerializer.SerializeToUtf8Bytes(letter, DeadLetter.Written);
        // A log that is slow or away is waited for, on a thread that nobody else needs.
        return Task.Factory.StartNew(() =>
        {
            lock (_lock)
            {
                _writer ??= log.OpenWriter();
                _writer.Write(topic, key, text, timestamp);
                _writer.Flush();
            }
            metrics.DeadLettered(refusal.Reason);
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    public void Dispose() => _writer?.Dispose();
}
