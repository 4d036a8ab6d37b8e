using Confluent.Kafka;
using StreamEngine.Connectors.Kafka.Native;

namespace StreamEngine.Connectors.Kafka;

/// <summary>Hands records to a producer's queue: through the native call, or the client's own where that can't be had.</summary>
internal interface IRecordSender : IDisposable
{
    /// <summary>Copies a record into the queue. <see cref="ErrorCode.Local_QueueFull"/> means: wait and try again.</summary>
    ErrorCode Send(int topic, int partition, long timestamp, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value);

    /// <summary>Waits at most so long (ms) for queued records to leave.</summary>
    void Drain(int timeout);
}

/// <summary>Chooses how a producer is written to.</summary>
internal static class RecordSender
{
    public static IRecordSender For(IProducer<byte[], byte[]> producer, IReadOnlyList<string> topics, KafkaLogOptions options)
    {
        var handle = options.ManagedCalls ? 0 : ClientHandle.Of(producer);
        return handle != 0 ? new NativeSender(handle, topics) : new ManagedSender(producer, topics);
    }
}
