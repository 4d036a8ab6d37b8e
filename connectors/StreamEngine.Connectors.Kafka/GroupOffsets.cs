using System.Collections.Concurrent;
using Confluent.Kafka;

namespace StreamEngine.Connectors.Kafka;

/// <summary>
/// Asks for the stable committed offsets of groups, each on a consumer that bears the group's name and never joins it. The admin client has
/// a question for it too, but it may abort the process when brokers restart: an assertion in librdkafka 2.16, <c>eonce->refcnt > 0</c>.
/// </summary>
internal sealed class GroupOffsets(KafkaLogOptions options, Calls calls) : IDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<Client>> _clients = new();

    /// <summary>
    /// A client for other questions to a group's coordinator. It is a consumer by name: where the coordinator has moved or is starting,
    /// librdkafka looks for it again through the client's own group, and where the client has none, as an ordinary admin client, it
    /// follows a null pointer and the process is gone.
    /// </summary>
    public IAdminClient Coordinator(string group) => Of(group).Admin;

    /// <summary>The offset, or the error that came instead.</summary>
    public TopicPartitionOffsetError Ask(string group, TopicPartition partition)
    {
        var wanted = new Confluent.Kafka.TopicPartition(partition.Topic, partition.Partition);
        try
        {
            var offset = calls.Make(() => Of(group).Consumer.Committed([wanted], options.RequestTimeout))[0].Offset;
            return new TopicPartitionOffsetError(wanted, offset, new Error(ErrorCode.NoError));
        }
        catch (TopicPartitionOffsetException e)
        {
            return e.Results[0].Error.IsError ? e.Results[0] : new TopicPartitionOffsetError(wanted, Offset.Unset, e.Error);
        }
        catch (KafkaException e)
        {
            return new TopicPartitionOffsetError(wanted, Offset.Unset, e.Error);
        }
    }

    public void Dispose()
    {
        foreach (var client in _clients.Values)
        {
            client.Value.Admin.Dispose();
            client.Value.Consumer.Dispose();
        }
    }

    private Client Of(string group) => _clients.GetOrAdd(group, name => new Lazy<Client>(() =>
    {
        var settings = KafkaSettings.Consumer(options); // reads what is committed: an offset that a transaction holds is waited for
        settings["group.id"] = name;
        var consumer = Clients.Make(
            new ConsumerBuilder<byte[], byte[]>(settings).SetLogHandler((_, line) => ClientLog.Tell(options, line)).Build);
        return new Client(consumer, new DependentAdminClientBuilder(consumer.Handle).Build());
    })).Value;

    private sealed record Client(IConsumer<byte[], byte[]> Consumer, IAdminClient Admin);
}
