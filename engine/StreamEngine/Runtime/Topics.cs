using StreamEngine.Configuration;
using StreamEngine.Connectors;

namespace StreamEngine.Runtime;

/// <summary>The topics that an engine needs: which, with how many partitions, and whether they are there.</summary>
public static class Topics
{
    /// <summary>
    /// What <c>topics create</c> makes: sources and decisions with the same number of partitions, no retention limit; the control topic,
    /// that of shared numbers and those of tables with one partition, compacted.
    /// </summary>
    public static IReadOnlyList<TopicSpec> Needed(EngineOptions options, int partitions, TimeSpan? retention = null, short replicas = -1) =>
        [
            .. options.Events.Select(e => e.Topic).Concat(new OutputTopics(options.Outputs, options.Offers,
                outcomes: options.Outcomes is null ? "" : options.Outputs.Outcomes,
                audiences: options.Audiences.Segments.Count == 0 ? "" : options.Outputs.Audiences).Names).Distinct()
                .Select(name => new TopicSpec(name, partitions, retention, replicas)),
            .. options.Checkpoints.Topic.Length > 0
                ? [new TopicSpec(options.Checkpoints.Topic, partitions, null, replicas, Compacted: true)] : Array.Empty<TopicSpec>(),
            .. options.Tables.Select(t => t.Topic).Where(t => t.Length > 0).Distinct()
                .Select(topic => new TopicSpec(topic, 1, null, replicas, Compacted: true)),
            .. SharingOptions.AreUsed(options) ? [SharedTopic.Spec(options.Shared.Topic, replicas)] : Array.Empty<TopicSpec>(),
            .. options.Control.Topic.Length > 0 ? [ControlTopic.Spec(options.Control.Topic, replicas)] : Array.Empty<TopicSpec>(),
        ];

    /// <summary>Adds the mistake where the control topic has another use in the config.</summary>
    public static void CheckControl(EngineOptions options, ConfigErrors errors) => TopicNames.CheckControl(options, errors);

    /// <summary>
    /// Checks that every topic is there (but for the control topic and those of tables, which may be missing) and that shards line up;
    /// returns how many partitions there are of each.
    /// </summary>
    /// <exception cref="LogException">Names every topic that is missing or does not fit, and how to make it.</exception>
    public static PartitionCounts Check(ILog log, CompiledEngine engine)
    {
        var faults = new List<string>();
        var shards = 0;
        var outputs = new int[engine.Outputs.Names.Count];
        foreach (var source in engine.Events.Sources)
        {
            var n = log.Partitions(source.Topic);
            if (n == 0) faults.Add($"source topic '{source.Topic}' does not exist");
            else if (shards == 0) shards = n;
            else if (n != shards)
                faults.Add($"source topic '{source.Topic}' has {n} partitions, '{engine.Events.Sources[0].Topic}' has {shards}: a shard "
                    + "owns the same partition of all of them");
        }
        for (var i = 0; i < outputs.Length; i++)
        {
            var n = outputs[i] = log.Partitions(engine.Outputs.Names[i]);
            if (n == 0) faults.Add($"output topic '{engine.Outputs.Names[i]}' does not exist");
            else if (i == engine.Outputs.Checkpoints && shards > 0 && n != shards)
                faults.Add($"checkpoint topic '{engine.Outputs.Names[i]}' has {n} partitions, the sources have {shards}: shard p keeps its "
                    + "checkpoints in partition p");
            else if (i == engine.Outputs.Decisions && shards > 0 && n != shards)
                faults.Add($"decision topic '{engine.Outputs.Names[i]}' has {n} partitions, the sources have {shards}: shard p logs its "
                    + "decisions in partition p");
        }
        if (engine.Options.Control.Topic is { Length: > 0 } control && new ControlTopic(log, control).Fault is { } fault) faults.Add(fault);
        if (engine.Outputs.Shared >= 0 && SharedTopic.Fault(log, engine.Options.Shared.Topic) is { } unfit) faults.Add(unfit);
        faults.AddRange(TableFollower.Faults(log, engine));
        if (faults.Count > 0)
            throw new LogException($"The topics do not fit: {string.Join("; ", faults)}. Create what is missing with 'streamengine topics "
                + "create --config FILE --partitions N', with the --kafka or --embedded given here.");
        return new PartitionCounts(shards, outputs);
    }
}
