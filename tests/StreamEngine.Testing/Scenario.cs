using System.Globalization;
using StreamEngine.Configuration;
using StreamEngine.Decisions;
using StreamEngine.Decisions.Outcomes;
using StreamEngine.Events;
using StreamEngine.Features;
using StreamEngine.Inference;
using StreamEngine.Runtime;

namespace StreamEngine.Testing;

/// <summary>
/// A small shop with everything that can go wrong: caps, timers, duplicates, late events, withdrawn consent, bad records. Seeded.
/// </summary>
public static class Scenario
{
    /// <summary>Midnight, 2026-01-01 UTC.</summary>
    public const long Start = 1_767_225_600_000;

    /// <summary>The config, in code. One source <c>shop</c>, or two (<c>shop</c> and <c>mail</c>) with their own topics.</summary>
    public static EngineOptions Options(bool twoSources = false, string name = "scenario") => new()
    {
        Name = name,
        Events = twoSources ? [Source("shop"), Source("mail")] : [Source("shop")],
        Schemas = new SchemaOptions { Registry = "." },
        Time = new TimeOptions { Lateness = TimeSpan.FromMinutes(10), MaxFuture = TimeSpan.FromDays(36_500) },
        Duplicates = new DuplicateOptions { Horizon = TimeSpan.FromHours(1) },
        Purposes = ["personalization"],
        Features =
        [
            new FeatureOptions { Name = "events_5m", Op = FeatureOperator.Count,
                Window = new WindowOptions { Sliding = TimeSpan.FromMinutes(5), Every = TimeSpan.FromMinutes(1) } },
            new FeatureOptions { Name = "revenue", Op = FeatureOperator.Sum, Of = "event.value", Where = "event.type == 'purchase'" },
            new FeatureOptions { Name = "session_events", Op = FeatureOperator.Count,
                Window = new WindowOptions { Session = TimeSpan.FromMinutes(30) } },
            new FeatureOptions { Name = "recency", Op = FeatureOperator.TimeSince, Where = "event.type == 'purchase'",
                Unit = TimeUnit.Minutes, Default = -1 },
        ],
        Timers =
        [
            new TimerOptions { Name = "abandoned_cart", Start = "event.type == 'cart_add'", Cancel = "event.type == 'purchase'",
                After = TimeSpan.FromMinutes(20) },
            new TimerOptions { Name = "session_end", Start = "true", After = TimeSpan.FromMinutes(30) },
        ],
        Models = [new ModelOptions { Name = "shop" }],
        Decisions = new DecisionOptions
        {
            Triggers =
            [
                new TriggerOptions { Name = "view", When = "event.type == 'page_view' && event.placement != ''",
                    Placement = "event.placement" },
                new TriggerOptions { Name = "cart", Timer = "abandoned_cart", Placement = "'email'" },
                new TriggerOptions { Name = "bye", Timer = "session_end", Placement = "'email'" },
            ],
            Purpose = "personalization",
            Holdout = new HoldoutOptions { Share = 0.1 },
            Caps =
            [
                new CapOptions { Name = "daily", Per = LimitScope.Customer, Max = 6, Window = TimeSpan.FromHours(4) },
                new CapOptions { Name = "same", Per = LimitScope.Offer, Max = 2, Window = TimeSpan.FromHours(2) },
            ],
        },
        Offers =
        [
            Offer("a", "10.0", "0"), Offer("b", "14.0", "1"), Offer("c", "18.0", "2") with { Eligible = "features.revenue > 50.0" },
            Offer("d", "5.0", "0") with { Placements = ["email"] },
        ],
    };

    /// <summary>The same with features that are texts: names that are ranked, with and without decay, and the latest event's.</summary>
    public static EngineOptions WithTexts(EngineOptions options) => options with
    {
        Features =
        [
            .. options.Features,
            new FeatureOptions { Name = "types", Op = FeatureOperator.Top, Of = "event.type", K = 2, Slots = 8 },
            new FeatureOptions { Name = "drawn", Op = FeatureOperator.Top, Of = "event.placement", Weight = "1.0 + event.value",
                K = 1, Slots = 8, HalfLife = TimeSpan.FromMinutes(30) },
            new FeatureOptions { Name = "latest", Op = FeatureOperator.Last, Of = "event.type" },
        ],
    };

