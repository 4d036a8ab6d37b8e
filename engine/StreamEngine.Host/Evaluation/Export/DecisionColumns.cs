using System.Globalization;
using System.Text.Json;
using Parquet.Schema;
using StreamEngine.Decisions;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Evaluation.Export;

/// <summary>How candidates stand in a table of decisions.</summary>
internal enum CandidateForm
{
    /// <summary>As a list in the row of their decision.</summary>
    Nested,

    /// <summary>A row each, with the fields of their decision; a decision without candidates has one row.</summary>
    Rows,

    /// <summary>Left out.</summary>
    None,
}

/// <summary>An item of a list in a decision's record.</summary>
/// <param name="Value">The item.</param>
/// <param name="Place">Its place in the list, from 0.</param>
internal readonly record struct LoggedItem(JsonElement Value, int Place);

/// <summary>A column of the table.</summary>
/// <param name="Field">Its name and type.</param>
/// <param name="Doc">What it means.</param>
/// <param name="Read">Its value in a decision's record, with the candidate of the row where candidates are rows.</param>
internal sealed record DecisionColumn(Field Field, string Doc, Func<JsonElement, LoggedItem?, object?> Read);

/// <summary>
/// The columns of exported decisions: the fields of the record, those of what was chosen beside them, and a column for each feature. A
/// number that is missing, or is none, has no value.
/// </summary>
internal static class DecisionColumns
{
    private const string FeaturePrefix = "feature_", CandidatePrefix = "candidate_";

    private static readonly (string Name, string Doc)[] ChosenNumbers =
    [
        ("p", "Propensity of the chosen offer"), ("c", "Its context"), ("v", "Its value"), ("l", "Its levers"),
        ("priority", "p * c * v * l"),
    ];

    /// <summary>The columns.</summary>
    /// <param name="form">How candidates stand there.</param>
    /// <param name="engine">The config, for the names of features.</param>
    public static IReadOnlyList<DecisionColumn> Of(CandidateForm form, CompiledEngine engine)
    {
        List<DecisionColumn> columns =
        [
            Column("decision_id", "The same decision always has the same id"),
            Column("customer_id", ""),
            Time("event_time", "Time of the event that caused it"),
            Time("decided_at", "Event time at which it was evaluated"),
            Column("origin", "What opened it: event, timer or request"),
            Column("trigger", ""),
            Column("placement", ""),
            Column("outcome", "served, holdout, no_consent, no_offer or switched_off"),
            .. new[] { "offer", "treatment", "channel" }.Select(n => new DecisionColumn(new DataField<string>(n), "Of what was chosen",
                (d, _) => Chosen(d) is { } chosen ? TextOf(chosen, n) : null)),
            .. ChosenNumbers.Select(n => new DecisionColumn(new DataField<double?>(n.Name), n.Doc,
                (d, _) => Chosen(d) is { } chosen ? NumberOf(chosen, n.Name) : null)),
            new(new DataField<bool?>("is_default"), "Whether the default offer was taken instead of arbitration's best",
                (d, _) => Chosen(d) is { } chosen ? chosen.GetProperty("is_default").GetBoolean() : null),
            new(new DataField<double?>("selection_probability"), "With which probability this outcome had to come out",
                (d, _) => NumberOf(d, "selection_probability")),
            .. engine.Options.Decisions.QuietHours.Any(q => q.Then == QuietHoursFate.Defer)
                ? [Time("deferred_until", "The end of the quiet hours at which it is decided anew")] : Array.Empty<DecisionColumn>(),
            new(new DataField<string>("event_id"), "Of the cause", (d, _) => TextOf(d.GetProperty("cause"), "event_id")),
            new(new DataField<string>("topic"), "Of the cause", (d, _) => TextOf(d.GetProperty("cause"), "topic")),
            new(new DataField<int>("partition"), "Of the cause", (d, _) => d.GetProperty("cause").GetProperty("partition").GetInt32()),
            new(new DataField<long>("offset"), "Of the cause", (d, _) => d.GetProperty("cause").GetProperty("offset").GetInt64()),
            new(new DataField<int>("ordinal"), "Counts the decisions of one offset from 0",
                (d, _) => d.GetProperty("cause").GetProperty("ordinal").GetInt32()),
            Column("config_hash", "The config that decided"),
            List("models", "The models that scored", [Text("name"), Text("version"), Text("provider")]),
            List("assignments", "The experiments that the customer is in", [Text("experiment"), Text("variation")]),
        ];
        if (form == CandidateForm.Rows)
            columns.AddRange(Members(CandidatePrefix, engine).Select(m => new DecisionColumn(m.Field, "Of the candidate",
                (d, candidate) => candidate is { } c ? m.Read(d, c) : null)));
        if (form == CandidateForm.Nested) columns.Add(List("candidates", "Every offer in config order", Members("", engine)));
        // Another config's vector has other features in these places.
        columns.AddRange(engine.Features.Names.Select((name, i) => new DecisionColumn(new DataField<double?>(FeaturePrefix + name),
            $"The feature {name}", (d, _) => IsOf(d, engine) && i < d.GetProperty("features").GetArrayLength()
                ? Number(d.GetProperty("features")[i]) : null)));
        return columns;
    }

