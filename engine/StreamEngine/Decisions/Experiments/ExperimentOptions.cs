using StreamEngine.Configuration;

namespace StreamEngine.Decisions;

/// <summary>
/// An experiment: customers are assigned to variations by GrowthBook's hash, version 2, over the customer id, so that the SDKs of that
/// ecosystem put the same customer into the same variation.
/// </summary>
public sealed record ExperimentOptions : ILocated
{
    /// <summary>The experiment's name, in decision records and actions.</summary>
    public string Name { get; init; } = "";

    [Doc("The hash's seed, as in GrowthBook: another seed draws other groups. The experiment's name where absent.")]
    public string? Seed { get; init; }

    [Doc("The share of customers in the experiment, 0 to 1; for all others everything stays as it is without it.")]
    [Bounds(0, 1)]
    public double Coverage { get; init; } = 1;

    [Doc("Keeps experiments apart: those of one namespace with ranges that do not overlap never share a customer.")]
    public NamespaceOptions? Namespace { get; init; }

    [Doc("Whether a customer keeps the first variation that a decision assigned, whatever becomes of weights and coverage; kept in the "
        + "profile.")]
    public bool Sticky { get; init; }

    [Doc("With 'sticky', another number assigns all customers anew.")]
    [Bounds(0, 1_000_000)]
    public int BucketVersion { get; init; }

    [Doc("With 'sticky', customers who were assigned under a lower bucket_version than this are in the experiment no more.")]
    [Bounds(0, 1_000_000)]
    public int MinBucketVersion { get; init; }

    [Doc("What is compared, the control first.")]
    [Keyed]
    public IReadOnlyList<VariationOptions> Variations { get; init; } = [];

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}

/// <summary>A range of a namespace, as GrowthBook has it.</summary>
public sealed record NamespaceOptions : ILocated
{
    [Doc("The namespace's name.")]
    public string Name { get; init; } = "";

    [Doc("Where the range begins, 0 to 1.")]
    [Bounds(0, 1)]
    public double From { get; init; }

    [Doc("Where it ends; the end itself is outside.")]
    [Bounds(0, 1)]
    public double To { get; init; } = 1;

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}

/// <summary>One arm of an experiment: what is different for its customers. The control says nothing but its weight.</summary>
public sealed record VariationOptions : ILocated
{
    /// <summary>The variation's name, in decision records and actions.</summary>
    public string Name { get; init; } = "";

    [Doc("Its share of the experiment's customers; equal shares where no variation has one.")]
    [Bounds(0, 1)]
    public double? Weight { get; init; }

    [Doc("Offers that its customers do not get.")]
    public IReadOnlyList<string> Without { get; init; } = [];

    [Doc("By offer, what is shown in place of the offer's treatment.")]
    public IReadOnlyDictionary<string, string> Treatments { get; init; } = new Dictionary<string, string>();

    [Doc("By offer, where P comes from in place of the offer's own propensity: another model, another output, or a fixed number.")]
    [Keyed]
    public IReadOnlyList<ExperimentPropensityOptions> Propensities { get; init; } = [];

    [Doc("By offer, V in place of the offer's own value, an expression of type double.")]
    [Keyed]
    public IReadOnlyList<ExperimentTermOptions> Values { get; init; } = [];

    [Doc("By offer, C in place of the offer's own context, an expression of type double.")]
    [Keyed]
    public IReadOnlyList<ExperimentTermOptions> Contexts { get; init; } = [];

    [Doc("By offer, a lever that is a factor of its own: L is multiplied by 1 + this, an expression of type double.")]
    [Keyed]
    public IReadOnlyList<ExperimentLeverOptions> Levers { get; init; } = [];

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}

/// <summary>A propensity that an experiment tries on an offer.</summary>
[Shorthand(nameof(Default))]
public sealed record ExperimentPropensityOptions : ILocated
{
    /// <summary>The offer.</summary>
    public string Name { get; init; } = "";

    [Doc("The model; where absent the offer's own with another output, or none with a default alone.")]
    public string? Model { get; init; }

    [Doc("The model's output column, by name or number; the first where absent.")]
    public string? Output { get; init; }

    [Doc("The propensity where there is no model or it fails, 0 to 1; the offer's own where absent.")]
    [Bounds(0, 1)]
    public double? Default { get; init; }

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}

/// <summary>A value or a context that an experiment tries on an offer.</summary>
[Shorthand(nameof(Is))]
public sealed record ExperimentTermOptions : ILocated
{
    /// <summary>The offer.</summary>
    public string Name { get; init; } = "";

    [Doc("What it is, an expression of type double.")]
    public ExprText Is { get; init; } = "1.0";

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}

/// <summary>A lever that an experiment tries on an offer.</summary>
[Shorthand(nameof(By))]
public sealed record ExperimentLeverOptions : ILocated
{
    /// <summary>The offer.</summary>
    public string Name { get; init; } = "";

    [Doc("By how much it lifts the priority, an expression of type double: 0.2 is 20 percent.")]
    public ExprText By { get; init; } = "0.0";

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}
