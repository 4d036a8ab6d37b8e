using System.Globalization;
using Avro.Generic;
using StreamEngine.Decisions;
using StreamEngine.Decisions.Outcomes;
using StreamEngine.Events;
using StreamEngine.Runtime;
using StreamEngine.Testing;
using StreamEngine.Tests.Events.Avro;

namespace StreamEngine.Tests.Decisions.Outcomes;

/// <summary>The scenario's shop with outcomes: their events, and the records that it writes about them.</summary>
internal static class OutcomeShop
{
    // Its configs have no identifiers.
    private static readonly ApacheAvro Schema = ApacheAvro.Of("outcome-1");

    /// <summary>Windows of minutes and room for three decisions, so that everything happens within a few hundred events.</summary>
    public static readonly OutcomeOptions Outcomes = new()
    {
        MaxOpen = 3,
        Windows = new OutcomeWindowOptions
        {
            Impression = TimeSpan.FromMinutes(10),
            Click = TimeSpan.FromMinutes(20),
            Conversion = TimeSpan.FromMinutes(60),
            Refund = TimeSpan.FromMinutes(60),
            Reject = TimeSpan.FromMinutes(30),
        },
        Events =
        [
            Event("seen", OutcomeKind.Impression), Event("clicked", OutcomeKind.Click),
            Event("bought", OutcomeKind.Conversion) with
            {
                WithoutDecision = WithoutDecision.LastDecision, Offer = "event.offer", Placement = "event.placement",
            },
            Event("refunded", OutcomeKind.Refund), Event("rejected", OutcomeKind.Reject),
        ],
    };

    public static EngineOptions Options()
    {
        var shop = Scenario.Options();
        return shop with
        {
            Timers = [],
            Outcomes = Outcomes,
            Events =
            [
                shop.Events[0] with
                {
                    Fields =
                    [
                        .. shop.Events[0].Fields, new FieldOptions { Name = "decision", Type = "string" },
                        new FieldOptions { Name = "offer", Type = "string" },
                    ],
                },
            ],
            Decisions = shop.Decisions with { Triggers = [shop.Decisions.Triggers[0]], Holdout = null, Caps = [] },
            Offers = [shop.Offers[0], shop.Offers[1]],
        };
    }

    /// <summary>The same with contact limits over outcomes, tight enough to be met often.</summary>
    public static EngineOptions Limited() => Options() with
    {
        Decisions = Options().Decisions with
        {
            Caps = [new CapOptions { Name = "clicks", Outcome = OutcomeKind.Click, Max = 2, Window = TimeSpan.FromHours(2) }],
            Suppressions =
            [
                new SuppressionOptions
                {
                    Name = "tired", Outcome = OutcomeKind.Reject, After = 2, Window = TimeSpan.FromHours(3), For = TimeSpan.FromMinutes(30),
                },
            ],
        },
    };

    public static CompiledEngine Compile(EngineOptions? options = null) =>
        Scenario.Compile(options ?? Options(), new LinearModels(seed: 1));

    /// <summary>An event; a page view with a placement opens a decision.</summary>
    public static string Json(string id, string customer, string type, long time, string decision = "", string offer = "",
        string placement = "", double value = 0, bool consents = true) => string.Create(CultureInfo.InvariantCulture,
        $$"""{"id":"{{id}}","customer":"{{customer}}","type":"{{type}}","time":{{time}},"value":{{value}},"decision":"{{decision}}","offer":"{{offer}}","placement":"{{placement}}","consent":[{{(consents ? "\"personalization\"" : "")}}]}""");

    /// <summary>The id of the decision that the event at an offset opens.</summary>
    public static string Id(long offset, int partition = 0) => $"scenario/shop/{partition}/{offset}/0";

    public static GenericRecord Parse(byte[] value) => Schema.Record(value.AsSpan(5));

    /// <summary>The outcome records that were written.</summary>
    public static List<GenericRecord> Records(this ShardDriver driver) =>
        [.. driver.Outputs.Where(o => o.Topic == "outcomes").Select(o => Parse(o.Value))];

    /// <summary>What a record says, in a line.</summary>
    public static string Line(this GenericRecord r) => string.Create(CultureInfo.InvariantCulture,
        $"{r["outcome_id"]} {r.Text("status")} {r.Text("attribution")} {r["customer_id"]} {r["event_id"]} {r["event_time"]} {r["value"]} "
        + $"[{string.Join(' ', ((IEnumerable<object>)r["outcomes"]!).Select(k => ((GenericEnum)k).Value))}]");

    private static OutcomeEventOptions Event(string type, OutcomeKind kind) =>
        new() { Name = type, Kind = kind, When = $"event.type == '{type}'", Decision = "event.decision", Value = "event.value" };
}
