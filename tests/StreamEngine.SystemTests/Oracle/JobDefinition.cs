using StreamEngine.SystemTests.Shop;

namespace StreamEngine.SystemTests.Oracle;

/// <summary>A timer: armed by the newest event that matches, stopped by a newer one that cancels.</summary>
internal sealed record TimerDefinition(string Name, Func<ShopEvent, bool> Start, Func<ShopEvent, bool> Cancel, long After, string Trigger,
    string Placement);

/// <summary>At most so many offers within so long; <see cref="Offers"/> null for all.</summary>
internal sealed record CapDefinition(string Name, bool PerCustomer, int Max, long Window, string[]? Offers);

/// <summary>An offer; the rules see the feature vector by name.</summary>
internal sealed record OfferDefinition(string Name, double Value)
{
    public string[] Placements { get; init; } = [];
    public Func<Vector, bool> Eligible { get; init; } = _ => true;
    public Func<Vector, bool> Suitable { get; init; } = _ => true;
    public Func<Vector, double> Context { get; init; } = _ => 1;
    public Func<Vector, double> Levers { get; init; } = _ => 1;
}

/// <summary>
/// What a config means, said a second time in plain C#: the config files of <c>perf/job</c> are what the engine reads, this is what the
/// oracle reads.
/// </summary>
internal sealed record JobDefinition
{
    private const long Minute = 60_000, Hour = 60 * Minute;

    public required string Name { get; init; }
    public required string Decisions { get; init; }
    public string? Actions { get; init; }
    public required string Model { get; init; }

    /// <summary>The variant that a model's version was made with.</summary>
    public required Func<string, int> Variant { get; init; }
    public required OfferDefinition[] Offers { get; init; }
    public long Lateness { get; init; }
    public long MaxFuture { get; init; }
    public long Earliest { get; init; }
    public long DuplicateHorizon { get; init; }
    public string? Requires { get; init; }
    public string? Purpose { get; init; }
    public TimerDefinition[] Timers { get; init; } = [];
    public CapDefinition[] Caps { get; init; } = [];
    public double Holdout { get; init; }
    public string Salt { get; init; } = "";
    public string? DefaultOffer { get; init; }

    /// <summary>Whether it is the job that engines are compared on: orderly events, one model.</summary>
    public bool IsMeasured => Model == "job";

    /// <summary><c>perf/job/streamengine.yaml</c>: the job that engines are compared on.</summary>
    public static JobDefinition Plain { get; } = new()
    {
        Name = "job",
        Decisions = "actions",
        Model = "job",
        Variant = _ => 0,
        MaxFuture = 3_650 * 24 * Hour,
        Offers = [new("offer-0", 10), new("offer-1", 15), new("offer-2", 20), new("offer-3", 25), new("offer-4", 30)],
    };

    /// <summary><c>perf/job/chaos.yaml</c>.</summary>
    public static JobDefinition Chaos { get; } = new()
    {
        Name = "chaos",
        Decisions = "decisions",
        Actions = "actions",
        Model = "chaos",
        Variant = int.Parse,
        Lateness = 10 * Minute,
        MaxFuture = 24 * Hour,
        Earliest = 1_735_689_600_000,
        DuplicateHorizon = Hour,
        Requires = "analytics",
        Purpose = "personalization",
        Timers =
        [
            new("abandoned_cart", e => e.Type == "cart_add", e => e.Type == "purchase", 20 * Minute, "cart_left", "email"),
            new("session_end", _ => true, _ => false, 30 * Minute, "session_left", "push"),
        ],
        Holdout = 0.1,
        Salt = "chaos",
        DefaultOffer = "offer-0",
        Caps =
        [
            new("often", true, 5, Hour, null),
            new("same", false, 2, 2 * Hour, ["offer-1", "offer-2", "offer-3", "offer-4"]),
        ],
        Offers =
        [
            new("offer-0", 10),
            new("offer-1", 15) { Placements = ["home", "product", "email"] },
            new("offer-2", 20) { Context = f => f["session_events"] > 5 ? 1.2 : 1, Levers = f => 1 + (f["frequency"] > 0 ? 0.1 : 0) },
            new("offer-3", 25) { Eligible = f => f["frequency"] >= 1 },
            new("offer-4", 30) { Suitable = f => f["session_cart_value"] < 300 },
        ],
    };
}
