using System.ComponentModel;

namespace StreamEngine.Host.Explanation;

/// <summary>Why a decision came out as it did: its record, in words and numbers.</summary>
internal sealed record ExplainedDecision
{
    [Description("The decision's id: engine, source topic, partition, offset and ordinal of its cause.")]
    public required string DecisionId { get; init; }

    [Description("The customer.")]
    public required string Customer { get; init; }

    [Description("How it ended: served, holdout, no_offer, no_consent, switched_off.")]
    public required string Outcome { get; init; }

    [Description("The whole of it in sentences, from what opened the decision to what was chosen.")]
    public required IReadOnlyList<string> Why { get; init; }

    [Description("The event time at which it was evaluated (ISO 8601, UTC).")]
    public required string DecidedAt { get; init; }

    [Description("The time of the event that caused it.")]
    public required string EventTime { get; init; }

    [Description("What opened it: event, timer or request.")]
    public required string Origin { get; init; }

    [Description("The trigger; empty where a request asked.")]
    public required string Trigger { get; init; }

    [Description("Where the offer was to be shown.")]
    public required string Placement { get; init; }

    [Description("The record that caused it, or before which the timer or the request came.")]
    public required ExplainedCause Cause { get; init; }

    [Description("What was chosen; null where nothing was.")]
    public required ExplainedChoice? Chosen { get; init; }

    [Description("With which probability this outcome had to come out.")]
    public required double SelectionProbability { get; init; }

    [Description("The end of the quiet hours at which it is decided anew (ISO 8601, UTC); null where it waits for none.")]
    public string? DeferredUntil { get; init; }

    [Description("Every offer, in the config's order, with how far it came; empty without consent.")]
    public required IReadOnlyList<ExplainedOffer> Candidates { get; init; }

    [Description("The feature vector, in the config's order; empty without consent.")]
    public required IReadOnlyList<ExplainedFeature> Features { get; init; }

    [Description("Of each score that offers got from a model: what each feature added to it. Empty where no offer was scored.")]
    public IReadOnlyList<ExplainedScore> Reasons { get; init; } = [];

    [Description("The models that ran.")]
    public required IReadOnlyList<ExplainedModel> Models { get; init; }

    [Description("The variation of each experiment that the customer was in.")]
    public required IReadOnlyList<ExplainedAssignment> Assignments { get; init; }

    [Description("Identifies the config that decided.")]
    public required string ConfigHash { get; init; }

    [Description("Whether that is the config at hand: only then names of features and texts of rules are told.")]
    public required bool ConfigIsSame { get; init; }

    [Description("Where the record is; null where it was read from a file.")]
    public required ExplainedRecord? Record { get; init; }
}

/// <summary>What caused a decision.</summary>
/// <param name="EventId">The event's id (16 hex digits where ids are hashes), or the request's.</param>
/// <param name="Topic">The source topic.</param>
/// <param name="Partition">The partition.</param>
/// <param name="Offset">The offset.</param>
/// <param name="Ordinal">Which of that offset's decisions it is.</param>
internal sealed record ExplainedCause(string EventId, string Topic, int Partition, long Offset, int Ordinal);

/// <summary>What was chosen.</summary>
/// <param name="Offer">The offer.</param>
/// <param name="Treatment">How it is presented.</param>
/// <param name="Channel">Where its actions go.</param>
/// <param name="IsDefault">Whether the default offer was taken instead of arbitration's best.</param>
internal sealed record ExplainedChoice(string Offer, string Treatment, string Channel, bool IsDefault);

/// <summary>An offer on its way through the funnel.</summary>
/// <param name="Offer">The offer.</param>
/// <param name="Stage">How far it came: the gate that said no, or chosen.</param>
/// <param name="Drop">The reason in the record; empty for the chosen one.</param>
/// <param name="Why">The same in words.</param>
/// <param name="Rank">Its place in the list from 1; 0 where it has none.</param>
/// <param name="Priority">P x C x V x L; 0 where it did not come to arbitration, as the four.</param>
/// <param name="P">Propensity.</param>
/// <param name="C">Context.</param>
/// <param name="V">Value.</param>
/// <param name="L">Levers.</param>
/// <param name="PSource">Where P came from: none, fixed, model, fallback, learned.</param>
/// <param name="SelectionProbability">With which probability exploration would have chosen it; null where nothing was drawn.</param>
internal sealed record ExplainedOffer(string Offer, string Stage, string Drop, string Why, int Rank, double Priority, double P, double C,
    double V, double L, string PSource, double? SelectionProbability = null);

/// <summary>A feature.</summary>
/// <param name="Name">Its name; null where another config decided, whose names are not at hand.</param>
/// <param name="Value">Its value.</param>
internal sealed record ExplainedFeature(string? Name, double Value);

/// <summary>A model that ran.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Version">Its version.</param>
/// <param name="Provider">The execution provider that ran it.</param>
internal sealed record ExplainedModel(string Name, string Version, string Provider);

/// <summary>A variation that the customer was in.</summary>
/// <param name="Experiment">The experiment.</param>
/// <param name="Variation">The variation.</param>
internal sealed record ExplainedAssignment(string Experiment, string Variation);

/// <summary>Where a record is.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Partition">The partition.</param>
/// <param name="Offset">The offset.</param>
internal sealed record ExplainedRecord(string Topic, int Partition, long Offset);
