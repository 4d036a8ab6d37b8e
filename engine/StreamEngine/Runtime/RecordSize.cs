using StreamEngine.Configuration;
using StreamEngine.Decisions;
using StreamEngine.Decisions.Audiences;
using StreamEngine.Decisions.Outcomes;
using StreamEngine.State;

namespace StreamEngine.Runtime;

/// <summary>
/// Holds that the largest decision record, which names every offer and feature and takes the longest texts that an event can bring, fits
/// into a record of the log. One that does not would stop its shard on the same event for ever. Actions and outcomes are parts of it, but
/// as JSON they may be longer.
/// </summary>
internal static class RecordSize
{
    /// <summary>How many bytes a byte may become: a control character is written as <c>\u0001</c>.</summary>
    private const int JsonLonger = 6;

    /// <summary>What the names of an action's fields take.</summary>
    private const int JsonNames = 300;

    /// <summary>Adds a mistake where it does not fit.</summary>
    /// <param name="options">The whole config.</param>
    /// <param name="policy">What is decided.</param>
    /// <param name="segments">The segments.</param>
    /// <param name="features">Length of the feature vector.</param>
    /// <param name="largestRecord">The most bytes of a record that the log takes.</param>
    /// <param name="errors">Takes the mistake.</param>
    public static void Check(EngineOptions options, DecisionPolicy policy, SegmentSet segments, int features, int largestRecord,
        ConfigErrors errors)
    {
        CheckMarker(options, policy, largestRecord, errors);
        var topics = options.Events.Select(e => e.Topic).ToList();
        if (topics.Count == 0) return;
        var texts = 2 * Shard.MaxIdBytes + Shard.MaxIdBytes + Decision.MaxPlacementBytes; // customer (also the key), event id, placement
        var size = new DecisionRecordWriter(options.Name, topics, policy, new string('0', 16)).MostBytes(features) + texts;
        var action = new ActionRecordWriter(options.Name, topics, policy, new string('0', 16)).MostBytes + (long)texts;
        if (policy.Outcomes is not null)
            action = Math.Max(action,
                new OutcomeRecordWriter(options.Name, topics, policy, new string('0', 16), segments).MostBytes + (long)texts);
        if (segments.Segments.Length > 0)
            action = Math.Max(action, new AudienceRecordWriter(options.Name, segments, new string('0', 16)).MostBytes + (long)texts);
        var json = JsonLonger * action + JsonNames;
        if (options.Outputs.Format == OutputFormat.Json && json > largestRecord)
            errors.Add(options.Outputs.Node, "format", (segments.Segments.Length > 0 ? "an action, outcome or change of an audience"
                : policy.Outcomes is null ? "an action" : "an action or outcome")
                + $" takes up to {json} bytes as JSON, and the log takes {largestRecord}",
                "Write Avro, or raise kafka.settings message.max.bytes and the topics' max.message.bytes");
        if (size <= largestRecord) return;
        errors.Add(options.Node, policy.Offers.Count > features ? "offers" : "features",
            $"a decision record of {policy.Offers.Count} offers and {features} features takes up to {size} bytes, and the log takes "
            + $"{largestRecord}", "Have fewer of them or shorter names, or raise kafka.settings message.max.bytes and the topics' "
            + "max.message.bytes");
    }

    /// <summary>Holds that the marker of a checkpoint fits, one record that has all shared numbers which a shard decides by.</summary>
    private static void CheckMarker(EngineOptions options, DecisionPolicy policy, int largestRecord, ConfigErrors errors)
    {
        if (options.Checkpoints.Topic.Length == 0 || options.Checkpoints.Interval <= TimeSpan.Zero) return;
        var shared = SharedScope.MostBytes(policy, options.Time.Lateness);
        if (shared + StateLayout.BesideProfile <= largestRecord) return;
        var (arms, budgets) = (ArmNames.Of(policy).Sum(o => o.Length), policy.Budgets.Count);
        errors.Add(options.Decisions.Node, arms > budgets ? "exploration" : "budgets",
            $"the shared numbers of {arms} arms (offers in placements that learn) and {budgets} budgets take up to {shared} bytes in a "
            + $"checkpoint, and a record of checkpoints.topic holds {Math.Max(0, largestRecord - StateLayout.BesideProfile)}",
            "Let fewer placements learn, have fewer offers or budgets, shorter names or a shorter time.lateness, leave checkpoints.topic "
            + "empty, or raise kafka.settings message.max.bytes and the topic's max.message.bytes");
    }
}
