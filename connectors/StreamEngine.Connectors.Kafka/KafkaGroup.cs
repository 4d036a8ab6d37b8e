using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace StreamEngine.Connectors.Kafka;

/// <summary>A consumer group from outside: who is in it, and taking out a static member that is gone.</summary>
public sealed class KafkaGroup
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(50);
    private readonly KafkaLogOptions _options;

    internal KafkaGroup(KafkaLogOptions options, string name) =>
        (_options, Name) = (options with { Patience = options.RequestTimeout }, name);

    /// <summary>The group's name.</summary>
    public string Name { get; }

    /// <summary>The members there are; none where the group does not exist.</summary>
    /// <exception cref="LogException">The cluster does not answer, or refuses.</exception>
    public IReadOnlyList<GroupMember> Members()
    {
        // On a consumer by name, for the reason that GroupOffsets gives.
        using var consumer = Clients.Make(Consumer("streamengine-members", null).Build);
        using var admin = new DependentAdminClientBuilder(consumer.Handle).Build();
        var calls = new Calls(_options.Stop);
        for (var wait = new Waiting(_options.Patience, _options.Stop); ;)
        {
            Error error;
            try
            {
                var group = calls.Wait(admin.DescribeConsumerGroupsAsync([Name],
                    new DescribeConsumerGroupsOptions { RequestTimeout = _options.RequestTimeout })).ConsumerGroupDescriptions[0];
                return [.. group.Members.Select(GroupMembers.Translate)];
            }
            catch (DescribeConsumerGroupsException e)
            {
                error = e.Results.ConsumerGroupDescriptions[0].Error;
                if (error.Code == ErrorCode.GroupIdNotFound) return [];
            }
            catch (KafkaException e)
            {
                error = e.Error;
            }
            if (KafkaErrors.IsLasting(error.Code)) throw KafkaErrors.Lasting(error.Code, $"group {Name}", error.Reason);
            if (!wait.Again())
                throw new LogException($"group {Name}: its members can't be read at {_options.Bootstrap} within "
                    + $"{_options.Patience.TotalSeconds:0} s: {error.Reason}. Check that the cluster is up.");
        }
    }

    /// <summary>
    /// Takes a static member out on its behalf: ends what its producer left open, joins under its id, and leaves. Its partitions go to
    /// others at once. A member that is alive is fenced by that.
    /// </summary>
    /// <param name="instanceId">The member's static id, which is its transactional id as well.</param>
    /// <param name="topic">The topic that the group shares out.</param>
    /// <exception cref="LogException">It can't be done in time; says why.</exception>
    public void Remove(string instanceId, string topic)
    {
        // First the transaction: while it is open, nobody can tell what the group has committed.
        new TransactionalProducer(_options, new WorkerOptions { Group = Name, InstanceId = instanceId, Sources = [topic], Outputs = [] },
            []).Dispose();

        Error? fatal = null;
        var assigned = false;
        using var consumer = Clients.Make(Consumer(Name, instanceId)
            .SetErrorHandler((_, error) => fatal = error.IsFatal || KafkaErrors.IsLasting(error.Code) ? error : fatal)
            .SetPartitionsAssignedHandler((_, partitions) =>
            {
                assigned = true;
                // a number, so that no committed offset is asked for; nothing of it is used
                return partitions.Select(p => new TopicPartitionOffset(p, 0));
            })
            .Build);
        consumer.Subscribe(topic);
        for (var wait = new Waiting(_options.Patience); !assigned;)
        {
            Serve(consumer);
            if (fatal is { } error) throw KafkaErrors.Lasting(error.Code, $"member {instanceId} of group {Name}", error.Reason);
            if (wait.Left == TimeSpan.Zero) throw TooLong(instanceId, "joining in its place");
        }
        if (!Departure.Of(consumer, () => Serve(consumer), _options.Patience)) throw TooLong(instanceId, "leaving in its place");
        consumer.Close();
    }

    private ConsumerBuilder<byte[], byte[]> Consumer(string group, string? instanceId)
    {
        var settings = KafkaSettings.Consumer(_options);
        settings["group.id"] = group;
        settings["partition.assignment.strategy"] = "cooperative-sticky";
        if (instanceId is not null) settings["group.instance.id"] = instanceId;
        return new ConsumerBuilder<byte[], byte[]>(settings).SetLogHandler((_, line) => ClientLog.Tell(_options, line));
    }

    private void Serve(IConsumer<byte[], byte[]> consumer)
    {
        _options.Stop.ThrowIfCancellationRequested();
        try
        {
            _ = consumer.Consume(Moment);
        }
        catch (ConsumeException e)
        {
            _options.Diagnostics?.Invoke($"group {Name}: {e.Error.Reason}"); // about records, which are not wanted
        }
    }

    private LogException TooLong(string instanceId, string what) =>
        new($"group {Name}: {what} took longer than {_options.Patience.TotalSeconds:0} s for member {instanceId}. A rebalance may be "
            + "waiting for another member; try again.");
}
