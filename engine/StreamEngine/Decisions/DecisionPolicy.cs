using System.Collections.Immutable;
using StreamEngine.Configuration;
using StreamEngine.Decisions.Outcomes;
using StreamEngine.Events;
using StreamEngine.Expressions;
using StreamEngine.Inference;
using StreamEngine.State;

namespace StreamEngine.Decisions;

/// <summary>The compiled config of decisions: triggers, offers, caps, holdout. Immutable, shared by all shards.</summary>
public sealed class DecisionPolicy
{
    private readonly int[] _timerTriggers;
    private readonly Lazy<Switches> _allOn, _unmarked;
    private readonly Lazy<ModelPlan> _plan;
    private readonly Lazy<bool> _isSticky;

    internal DecisionPolicy(CompiledTrigger[] triggers, CompiledOffer[] offers, int timers)
    {
        (Triggers, Offers) = (triggers, offers);
        _timerTriggers = new int[timers];
        for (var timer = 0; timer < timers; timer++) _timerTriggers[timer] = Array.FindIndex(triggers, t => t.Timer == timer);
        _isSticky = new Lazy<bool>(() => Experiments.Any(e => e.Sticky is not null));
        _plan = new Lazy<ModelPlan>(() => new ModelPlan(this));
        _allOn = new Lazy<Switches>(() => new Switches(this, [], -1));
        _unmarked = new Lazy<Switches>(() => Segments.Count == 0 ? AllOn : Switches.Logged(this, default, -1));
    }

    /// <summary>The triggers in config order.</summary>
    public IReadOnlyList<CompiledTrigger> Triggers { get; }

    /// <summary>The offers in config order.</summary>
    public IReadOnlyList<CompiledOffer> Offers { get; }

    /// <summary>The models that offers use: what a <see cref="Scorer"/> runs.</summary>
    public required IReadOnlyList<ModelUse> Models { get; init; }

    /// <summary>The contact limits.</summary>
    public required ContactPolicy Contacts { get; init; }

    /// <summary>The hours in which channels are quiet, in config order.</summary>
    public IReadOnlyList<QuietHours> QuietHours { get; init; } = [];

    /// <summary>The budgets, in config order.</summary>
    public IReadOnlyList<Budget> Budgets { get; init; } = [];

    /// <summary>Whether outcomes change what is left of a budget: then decisions that wait are made before them.</summary>
    internal bool ChargesOutcomes => Budgets.Any(b => b.Charge != OutcomeKind.None);

    /// <summary>The newest decisions that profiles keep, where requests are on.</summary>
    public required RecentDecisions Recent { get; init; }

    /// <summary>Which events are outcomes of decisions; null where none are.</summary>
    public OutcomeRules? Outcomes { get; init; }

    /// <summary>Whether a decision of such a cause reads or writes the profile; where not, the funnel takes an empty one.</summary>
    public bool NeedsProfile(DecisionOrigin origin) => Contacts.Any || Outcomes is not null || Recent.Keeps(origin)
        || IsSticky || Deferred is not null && origin != DecisionOrigin.Request;

    /// <summary>Whether any experiment keeps variations in profiles.</summary>
    public bool IsSticky => _isSticky.Value;

    /// <summary>The decisions that wait for the end of quiet hours; null where none do.</summary>
    internal DeferredDecisions? Deferred { get; init; }

    /// <summary>The segments of customers that are told, in config order.</summary>
    public IReadOnlyList<string> Segments { get; init; } = [];

    /// <summary>Nothing is switched off, and all segments are told.</summary>
    public Switches AllOn => _allOn.Value;

    /// <summary>What holds before the first mark of a log: nothing is switched off, and no segment is told.</summary>
    public Switches Unmarked => _unmarked.Value;

    /// <summary>The consent bits that a decision needs; 0 for none.</summary>
    public ulong Purpose { get; init; }

    /// <summary>The share of customers that gets no offers, 0 to 1.</summary>
    public double HoldoutShare { get; init; }

    /// <summary>The holdout's seed, UTF-8.</summary>
    public ImmutableArray<byte> HoldoutSalt { get; init; } = [];

    /// <summary>The experiments in config order.</summary>
    public IReadOnlyList<Experiment> Experiments { get; init; } = [];

    /// <summary>Which models a customer's decisions need.</summary>
    public ModelPlan Plan => _plan.Value;

    /// <summary>How many variations all experiments have together.</summary>
    public int VariationCount => Experiments.Sum(e => e.Variations.Length);

