using StreamEngine.Configuration;

namespace StreamEngine.Decisions;

/// <summary>When a decision is opened and how it is made.</summary>
public sealed record DecisionOptions : ILocated
{
    [Doc("What opens a decision.")]
    [Keyed]
    public IReadOnlyList<TriggerOptions> Triggers { get; init; } = [];

    [Doc("The purpose a customer must consent to for a decision; none where absent.")]
    public string? Purpose { get; init; }

    [Doc("A share of customers that gets no offers, so that the effect of all others can be measured.")]
    public HoldoutOptions? Holdout { get; init; }

    [Doc("Experiments: what is shown to some customers and not to others, so that the two can be compared.")]
    [Keyed]
    public IReadOnlyList<ExperimentOptions> Experiments { get; init; } = [];

    [Doc("By placement, how offers other than the best are shown now and then; a placement that is not named shows the best one.")]
    [Keyed]
    public IReadOnlyList<ExplorationOptions> Exploration { get; init; } = [];

    [Doc("The offer for a customer of whom nothing is known or for whom no offer is left; must be eligible itself.")]
    public string? DefaultOffer { get; init; }

    [Doc("How many offers of one group a list of offers may hold; as many as there are where absent.")]
    public DiversityOptions? Diversity { get; init; }

    [Doc("Contact limits: at most so many within a window.")]
    [Keyed]
    public IReadOnlyList<CapOptions> Caps { get; init; } = [];

    [Doc("Contact limits: nothing more for a time after so many outcomes.")]
    [Keyed]
    public IReadOnlyList<SuppressionOptions> Suppressions { get; init; } = [];

    [Doc("Hours of the day in which offers of some channels are not shown.")]
    [Keyed]
    public IReadOnlyList<QuietHoursOptions> QuietHours { get; init; } = [];

    [Doc("Budgets: what offers may cost together, over all customers; a cap on what is shown where each costs 1.")]
    [Keyed]
    public IReadOnlyList<BudgetOptions> Budgets { get; init; } = [];

    [Doc("How many decisions of a customer may wait for the end of quiet hours; a further one takes the place of the oldest.")]
    [Bounds(1, 64)]
    public int MaxDeferred { get; init; } = 4;

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}

/// <summary>What opens a decision: an event that matches, or a timer.</summary>
public sealed record TriggerOptions : ILocated
{
    /// <summary>The trigger's name, in the decision record.</summary>
    public string Name { get; init; } = "";

    [Doc("The events that open a decision, an expression.")]
    public ExprText? When { get; init; }

    [Doc("The timer that opens a decision.")]
    public string? Timer { get; init; }

    [Doc("Where the offer will be shown, an expression of type string, e.g. event.placement or 'email'.")]
    public ExprText Placement { get; init; } = "''";

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}

/// <summary>A holdout: customers by hash of salt and customer id; an offer's own takes the offer's name into the hash as well.</summary>
public sealed record HoldoutOptions : ILocated
{
    [Doc("The share of customers, 0 to 1.")]
    [Bounds(0, 1)]
    public double Share { get; init; }

    [Doc("The hash's seed: another salt draws another holdout.")]
    public string Salt { get; init; } = "holdout";

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}

/// <summary>Variety in the list of offers that a request gets.</summary>
public sealed record DiversityOptions : ILocated
{
    [Doc("At most so many offers of one group, the chosen one included; offers without a group are not counted.")]
    [Bounds(1, 1_000)]
    public int MaxPerGroup { get; init; } = 1;

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}

/// <summary>Something that can be recommended.</summary>
public sealed record OfferOptions : ILocated
{
    /// <summary>The offer's id.</summary>
    public string Name { get; init; } = "";

    [Doc("The channel its actions go to.")]
    public string Channel { get; init; } = "default";

    [Doc("What is shown, an id for the reader of the action.")]
    public string Treatment { get; init; } = "";

    [Doc("What it is a kind of: decisions.diversity limits how many of a group stand in one list.")]
    public string Group { get; init; } = "";

    [Doc("A share of customers that does not get this offer, so that the offer's own effect can be measured.")]
    public HoldoutOptions? Holdout { get; init; }

    [Doc("Placements it may be shown in; all where absent.")]
    public IReadOnlyList<string> Placements { get; init; } = [];

    [Doc("Who may get it at all (law, contract, stock), an expression over event, features, offer and consent.")]
    public ExprText? Eligible { get; init; }

    [Doc("Whether it fits now, likewise.")]
    public ExprText? Applicable { get; init; }

    [Doc("Whether it is good for the customer, likewise.")]
    public ExprText? Suitable { get; init; }

    [Doc("P: the propensity.")]
    public PropensityOptions Propensity { get; init; } = new();

    [Doc("C: the context's weight, an expression of type double.")]
    public ExprText Context { get; init; } = "1.0";

    [Doc("V: what it is worth, an expression of type double.")]
    public ExprText Value { get; init; } = "1.0";

    [Doc("L: levers by name, each an expression of type double: levers of one factor add to 1, and the factors are multiplied.")]
    [Keyed]
    public IReadOnlyList<LeverOptions> Levers { get; init; } = [];

    [Doc("Attributes that expressions read as offer.NAME: numbers and texts.")]
    public IReadOnlyDictionary<string, string> Attributes { get; init; } = new Dictionary<string, string>();

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}

/// <summary>A business lever of an offer.</summary>
[Shorthand(nameof(By))]
public sealed record LeverOptions : ILocated
{
    /// <summary>The lever's name.</summary>
    public string Name { get; init; } = "";

    [Doc("By how much it lifts the priority, an expression of type double: 0.2 is 20 percent.")]
    public ExprText By { get; init; } = "0.0";

    [Doc("The factor that it adds to, a name; levers that name none are one factor together.")]
    public string Factor { get; init; } = "";

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}

/// <summary>Where an offer's propensity comes from.</summary>
[Shorthand(nameof(Default))]
public sealed record PropensityOptions : ILocated
{
    [Doc("The model; the default is used where absent.")]
    public string? Model { get; init; }

    [Doc("The model's output column, by name or number; the first where absent.")]
    public string? Output { get; init; }

    [Doc("The propensity where there is no model or it fails, 0 to 1.")]
    [Bounds(0, 1)]
    public double Default { get; init; } = 0.01;

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}
