using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Decisions;
using StreamEngine.Decisions.Outcomes;
using StreamEngine.Events;
using StreamEngine.Expressions;
using StreamEngine.Inference;
using StreamEngine.State;
using StreamEngine.Testing;

namespace StreamEngine.Tests.Decisions;

/// <summary>A small compiled shop: one event, two features, and whatever offers and rules a test gives it.</summary>
internal sealed class Shop
{
    public static readonly string[] Features = ["views", "revenue"];

    public static readonly FieldCatalog Fields =
        new([new Field(0, "placement", FieldType.String), new Field(1, "value", FieldType.Double)]);

    private static readonly TriggerOptions View =
        new() { Name = "view", When = "event.type == 'page_view'", Placement = "event.placement" };

    public Shop(IReadOnlyList<OfferOptions> offers, DecisionOptions? options = null, params IModel[] models)
    {
        options ??= new DecisionOptions();
        if (options.Triggers.Count == 0) options = options with { Triggers = [View] };
        var errors = new ConfigErrors();
        if (options.Exploration.Any(e => e.Method == ExplorationMethod.Thompson))
            Outcomes = new OutcomeOptions { Events = [OutcomeEvent(OutcomeKind.Click), OutcomeEvent(OutcomeKind.Conversion)] };
        Policy = Compile(options, offers, errors, models);
        errors.ThrowIfAny();
        Scorer = new Scorer(Policy.Models);
        Funnel = new Funnel(Policy);
        Result = new Decision(Policy);
        Profile = new byte[Layout.FixedLength];
        Policy.Contacts.Initialize(Profile);
        foreach (var experiment in Policy.Experiments) experiment.Sticky?.Initialize(Profile);
        Set("page_view", "home");
        Buffer = Encoding.UTF8.GetBytes("customer-1");
    }

    public RequestOptions Requests { get; init; } = new();

    /// <summary>What a policy that is compiled learns from; for the shop's own, clicks and conversions where a placement learns.</summary>
    public OutcomeOptions? Outcomes { get; init; }

    public StateLayout Layout { get; } = new();

    public DecisionPolicy Policy { get; }

    public Scorer Scorer { get; }

    public Funnel Funnel { get; }

    public Decision Result { get; }

    public byte[] Profile { get; }

    public EvalContext Context { get; } = new() { Fields = new FieldValue[Fields.Count], Features = [3, 20], Consent = ulong.MaxValue };

    public byte[] Buffer { get; set; }

    /// <summary>What is switched off for the next decision.</summary>
    public List<SwitchTarget> Off { get; } = [];

    /// <summary>The bytes that decisions of the event at hand allocate, once their models have scored.</summary>
    public long AllocatedByDecisions()
    {
        var request = Request();
        Scorer.Score(Context.Features, Features.Length, 1);
        return Allocations.Least(() =>
        {
            for (var i = 0; i < 1_000; i++) Funnel.Decide(request, Context, Scorer, 0, Profile, Policy.AllOn, Result);
        });
    }

    public static OfferOptions Offer(string name, string value = "1.0") =>
        new()
        {
            Name = name,
            Channel = "onsite",
            Treatment = $"{name}-banner",
            Value = value,
            Propensity = new PropensityOptions { Default = 0.5 }
        };

    public DecisionPolicy Compile(DecisionOptions options, IReadOnlyList<OfferOptions> offers, ConfigErrors errors,
        params IModel[] models) =>
        DecisionPolicy.Compile(options, offers, Requests, Fields, Features, ["marketing", "ads"], ["cart", "session"],
            models.ToDictionary(m => m.Manifest.Name), Layout, errors, Outcomes);

    /// <summary>An event that is an outcome of the decision whose id its placement is.</summary>
    public static OutcomeEventOptions OutcomeEvent(OutcomeKind kind) =>
        new() { Name = $"{kind}", Kind = kind, When = "event.type == 'outcome'", Decision = "event.placement", Value = "event.value" };

    /// <summary>The event that the next decision is about.</summary>
    public void Set(string type, string placement)
    {
        var text = Encoding.UTF8.GetBytes(type + placement);
        Context.Type.Set(text, 0, type.Length);
        Context.Fields[0].Set(text, type.Length, placement.Length);
    }

    public DecisionRequest Request(long at = 1_000) => new()
    {
        Buffer = Buffer,
        Customer = new Range32(0, Buffer.Length),
        EventTime = at,
        DecidedAt = at,
        Offset = 7,
    };

    /// <summary>Scores and decides; a served offer is counted in the profile.</summary>
    public Decision Decide(long at = 1_000, bool coldStart = false)
    {
        var request = Request(at) with { ColdStart = coldStart };
        Scorer.Score(Context.Features, Features.Length, 1);
        Funnel.Decide(request, Context, Scorer, 0, Profile, Off.Count == 0 ? Policy.AllOn : new Switches(Policy, Off, 1), Result);
        for (var i = 0; i < Policy.Experiments.Count; i++)
            if (Result.Sticky[i] == StickyFate.Assigned) Policy.Experiments[i].Sticky!.Keep(Profile, Result.Variations[i]);
        if (Result.Outcome == Outcome.Served) Policy.Contacts.Record(Profile, OutcomeKind.None, Result.Chosen, at);
        return Result;
    }

    public string Chosen => Result.Chosen < 0 ? "" : Policy.Offers[Result.Chosen].Name;
}
