using Confluent.Kafka;

namespace StreamEngine.Connectors.Kafka.Native;

/// <summary>
/// Produces by <c>rd_kafka_produceva</c> with topic handles kept: one copy, no allocation, no delivery report. An empty key or value is
/// written as none (null), and an empty trace parent as no header.
/// </summary>
internal sealed unsafe class NativeSender(nint client, IReadOnlyList<string> topics) : IDisposable
{
    private const int CopyPayload = 2; // RD_KAFKA_MSG_F_COPY
    private readonly nint[] _topics = [.. topics.Select(name => Rdkafka.NewTopic(client, name, 0))];

    public ErrorCode Send(int topic, int partition, long timestamp, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value,
        ReadOnlySpan<byte> traceParent = default)
    {
        fixed (byte* keyBytes = key, valueBytes = value, name = "traceparent\0"u8, parent = traceParent)
        {
            var arguments = stackalloc RdArgument[7];
            arguments[0].Type = RdArgument.Topic;
            arguments[0].Pointer = _topics[topic];
            arguments[1].Type = RdArgument.Partition;
            arguments[1].Int = partition;
            arguments[2].Type = RdArgument.Timestamp;
            arguments[2].Long = timestamp;
            arguments[3].Type = RdArgument.Flags;
            arguments[3].Int = CopyPayload;
            arguments[4].Type = RdArgument.Key;
            arguments[4].Pointer = key.IsEmpty ? 0 : (nint)keyBytes;
            arguments[4].Size = (nuint)key.Length;
            arguments[5].Type = RdArgument.Value;
            arguments[5].Pointer = value.IsEmpty ? 0 : (nint)valueBytes;
            arguments[5].Size = (nuint)value.Length;
            arguments[6].Type = RdArgument.Header;
            arguments[6].Pointer = (nint)name;
            arguments[6].HeaderValue = (nint)parent;
            arguments[6].HeaderSize = (nuint)traceParent.Length;
            var error = Rdkafka.Produce(client, arguments, traceParent.IsEmpty ? 6u : 7u);
            if (error == 0) return ErrorCode.NoError;
            var code = Rdkafka.ErrorCode(error);
            Rdkafka.DestroyError(error);
            return (ErrorCode)code;
        }
    }

    public void Drain(int timeout) => _ = Rdkafka.Flush(client, timeout);

    public void Dispose()
    {
        foreach (var topic in _topics)
            if (topic != 0) Rdkafka.DestroyTopic(topic);
        Array.Clear(_topics);
    }
}
