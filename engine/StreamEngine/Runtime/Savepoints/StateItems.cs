using StreamEngine.Configuration;
using StreamEngine.Decisions;
using StreamEngine.Decisions.Audiences;
using StreamEngine.Events;
using StreamEngine.Features;
using StreamEngine.State.Savepoints;

namespace StreamEngine.Runtime.Savepoints;

/// <summary>
/// What an engine keeps of a customer, by the names of its config: features, timers, caps, decisions that wait for outcomes, segments,
/// identifiers, remembered event ids.
/// </summary>
internal static class StateItems
{
    /// <summary>The items with their places in the config. Derived features keep nothing and are none.</summary>
    public static IReadOnlyList<(StateItem Item, ConfigNode Node)> Of(CompiledEngine engine)
    {
        var items = new List<(StateItem, ConfigNode)>();
        var byOffset = engine.Layout.Slots.Where(s => s.Length > 0).ToDictionary(s => s.Offset, s => s.Name);
        for (var number = 0; number < engine.Options.Features.Count; number++)
        {
            var feature = engine.Options.Features[number];
            var slots = engine.Features.SlotsOf(number).Select(o => byOffset[o]).Order(StringComparer.Ordinal).ToList();
            if (slots.Count > 0)
                items.Add((new StateItem($"feature {feature.Name}", "feature", FeatureDefinition.Of(feature), slots), feature.Node));
        }
        foreach (var timer in engine.Options.Timers)
            items.Add((new StateItem($"timer {timer.Name}", "timer", ShapeOf(engine, $"timer/{timer.Name}"), [$"timer/{timer.Name}"]),
                timer.Node));
        foreach (var (what, limits) in new (string, IEnumerable<IContactLimit>)[]
            { ("cap", engine.Options.Decisions.Caps), ("suppression", engine.Options.Decisions.Suppressions) })
            foreach (var limit in limits)
            {
                var slots = engine.Layout.Slots.Select(s => s.Name)
                    .Where(n => n == $"{what}/{limit.Name}" || n.StartsWith($"{what}/{limit.Name}/", StringComparison.Ordinal)).ToList();
                if (slots.Count > 0)
                    items.Add((new StateItem($"{what} {limit.Name}", $"{what} per {Spelling.Snake(limit.Per.ToString())}", Text(limit),
                        slots), limit.Node));
            }
        if (engine.Policy.Outcomes is { } outcomes)
            items.Add((new StateItem("outcomes", "outcomes", ShapeOf(engine, outcomes.Open.SlotName), [outcomes.Open.SlotName]),
                engine.Options.Outcomes!.Node));
        if (engine.Policy.Deferred is { } deferred)
            items.Add((new StateItem("deferred decisions", "deferred", ShapeOf(engine, deferred.SlotName), [deferred.SlotName]),
                engine.Options.Decisions.Node));
        foreach (var experiment in engine.Options.Decisions.Experiments.Where(e => e.Sticky))
            items.Add((new StateItem($"experiment {experiment.Name}", "experiment", "the customer's variation",
                [StickyBuckets.SlotPrefix + experiment.Name]), experiment.Node));
        foreach (var segment in engine.Options.Audiences.Segments)
            items.Add((new StateItem($"segment {segment.Name}", "segment", "what was told of it last",
                [SegmentSet.SlotPrefix + segment.Name]), segment.Node));
        foreach (var identifier in engine.Options.Audiences.Identifiers)
        {
            var slot = SegmentSet.IdentifierPrefix + identifier.Name;
            items.Add((new StateItem($"identifier {identifier.Name}", "identifier", ShapeOf(engine, slot), [slot]), identifier.Node));
        }
        if (engine.Duplicates is not null)
            items.Add((new StateItem("duplicates", "duplicates", "remembered event ids", ["duplicates"]), engine.Options.Duplicates.Node));
        return items;
    }

    /// <summary>How a source is read.</summary>
    public static SavepointSource Of(EventSourceOptions source)
    {
        var fields = source.Fields.ToDictionary(f => f.Name,
            f => f.From is null || f.From == f.Name ? f.TypeText : $"{f.TypeText} from {f.From}");
        fields["(event time)"] = source.Time.Format is null ? Text(source.Time.Field) : $"{Text(source.Time.Field)}, {source.Time.Format}";
        fields["(event type)"] = $"{source.Type}";
        fields["(consent)"] = $"{source.Consent}";
        return new SavepointSource(source.Topic, Text(source.Customer), Text(source.Id), fields);
    }

    /// <summary>
    /// Paths as savepoints have always had them: the record's own parts are without the <c>$</c>, and a field of such a name is in
    /// brackets.
    /// </summary>
    private static string Text(OneOrMore paths) => paths.All is not [var one] ? $"[{string.Join(", ", paths.All)}]"
        : RecordPart.All.Contains(one) ? one[1..] : RecordPart.All.Contains("$" + one) ? $"[{one}]" : one;

    private static string ShapeOf(CompiledEngine engine, string slot) => engine.Layout.Slots.First(s => s.Name == slot).Shape;

    private static string Text(IContactLimit limit)
    {
        var counted = limit.Outcome is { } kind ? $"outcomes of kind {Spelling.Snake(kind.ToString())}" : "offers shown";
        var text = $"the times of the last {limit.Count} {counted}, per {Spelling.Snake(limit.Per.ToString())}, of "
            + $"{(limit.Offers.Count == 0 ? "all offers" : Names(limit.Offers))}";
        if (limit.Channels.Count > 0) text += $" in {Names(limit.Channels)}";
        if (limit.Groups.Count > 0) text += $" of the groups {Names(limit.Groups)}";
        return text;

        static string Names(IReadOnlyList<string> names) => string.Join(", ", names.Order(StringComparer.Ordinal));
    }
}
