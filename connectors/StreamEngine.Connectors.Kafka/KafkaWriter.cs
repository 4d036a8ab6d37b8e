using StreamEngine.Connectors.Kafka.Native;

namespace StreamEngine.Connectors.Kafka;

/// <summary>A keyed, idempotent producer outside transactions: for generators, tests and tools.</summary>
internal sealed class KafkaWriter(KafkaLog log, KafkaLogOptions options) : ILogWriter
{
    private readonly ReportingProducer _producer = new(KafkaSettings.Producer(options));
    private readonly Dictionary<string, Target> _targets = new(StringComparer.Ordinal);
    private long _written;

    private sealed record Target(int Partitions, NativeSender Sender);

    public void Write(string topic, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long timestamp)
    {
        var target = Find(topic);
        while (target.Sender.Send(0, Murmur2.Partition(key, target.Partitions), timestamp, key, value) is var code
            && code != Confluent.Kafka.ErrorCode.NoError)
        {
            if (code != Confluent.Kafka.ErrorCode.Local_QueueFull)
                throw KafkaErrors.Lasting(code, topic, $"a record of {key.Length + value.Length} bytes is refused");
            options.Stop.ThrowIfCancellationRequested();
            _producer.Poll(10); // reports make room
        }
        if ((++_written & 1023) == 0) _producer.Poll(0);
    }

    public void Flush()
    {
        var limit = new Waiting(options.Patience);
        while (_producer.Flush(500) > 0)
        {
            options.Stop.ThrowIfCancellationRequested();
            if (limit.Left == TimeSpan.Zero)
                throw new LogException($"{_producer.Outstanding} records could not be written to {options.Bootstrap} within "
                    + $"{options.Patience.TotalSeconds:0} s. Check that the cluster is up.");
        }
        if (_producer.TakeFailure() is { } failure)
            throw new LogException($"{failure.Count} records could not be written: {failure.First}.");
    }

    public void Dispose()
    {
        foreach (var target in _targets.Values) target.Sender.Dispose();
        _producer.Dispose();
    }

    private Target Find(string topic)
    {
        if (_targets.TryGetValue(topic, out var target)) return target;
        var partitions = log.Partitions(topic);
        if (partitions == 0) throw new LogException($"topic '{topic}' does not exist at {options.Bootstrap}. Create it: `topics create`.");
        return _targets[topic] = new Target(partitions, new NativeSender(_producer.Handle, [topic]));
    }
}
