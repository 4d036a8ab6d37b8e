using Confluent.Kafka;

namespace StreamEngine.Connectors.Kafka;

/// <summary>
/// Asks how far partitions reach, on a client that is a consumer by name. The admin client has a question for it too, but with librdkafka
/// 2.16 that one is slow to come back: between eight restarts of a broker, some seconds apart, it answered "no leaders found" and nothing
/// else, where a consumer answered each time.
/// </summary>
internal sealed class TopicOffsets : IDisposable
{
    /// <summary>What Kafka's protocol takes as a time to mean the first offset, or the one behind the last record.</summary>
    public const long Earliest = -2, Latest = -1;

    private readonly IConsumer<byte[], byte[]> _consumer;
    private readonly IAdminClient _metadata;
    private readonly KafkaLogOptions _options;
    private readonly Calls _calls;

    public TopicOffsets(KafkaLogOptions options, Calls calls, Action<Error> onError)
    {
        (_options, _calls) = (options, calls);
        var settings = KafkaSettings.Consumer(options);
        settings["group.id"] = "streamengine-offsets"; // nothing is joined and nothing committed
        settings["isolation.level"] = "read_uncommitted"; // else the latest offset is the first one of an open transaction
        _consumer = Clients.Make(new ConsumerBuilder<byte[], byte[]>(settings)
            .SetLogHandler((_, line) => ClientLog.Tell(options, line))
            .SetErrorHandler((_, error) => onError(error))
            .Build);
        _metadata = new DependentAdminClientBuilder(_consumer.Handle).Build();
    }

    /// <summary>The offsets, in the order asked.</summary>
    /// <param name="partitions">Of which partitions.</param>
    /// <param name="which"><see cref="Earliest"/> or <see cref="Latest"/>.</param>
    /// <param name="timeout">How long to wait for an answer.</param>
    /// <exception cref="KafkaException">There is no answer, or not for each of them.</exception>
    public List<long> Ask(IReadOnlyList<TopicPartition> partitions, long which, TimeSpan timeout)
    {
        var wanted = partitions.Select(p =>
            new TopicPartitionTimestamp(p.Topic, p.Partition, new Timestamp(which, TimestampType.NotAvailable)));
        var answer = _calls.Make(() => _consumer.OffsetsForTimes(wanted, timeout))
            .ToDictionary(a => new TopicPartition(a.Topic, a.Partition.Value), a => a.Offset.Value);
        // While a broker goes down the client may give an answer without an offset, and without an error.
        return [.. partitions.Select(p => answer.GetValueOrDefault(p, -1) is >= 0 and var offset ? offset
            : throw new KafkaException(new Error(ErrorCode.Local_Transport, "the broker gave no offset")))];
    }

    /// <summary>
    /// After a restart the broker refuses the leader epoch that this client remembers, and librdkafka does not ask for the new one by
    /// itself here.
    /// </summary>
    public void RefreshLeaders()
    {
        try
        {
            _ = _calls.Make(() => _metadata.GetMetadata(TimeSpan.FromSeconds(2)));
        }
        catch (KafkaException e)
        {
            _options.Diagnostics?.Invoke($"offsets: {e.Error.Reason} ({e.Error.Code})");
        }
    }

    public void Dispose()
    {
        _metadata.Dispose();
        _consumer.Dispose();
    }
}
