using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace StreamEngine.Connectors.Kafka;

/// <summary>Asks a group's coordinator for its members.</summary>
internal static class GroupMembers
{
    /// <summary>The members and their partitions; empty while the group is not stable or its coordinator does not answer.</summary>
    /// <exception cref="LogException">We have no right to ask.</exception>
    public static IReadOnlyList<GroupMember> Ask(IAdminClient admin, Calls calls, string group, KafkaLogOptions options)
    {
        try
        {
            var answer = calls.Wait(admin.DescribeConsumerGroupsAsync([group],
                new DescribeConsumerGroupsOptions { RequestTimeout = options.RequestTimeout }));
            var described = answer.ConsumerGroupDescriptions[0];
            if (described.Error.IsError) return Unknown(described.Error, group, options);
            return described.State == ConsumerGroupState.Stable ? [.. described.Members.Select(Translate)] : [];
        }
        catch (DescribeConsumerGroupsException e)
        {
            return Unknown(e.Results.ConsumerGroupDescriptions.Select(d => d.Error).FirstOrDefault(error => error.IsError)
                ?? e.Error, group, options);
        }
        catch (KafkaException e)
        {
            return Unknown(e.Error, group, options);
        }
    }

    /// <summary>A member in the engine's words.</summary>
    public static GroupMember Translate(MemberDescription member) =>
        new(member.ConsumerId, string.IsNullOrEmpty(member.GroupInstanceId) ? null : member.GroupInstanceId,
        [.. member.Assignment.TopicPartitions.Select(p => new TopicPartition(p.Topic, p.Partition.Value)).OrderBy(p => p.Partition)],
            member.Host);

    private static IReadOnlyList<GroupMember> Unknown(Error error, string group, KafkaLogOptions options)
    {
        if (KafkaErrors.IsLasting(error.Code)) throw KafkaErrors.Lasting(error.Code, $"group {group}", error.Reason);
        options.Diagnostics?.Invoke($"members of group {group}: {error.Reason} ({error.Code})");
        return [];
    }
}