    /// <summary>The same with rules of offers that read those texts, and what one of them weighs.</summary>
    public static EngineOptions WithTextRules(EngineOptions options) => WithTexts(options) with
    {
        Offers =
        [
            .. options.Offers.Select(o => o.Name switch
            {
                "a" => o with { Applicable = "features.latest != 'search'" },
                "b" => o with { Suitable = "features.types_1 != 'cart_add' && event.placement in features.drawn" },
                "c" => o with { Value = "18.0 + features.types['purchase']" },
                _ => o,
            }),
        ],
    };

    /// <summary>
    /// Outcomes for the shop: no event names a decision, each is about the customer's last one. Few decisions stay open, and not for long.
    /// </summary>
    public static OutcomeOptions Outcomes { get; } = new()
    {
        MaxOpen = 3,
        Windows = new OutcomeWindowOptions
        {
            Impression = TimeSpan.FromMinutes(20),
            Click = TimeSpan.FromMinutes(20),
            Conversion = TimeSpan.FromMinutes(40),
            Refund = TimeSpan.FromMinutes(40),
            Reject = TimeSpan.FromMinutes(5),
        },
        Events =
        [
            Last("view", OutcomeKind.Impression, "event.type == 'page_view'"),
            Last("cart", OutcomeKind.Click, "event.type == 'cart_add'"),
            Last("buy", OutcomeKind.Conversion, "event.type == 'purchase'") with { Value = "event.value" },
            Last("leave", OutcomeKind.Reject, "event.type == 'search'"),
        ],
    };

    /// <summary>Compiles options that are known to be right.</summary>
    public static CompiledEngine Compile(EngineOptions options, IModelLoader loader)
    {
        var errors = new ConfigErrors();
        var folder = Path.Combine(Path.GetTempPath(), "streamengine-scenario");
        Directory.CreateDirectory(Path.Combine(folder, "models", "shop", "1"));
        var engine = CompiledEngine.Compile(options, folder, loader, errors);
        errors.ThrowIfAny();
        return engine!;
    }

    /// <summary>One JSON event per element, in order of arrival, with its key.</summary>
    public static IEnumerable<(string Key, string Json, long Time)> Events(int count, int customers, int seed)
    {
        var random = new Random(seed);
        var time = Start;
        var sent = new List<(string, string, long)>();
        for (var i = 0; i < count; i++)
        {
            time += random.Next(0, 8_000);
            if (sent.Count > 10 && random.Next(20) == 0)
            {
                yield return sent[^random.Next(1, 10)];
                continue;
            }
            var customer = $"c{random.Next(customers):000}";
            var at = random.Next(10) == 0 ? time - random.Next(0, 900_000) : time;
            var roll = random.Next(100);
            var type = roll < 60 ? "page_view" : roll < 80 ? "cart_add" : roll < 90 ? "purchase" : "search";
            var value = type is "purchase" or "cart_add" ? random.Next(100, 9_000) / 100.0 : 0;
            var placement = type == "page_view" && random.Next(3) == 0 ? random.Next(2) == 0 ? "home" : "product" : "";
            var consent = random.Next(15) == 0 ? "" : "\"personalization\"";
            var json = random.Next(60) == 0
                ? "{\"id\":"
                : string.Create(CultureInfo.InvariantCulture, $$"""{"id":"e{{i}}","customer":"{{customer}}","type":"{{type}}","time":{{at}},"value":{{value}},"placement":"{{placement}}","consent":[{{consent}}]}""");
            sent.Add((customer, json, at));
            yield return sent[^1];
        }
    }

    private static OutcomeEventOptions Last(string name, OutcomeKind kind, string when) =>
        new() { Name = name, Kind = kind, When = when, WithoutDecision = WithoutDecision.LastDecision };

    private static EventSourceOptions Source(string name) => new()
    {
        Name = name,
        Topic = name,
        Format = RecordFormat.Json,
        Id = "id",
        Customer = "customer",
        Type = "type",
        Time = new TimeFieldOptions { Field = "time", Format = "millis" },
        Consent = "consent",
        Pii = ["mail"],
        Fields = [new FieldOptions { Name = "value", Type = "decimal(2)" }, new FieldOptions { Name = "placement", Type = "string" }],
    };

    private static OfferOptions Offer(string name, string value, string output) =>
        new() { Name = name, Value = value, Propensity = new PropensityOptions { Model = "shop", Output = output, Default = 0.1 } };
}