    /// <summary>The candidates of a decision's rows: one row for each of them, or a single one without.</summary>
    public static IEnumerable<LoggedItem?> Rows(CandidateForm form, JsonElement decision) =>
        form == CandidateForm.Rows && Items(decision, "candidates").ToList() is { Count: > 0 } candidates
            ? candidates.Select((c, i) => (LoggedItem?)new LoggedItem(c, i)) : [null];

    /// <summary>Whether this config has made the decision, so that its features have these names.</summary>
    public static bool IsOf(JsonElement decision, CompiledEngine engine) => TextOf(decision, "config_hash") == engine.ConfigHash;

    /// <summary>A time of the record; null where there is none.</summary>
    public static DateTime? TimeOf(JsonElement record, string name) => DateTimeOffset.TryParse(TextOf(record, name),
        CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time.UtcDateTime : null;

    /// <summary>A text of the record; empty where there is none.</summary>
    public static string TextOf(JsonElement record, string name) =>
        record.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    /// <summary>What a candidate has, under names that begin so.</summary>
    private static IReadOnlyList<Member> Members(string prefix, CompiledEngine engine) =>
    [
        Text("offer", prefix), Text("drop", prefix),
        .. ChosenNumbers.Select(n => new Member(new DataField<double?>(prefix + n.Name), (_, c) => NumberOf(c.Value, n.Name))),
        new(new DataField<int?>($"{prefix}rank"), (_, c) => c.Value.GetProperty("rank").GetInt32()),
        Text("p_source", prefix),
        .. engine.Policy.Explorations.Count == 0 ? (Member[])[]
            : [new(new DataField<double?>($"{prefix}selection_probability"), Probability)],
    ];

    /// <summary>With which probability exploration would have chosen a candidate; no value where nothing was drawn.</summary>
    private static object? Probability(JsonElement decision, LoggedItem candidate) =>
        decision.TryGetProperty("candidate_probabilities", out var drawn) && drawn.ValueKind == JsonValueKind.Array
            && candidate.Place < drawn.GetArrayLength() ? Number(drawn[candidate.Place]) : null;

    private static Member Text(string name, string prefix = "") =>
        new(new DataField<string>(prefix + name), (_, i) => TextOf(i.Value, name));

    private static DecisionColumn Column(string name, string doc) => new(new DataField<string>(name), doc, (d, _) => TextOf(d, name));

    private static DecisionColumn Time(string name, string doc) => new(new DateTimeDataField(name, DateTimeFormat.Timestamp,
        isAdjustedToUTC: true, DateTimeTimeUnit.Millis, isNullable: true), doc, (d, _) => TimeOf(d, name));

    private static DecisionColumn List(string name, string doc, IReadOnlyList<Member> members) =>
        new(new ListField(name, new StructField("element", [.. members.Select(m => m.Field)])), doc,
            (d, _) => Items(d, name).Select((item, place) => members.ToDictionary(m => m.Field.Name,
                m => m.Read(d, new LoggedItem(item, place)))).ToList());

    private static JsonElement? Chosen(JsonElement decision) =>
        decision.TryGetProperty("chosen", out var chosen) && chosen.ValueKind == JsonValueKind.Object ? chosen : null;

    private static IEnumerable<JsonElement> Items(JsonElement record, string name) =>
        record.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : [];

    private static double? NumberOf(JsonElement record, string name) => record.TryGetProperty(name, out var value) ? Number(value) : null;

    /// <summary>JSON has neither NaN, which is null there, nor infinity, which is a text.</summary>
    private static double? Number(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => value.GetDouble(),
        JsonValueKind.String when double.TryParse(value.GetString(), CultureInfo.InvariantCulture, out var number) => number,
        _ => null,
    };

    /// <summary>A part of a list's items, which may stand elsewhere in the decision.</summary>
    private sealed record Member(DataField Field, Func<JsonElement, LoggedItem, object?> Read);
}
