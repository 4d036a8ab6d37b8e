using StreamEngine.Decisions;
using StreamEngine.Decisions.Audiences;
using StreamEngine.Decisions.Outcomes;
using StreamEngine.Events;
using StreamEngine.Events.Tables;
using StreamEngine.Features;
using StreamEngine.Inference;
using StreamEngine.Runtime;
using StreamEngine.Testing;

namespace StreamEngine.Tests.Simulation;

/// <summary>The simulated engine's config in its versions, compiled once: with one source or two, and with one of several models.</summary>
internal sealed class SimEngines : IDisposable
{
    public const int Versions = 4;

    private readonly CompiledEngine[] _engines;
    private readonly LinearModel[] _models = new LinearModel[Versions];

    /// <param name="delivery">What is promised of outputs.</param>
    /// <param name="reply">When requests are answered.</param>
    /// <param name="shares">Whether numbers are shared: budgets with one source, a placement that learns with two.</param>
    public SimEngines(Delivery delivery, ReplyWhen reply = ReplyWhen.Committed, bool shares = false)
    {
        Delivery = delivery;
        _engines =
            [.. from sources in new[] { 1, 2 } from version in Enumerable.Range(0,
            Versions) select Scenario.Compile(Sticky(With(Options(sources == 2, checkpoints: version > 0
            && delivery == Delivery.ExactlyOnce, shares), delivery, reply), version), new Loader(this, version))];
    }

    public Delivery Delivery { get; }

    /// <summary>
    /// A sticky experiment that changes nothing: each version has other weights, and every customer keeps the first variation.
    /// </summary>
    private static EngineOptions Sticky(EngineOptions options, int version) => options with
    {
        Decisions = options.Decisions with
        {
            Experiments =
            [
                new ExperimentOptions
                {
                    Name = "sticky",
                    Sticky = true,
                    Coverage = 0.7,
                    Variations = [.. new[] { "one", "two" }.Select((name, i) => new VariationOptions
                    {
                        Name = name,
                        Weight = i == 0 ? 0.2 * (version + 1) : 1 - 0.2 * (version + 1),
                    })],
                },
            ],
        },
    };

    private static EngineOptions With(EngineOptions options, Delivery delivery, ReplyWhen reply) => options with
    {
        Runtime = options.Runtime with { Delivery = delivery },
        State = options.State with { Directory = "." }, // says only that there is one: a run gives each process its own
        Checkpoints = options.Checkpoints with { Standbys = options.Checkpoints.Topic.Length > 0 ? 2 : 0 },
        Requests = new RequestOptions
        {
            Enabled = delivery == Delivery.ExactlyOnce,
            Reply = reply,
            Remember = SimAsks.Remembered,
            MaxOffers = SimAsks.MostOffers,
            MaxPerTurn = 3
        },
    };

    /// <summary>The placement that explores.</summary>
    public const string Explored = "home", ExplorationSeed = "sim";

    /// <summary>How often it draws any candidate.</summary>
    public const double Epsilon = 0.4;

    public const int DailyCap = 4, SameCap = 2;
    public static readonly TimeSpan DailyWindow = TimeSpan.FromSeconds(120), SameWindow = TimeSpan.FromSeconds(60);
    public static readonly TimeSpan Lateness = TimeSpan.FromSeconds(10), MaxFuture = TimeSpan.FromSeconds(60),
        IdleAfter = TimeSpan.FromSeconds(2), DuplicateHorizon = TimeSpan.FromSeconds(60);
    public static readonly TimeSpan Pane = TimeSpan.FromSeconds(1), SessionGap = TimeSpan.FromSeconds(30),
        CartAfter = TimeSpan.FromSeconds(20);
    public const int Panes = 5;
    /// <summary>Segments that are entered and left often, by events and by time alone.</summary>
    private static readonly AudienceOptions Audiences = new()
    {
        Segments =
        [
            new SegmentOptions { Name = "busy", Where = "features.events_5m >= 2.0 && consent.personalization" },
            new SegmentOptions { Name = "buyers", Where = "features.recency >= 0.0 && features.recency < 15.0" },
        ],
        Identifiers = [new IdentifierOptions { Name = "placement", Of = "event.placement" }],
        Recheck = TimeSpan.FromSeconds(4),
    };

    /// <summary>
    /// Minutes from the beginning in which nothing is shown to customers who do other things more often than look: their decisions wait.
    /// </summary>
    public static readonly (string Name, int From, int To)[] Quiet = [("first", 0, 1), ("third", 2, 3)];

    public const int MaxDeferred = 2;

    private static readonly FieldOptions[] Weighed =
    [
        new() { Name = "kind", From = "type", Type = "string" },
        new() { Name = "weight", Lookup = "weights[event.kind].weight", Default = "1" },
    ];

    private static readonly OutcomeWindowOptions OutcomeWindows = new()
    {
        Impression = TimeSpan.FromSeconds(20),
        Click = TimeSpan.FromSeconds(20),
        Conversion = TimeSpan.FromSeconds(40),
        Refund = TimeSpan.FromSeconds(40),
        Reject = TimeSpan.FromSeconds(5),
    };