    /// <summary>The placements that explore, in config order.</summary>
    public IReadOnlyList<Exploration> Explorations { get; init; } = [];

    /// <summary>Whether a placement learns which offers earn most.</summary>
    public bool Learns => Explorations.Any(e => e.Learns);

    /// <summary>How many groups the offers name.</summary>
    public int Groups { get; init; }

    /// <summary>The most offers of one group in a list.</summary>
    public int MaxPerGroup { get; init; } = int.MaxValue;

    /// <summary>The default offer's index; -1 for none.</summary>
    public int DefaultOffer { get; init; } = -1;

    /// <summary>
    /// Compiles the config; every mistake goes to <paramref name="errors"/>, and the result is usable only where there is none.
    /// </summary>
    /// <param name="options">When and how to decide.</param>
    /// <param name="offers">What can be recommended.</param>
    /// <param name="requests">Whether decisions can be asked for, and how many are kept.</param>
    /// <param name="fields">The events' fields.</param>
    /// <param name="featureNames">The features in vector order.</param>
    /// <param name="purposes">The purposes in bit order.</param>
    /// <param name="timers">The timers' names, in the order of their indexes.</param>
    /// <param name="models">The loaded models by their names in the config.</param>
    /// <param name="layout">Takes the caps' slots.</param>
    /// <param name="errors">Receives every mistake.</param>
    /// <param name="outcomes">Which events are outcomes of decisions; null for none.</param>
    /// <param name="lateness">How late an event may be.</param>
    /// <param name="featureTexts">The texts among the features.</param>
    /// <param name="segments">The names of the segments that are told.</param>
    public static DecisionPolicy Compile(DecisionOptions options, IReadOnlyList<OfferOptions> offers, RequestOptions requests,
        FieldCatalog fields, IReadOnlyList<string> featureNames,
        IReadOnlyList<string> purposes, IReadOnlyList<string> timers, IReadOnlyDictionary<string, IModel> models, StateLayout layout,
            ConfigErrors errors, OutcomeOptions? outcomes = null, TimeSpan lateness = default, VectorTexts? featureTexts = null,
            IReadOnlyList<string>? segments = null) =>
        new PolicyCompiler(fields, featureNames, featureTexts ?? VectorTexts.None, purposes, timers, models, errors)
            .Compile(options, offers, requests, outcomes, lateness, layout, segments ?? []);

    /// <summary>The first trigger whose <c>when</c> is true for the event; -1 where none is.</summary>
    public int MatchTrigger(EvalContext context)
    {
        for (var i = 0; i < Triggers.Count; i++)
            if (Triggers[i].When is { } when && when(context)) return i;
        return -1;
    }

    /// <summary>The trigger of a timer; -1 where it opens no decision.</summary>
    public int TimerTrigger(int timerIndex) => timerIndex < _timerTriggers.Length ? _timerTriggers[timerIndex] : -1;

    /// <summary>Where a trigger's offer will be shown, UTF-8; valid as long as the batch.</summary>
    public ReadOnlySpan<byte> Placement(int trigger, EvalContext context) =>
        Triggers[trigger].Placement is { } placement ? placement(context) : default;

    /// <summary>
    /// What a customer is shown of an offer: the offer's own treatment, or that of the customer's variation. It depends on the customer id
    /// and on what the profile keeps alone, so a decision that is told again tells the same. Not for the hot path.
    /// </summary>
    public string TreatmentOf(int offer, ReadOnlySpan<byte> customer, ReadOnlySpan<byte> profile)
    {
        var treatment = 0;
        foreach (var experiment in Experiments)
            if (experiment.Assign(customer, profile, out _) is var variation and >= 0
                && experiment.Variations[variation].Treatment[offer] is var other and > 0) treatment = other;
        return Offers[offer].Treatments[treatment];
    }

    /// <summary>The index of a placement's exploration; -1 where it has none.</summary>
    public int ExplorationIndex(ReadOnlySpan<byte> placement)
    {
        for (var i = 0; i < Explorations.Count; i++)
            if (placement.SequenceEqual(Explorations[i].Placement.AsSpan())) return i;
        return -1;
    }

    /// <summary>The index of the offer of that name (UTF-8); -1 where the config has it no more.</summary>
    public int OfferIndex(ReadOnlySpan<byte> name)
    {
        for (var i = 0; i < Offers.Count; i++)
            if (name.SequenceEqual(Offers[i].Utf8Name.AsSpan())) return i;
        return -1;
    }
}
