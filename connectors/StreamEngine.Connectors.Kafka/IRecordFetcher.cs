using Confluent.Kafka;
using StreamEngine.Connectors.Kafka.Native;

namespace StreamEngine.Connectors.Kafka;

/// <summary>What a fetch met instead of a record. End of partition comes as <see cref="ErrorCode.Local_PartitionEOF"/> with the next offset.</summary>
internal readonly record struct FetchEvent(ErrorCode Code, TopicPartition? Partition, long Offset, string Text);

/// <summary>Takes records from a consumer: through the native batch call, or one at a time where that can't be had.</summary>
internal interface IRecordFetcher : IDisposable
{
    /// <summary>
    /// Appends at most <paramref name="max"/> records of live partitions, those of one partition together and in offset order. Returns as soon as it has
    /// some, or when the timeout (ms) is over; serves the client's callbacks on this thread.
    /// </summary>
    void Fetch(RecordBatch batch, Partitions partitions, int max, int timeout, List<FetchEvent> events);

    /// <summary>Makes the fetch that is running (or else the next one) return without waiting.</summary>
    void Wake();

    /// <summary>Forgets what it remembers of topics: after every change of the assignment.</summary>
    void Forget();
}

/// <summary>Chooses how a consumer is read.</summary>
internal static class RecordFetcher
{
    public static IRecordFetcher For(IConsumer<byte[], byte[]> consumer, KafkaLogOptions options)
    {
        var handle = options.ManagedCalls ? 0 : ClientHandle.Of(consumer);
        if (handle != 0) return new BatchFetcher(handle);
        if (!options.ManagedCalls) options.Diagnostics?.Invoke(ClientHandle.Unavailable ?? "the consumer has no native handle");
        return new SingleFetcher(consumer);
    }
}
