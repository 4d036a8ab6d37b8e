using Confluent.Kafka;

namespace StreamEngine.Connectors.Kafka;

/// <summary>Produces through the client's own call: the fallback where its native handle can't be had.</summary>
internal sealed class ManagedSender(IProducer<byte[], byte[]> producer, IReadOnlyList<string> topics) : IRecordSender
{
    public ErrorCode Send(int topic, int partition, long timestamp, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        var message = new Message<byte[], byte[]>
        {
            Key = key.IsEmpty ? null! : key.ToArray(),
            Value = value.IsEmpty ? null! : value.ToArray(),
            Timestamp = new Timestamp(timestamp, TimestampType.CreateTime),
        };
        try
        {
            producer.Produce(new Confluent.Kafka.TopicPartition(topics[topic], partition), message);
            return ErrorCode.NoError;
        }
        catch (ProduceException<byte[], byte[]> e)
        {
            return e.Error.Code;
        }
    }

    public void Drain(int timeout) => producer.Flush(TimeSpan.FromMilliseconds(timeout));

    public void Dispose()
    {
    }
}