    /// <summary>
    /// The scenario's shop in a hurry (a second for a minute), with tight caps, idleness, and an interval that a few decisions fill.
    /// </summary>
    /// <param name="twoSources">Whether there are two sources.</param>
    /// <param name="checkpoints">Whether checkpoints go to their topic; a version without them comes between versions with them.</param>
    /// <param name="shares">Whether numbers are shared.</param>
    public static EngineOptions Options(bool twoSources, bool checkpoints = true, bool shares = false)
    {
        var shop = Scenario.WithTexts(Scenario.Options(twoSources, "sim"));
        return shop with
        {
            Tables =
            [
                new TableOptions
                {
                    Name = "weights",
                    Topic = "weights",
                    Key = new TableKeyOptions { Field = "type" },
                    Fields = [new TableFieldOptions { Name = "weight", Type = "decimal(2)" }],
                },
            ],
            Events = [.. shop.Events.Select(e => e with { Fields = [.. e.Fields, .. Weighed] })],
            Time = new TimeOptions { Lateness = Lateness, MaxFuture = MaxFuture, IdleAfter = IdleAfter },
            Duplicates = new DuplicateOptions { Horizon = DuplicateHorizon },
            Features =
            [
                shop.Features[0] with { Window = new WindowOptions { Sliding = Panes * Pane, Every = Pane } },
                shop.Features[1],
                shop.Features[2] with { Window = new WindowOptions { Session = SessionGap } },
                shop.Features[3] with { Unit = TimeUnit.Seconds },
                .. shop.Features.Skip(4),
                new FeatureOptions { Name = "weight", Op = FeatureOperator.Sum, Of = "event.weight" },
            ],
            Offers = [.. shop.Offers.Select(o => o.Name == "b" ? o with { Suitable = "features.types_1 != 'cart_add'" } : o)],
            Timers = [shop.Timers[0] with { After = CartAfter }, shop.Timers[1] with { After = SessionGap }],
            // No part of the oracle's: their records are counted, and a restore must keep the same decisions open.
            Outcomes = twoSources ? Scenario.Outcomes with { Windows = OutcomeWindows } : null,
            Audiences = twoSources ? Audiences : new AudienceOptions(),
            Checkpoints = new CheckpointOptions { Interval = TimeSpan.FromMilliseconds(150), Topic = checkpoints ? "checkpoints" : "" },
            Runtime = new RuntimeOptions
            {
                MaxPollRecords = 20,
                CommitInterval = TimeSpan.FromMilliseconds(20),
                MaxIntervalBytes = new(6_000)
            },
            Decisions = shop.Decisions with
            {
                Holdout = null,
                Budgets = shares && !twoSources ? SimBudgets.Options : [],
                MaxDeferred = MaxDeferred,
                QuietHours =
                [
                    .. Quiet.Select(q => new QuietHoursOptions
                    {
                        Name = q.Name,
                        From = $"00:0{q.From}",
                        To = $"00:0{q.To}",
                        TimeZone = "features.types_1 != 'page_view' ? 'UTC' : '+05:00'",
                        Then = QuietHoursFate.Defer,
                        Spread = TimeSpan.Zero,
                    }),
                ],
                Exploration =
                [
                    new ExplorationOptions { Name = Explored, Epsilon = Epsilon, Seed = ExplorationSeed },
                    .. shares && twoSources ? [SimArms.Options] : Array.Empty<ExplorationOptions>(),
                ],
                Caps =
                [
                    new CapOptions { Name = "daily", Per = LimitScope.Customer, Max = DailyCap, Window = DailyWindow },
                    new CapOptions { Name = "same", Per = LimitScope.Offer, Max = SameCap, Window = SameWindow },
                ],
            },
        };
    }

    public CompiledEngine this[int sources, int version] => _engines[(sources - 1) * Versions + version];

    /// <summary>The propensity that a version of the model gives for an output.</summary>
    public static double P(int version, int output, double events) => Bias(version, output) + Weight(version, output) * (float)events;

    /// <summary>Forgets what a seed left in the shared models.</summary>
    public void Reset()
    {
        foreach (var model in _models) model.Runs.Clear();
    }

    public void Dispose()
    {
        foreach (var engine in _engines) engine.Dispose();
    }

    private static float Bias(int version, int output) => 0.10f + 0.07f * ((version * 5 + output * 3) % 7) / 7;

    private static float Weight(int version, int output) => 0.01f + 0.02f * ((version * 3 + output * 5) % 7) / 7;

    private sealed class Loader(SimEngines engines, int version) : IModelLoader
    {
        public IModel Load(string directory, ModelOptions? options)
        {
            var model = new LinearModel("shop", ["events_5m"],
                [.. Enumerable.Range(0, 3).Select(o => ($"{o}", new[] { Weight(version, o), Bias(version, o) }))]);
            return engines._models[version] = new LinearModel("shop", ["events_5m"],
                [.. Enumerable.Range(0, 3).Select(o => ($"{o}", new[] { Weight(version, o), Bias(version, o) }))])
            {
                Manifest = new ModelManifest
                {
                    Name = "shop",
                    Version = $"{version}",
                    Inputs = ["events_5m"],
                    Outputs = model.Manifest.Outputs,
                    Sha256 = $"{version}"
                },
            };
        }
    }
}
