using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace StreamEngine.Connectors.Kafka;

/// <summary>
/// Asks for the stable committed offsets of groups. On a client that is a consumer by name: where the coordinator has moved or is starting,
/// librdkafka 2.15 looks for it again through the client's own group, and where the client has none, as an ordinary admin client, it
/// follows a null pointer and the process is gone.
/// </summary>
internal sealed class GroupOffsets : IDisposable
{
    private readonly IConsumer<byte[], byte[]> _consumer;
    private readonly IAdminClient _admin;
    private readonly ListConsumerGroupOffsetsOptions _stable;
    private readonly Calls _calls;

    public GroupOffsets(KafkaLogOptions options, Calls calls)
    {
        _calls = calls;
        var settings = KafkaSettings.Consumer(options);
        settings["group.id"] = "streamengine-offsets"; // nothing is joined and nothing committed
        _consumer = Clients.Make(
            new ConsumerBuilder<byte[], byte[]>(settings).SetLogHandler((_, line) => ClientLog.Tell(options, line)).Build);
        _admin = new DependentAdminClientBuilder(_consumer.Handle).Build();
        _stable = new ListConsumerGroupOffsetsOptions { RequireStableOffsets = true, RequestTimeout = options.RequestTimeout };
    }

    /// <summary>The client, for other questions to a group's coordinator: they need the same care.</summary>
    public IAdminClient Coordinator => _admin;

    /// <summary>The offset, or the error that came instead.</summary>
    public TopicPartitionOffsetError Ask(string group, TopicPartition partition)
    {
        var wanted = new Confluent.Kafka.TopicPartition(partition.Topic, partition.Partition);
        try
        {
            return _calls.Wait(_admin.ListConsumerGroupOffsetsAsync([new(group, [wanted])], _stable))[0].Partitions[0];
        }
        catch (ListConsumerGroupOffsetsException e)
        {
            var result = e.Results[0];
            return result.Partitions is [var one, ..] && one.Error.IsError ? one
                : new TopicPartitionOffsetError(wanted, Offset.Unset, result.Error);
        }
        catch (KafkaException e)
        {
            return new TopicPartitionOffsetError(wanted, Offset.Unset, e.Error);
        }
    }

    public void Dispose()
    {
        _admin.Dispose();
        _consumer.Dispose();
    }
}
