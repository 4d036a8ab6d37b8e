using System.Globalization;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace StreamEngine.Connectors.Kafka;

/// <summary>Topics: what there is, how far they reach, and making them.</summary>
internal sealed class KafkaTopics(KafkaLogOptions options, Func<IAdminClient> admin, Func<TopicOffsets> offsets, Calls calls,
    Func<string?> connection)
{
    /// <summary>How long an answer may take before it is said that it is waited for.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(2);

    public int Partitions(string topic) => Counts().GetValueOrDefault(topic);

    /// <summary>The id that the cluster gave to a topic; null where there is none, or the brokers are older than ids.</summary>
    public string? Id(string topic)
    {
        try
        {
            var answer = calls.Wait(admin().DescribeTopicsAsync(TopicCollection.OfTopicNames([topic]),
                new DescribeTopicsOptions { RequestTimeout = options.RequestTimeout }));
            var id = answer.TopicDescriptions[0].TopicId;
            return id is null || ((long)id.MostSignificantBits == 0 && (long)id.LeastSignificantBits == 0) ? null : id.ToString();
        }
        catch (DescribeTopicsException e) when (e.Results.TopicDescriptions.Exists(t => t.Error.Code == ErrorCode.UnknownTopicOrPart))
        {
            return null;
        }
        catch (KafkaException e)
        {
            throw Unreachable(e);
        }
    }

    public IReadOnlyList<string> Create(IReadOnlyList<TopicSpec> topics)
    {
        var there = Counts();
        var wrong = topics.Where(t => there.TryGetValue(t.Name, out var n) && n != t.Partitions).ToList();
        if (wrong.Count > 0)
            throw new LogException("Topics exist with another number of partitions: "
                + string.Join(", ", wrong.Select(t => $"{t.Name} has {there[t.Name]}, wanted {t.Partitions}"))
                + ". The number can't be changed without moving customers: create the topics anew under another name, or set the number in "
                + "the config.");
        var missing = topics.Where(t => !there.ContainsKey(t.Name)).ToList();
        if (missing.Count == 0) return [];
        try
        {
            calls.Wait(Made(admin().CreateTopicsAsync(missing.Select(Specify),
                new CreateTopicsOptions { RequestTimeout = options.RequestTimeout, OperationTimeout = options.RequestTimeout })));
        }
        catch (CreateTopicsException e)
        {
            // Somebody else may have been faster; anything else is refused.
            var refused = e.Results.Where(r => r.Error.IsError && r.Error.Code != ErrorCode.TopicAlreadyExists).ToList();
            if (refused.Count > 0)
                throw new LogException("Topics can't be created: " + string.Join("; ", refused.Select(r => $"{r.Topic}: {r.Error.Reason}"))
                    + ".", e);
        }
        catch (KafkaException e)
        {
            throw Unreachable(e);
        }
        AwaitVisible(missing);
        return [.. missing.Select(t => t.Name)];

        static async Task<bool> Made(Task call)
        {
            await call.ConfigureAwait(false);
            return true;
        }
    }

    public IReadOnlyList<TopicInfo> List()
    {
        var counts = Counts().Where(c => !c.Key.StartsWith("__", StringComparison.Ordinal)).OrderBy(c => c.Key, StringComparer.Ordinal)
            .ToList();
        if (counts.Count == 0) return [];
        var all = counts.SelectMany(c => Enumerable.Range(0, c.Value).Select(p => new TopicPartition(c.Key, p))).ToList();
        var reach = all.Zip(Watermarks(all)).GroupBy(x => x.First.Topic).ToDictionary(g => g.Key, g => g.Select(x => x.Second).ToList());
        var retention = Retention(counts.Select(c => c.Key));
        return [.. counts.Select(c => new TopicInfo(c.Key, reach[c.Key], retention[c.Key]))];
    }

    /// <summary>First offset and high watermark (uncommitted records included) of each partition, in the order asked.</summary>
    public IReadOnlyList<(long Low, long High)> Watermarks(IReadOnlyList<TopicPartition> partitions)
    {
        if (partitions.Count == 0) return [];
        var low = Offsets(partitions, TopicOffsets.Earliest, options.Patience);
        var high = Offsets(partitions, TopicOffsets.Latest, options.Patience);
        return [.. low.Zip(high)];
    }

    /// <summary>High watermark of each partition, in the order asked.</summary>
    public IReadOnlyList<long> Ends(IReadOnlyList<TopicPartition> partitions, TimeSpan patience) =>
        partitions.Count == 0 ? [] : Offsets(partitions, TopicOffsets.Latest, patience);

    private List<long> Offsets(IReadOnlyList<TopicPartition> partitions, long which, TimeSpan patience)
    {
        // A cluster that is away is waited for; a topic that is not there, only until it should be known everywhere.
        var unknown = new Waiting(options.RequestTimeout, options.Stop);
        for (var wait = new Waiting(patience, options.Stop); ;)
        {
            Error error;
            try
            {
                return offsets().Ask(partitions, which, Shorter(options.RequestTimeout, patience));
            }
            catch (TopicPartitionOffsetException e)
            {
                error = e.Results.Select(r => r.Error).FirstOrDefault(r => r.IsError) ?? e.Error;
            }
            catch (KafkaException e)
            {
                error = e.Error;
            }
            if (!(KafkaErrors.IsLasting(error.Code) ? unknown.Again() : wait.Again()))
                throw KafkaErrors.Lasting(error.Code, $"offsets of {partitions[0].Topic}[{partitions[0].Partition}] at {options.Bootstrap}",
                    error.Reason);
            offsets().RefreshLeaders();
        }
    }

    private static TimeSpan Shorter(TimeSpan request, TimeSpan patience) =>
        patience == Timeout.InfiniteTimeSpan || request < patience ? request : patience;

    private Dictionary<string, int> Counts()
    {
        using var silence =
            TimeProvider.System.CreateTimer(_ => options.Waiting?.Invoke(
                $"waiting for Kafka at {options.Bootstrap}: {connection() ?? "no answer yet"}"), null, Silence, Timeout.InfiniteTimeSpan);
        try
        {
            var metadata = calls.Make(() => admin().GetMetadata(options.RequestTimeout));
            return metadata.Topics.Where(t => t.Partitions.Count > 0).ToDictionary(t => t.Topic, t => t.Partitions.Count);
        }
        catch (KafkaException e)
        {
            throw Unreachable(e);
        }
    }

    private Dictionary<string, string> Retention(IEnumerable<string> topics)
    {
        var resources = topics.Select(t => new ConfigResource { Type = ResourceType.Topic, Name = t });
        var answer = calls.Wait(admin().DescribeConfigsAsync(resources,
            new DescribeConfigsOptions { RequestTimeout = options.RequestTimeout }));
        return answer.ToDictionary(r => r.ConfigResource.Name, r => Describe(r.Entries));
    }

    private static string Describe(Dictionary<string, ConfigEntryResult> entries)
    {
        if (entries.TryGetValue("cleanup.policy", out var policy) && policy.Value.Contains("compact", StringComparison.Ordinal))
            return policy.Value;
        var bytes = entries.TryGetValue("retention.bytes", out var size) && size.Value is { } limit && limit != "-1"
            ? $", at most {limit} bytes a partition" : "";
        if (!entries.TryGetValue("retention.ms", out var entry) || !long.TryParse(entry.Value, CultureInfo.InvariantCulture, out var ms))
            return "unknown" + bytes;
        if (ms < 0) return "unlimited" + bytes;
        var time = TimeSpan.FromMilliseconds(ms);
        return (time.TotalDays >= 1 ? $"{time.TotalDays:0.#} d" : $"{time.TotalHours:0.##} h") + bytes;
    }

    private static TopicSpecification Specify(TopicSpec topic) => new()
    {
        Name = topic.Name,
        NumPartitions = topic.Partitions,
        ReplicationFactor = topic.ReplicationFactor,
        Configs = new Dictionary<string, string>
        {
            ["min.compaction.lag.ms"] = topic.Compacted ? $"{(long)TopicSpec.CompactionLag.TotalMilliseconds}" : "0",
            ["cleanup.policy"] = topic.Compacted ? "compact" : "delete",
            ["retention.ms"] = topic.Retention is { } kept ? $"{(long)kept.TotalMilliseconds}" : "-1",
            ["retention.bytes"] = "-1",
            ["message.timestamp.type"] = "CreateTime", // records carry event time,
            // also that of a clock which runs ahead: how far is the engine's to judge
            ["message.timestamp.after.max.ms"] = $"{long.MaxValue}",
        },
    };

    private void AwaitVisible(List<TopicSpec> made)
    {
        for (var wait = new Waiting(options.RequestTimeout, options.Stop); ;)
        {
            var there = Counts();
            if (made.TrueForAll(t => there.GetValueOrDefault(t.Name) == t.Partitions)) return;
            if (!wait.Again())
                throw new LogException($"Topics {string.Join(", ", made.Select(t => t.Name))} were created but are not visible after "
                    + $"{options.RequestTimeout.TotalSeconds:0} s. Check the cluster's controller.");
        }
    }

    private LogException Unreachable(KafkaException e) =>
        KafkaErrors.IsLasting(e.Error.Code)
            ? KafkaErrors.Lasting(e.Error.Code, options.Bootstrap, e.Error.Reason, e)
            : new LogException($"Kafka can't be reached at {options.Bootstrap}: {connection() ?? ClientLog.Plain(e.Error.Reason)}. Check "
            + "the address, the network and (for TLS or SASL) the security settings.", e);
}
