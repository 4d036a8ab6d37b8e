using System.Collections.Immutable;
using StreamEngine.Expressions;

namespace StreamEngine.Decisions;

/// <summary>An offer ready to run: rules and factors as delegates.</summary>
public sealed record CompiledOffer
{
    /// <summary>The offer's id.</summary>
    public required string Name { get; init; }

    /// <summary>The channel its actions go to.</summary>
    public required string Channel { get; init; }

    /// <summary>What is shown: the offer's own treatment first, then those that experiments try.</summary>
    public required ImmutableArray<string> Treatments { get; init; }

    /// <summary>The id as UTF-8.</summary>
    public required ImmutableArray<byte> Utf8Name { get; init; }

    /// <summary>Placements it may be shown in, UTF-8; empty for all.</summary>
    public required ImmutableArray<ImmutableArray<byte>> Placements { get; init; }

    /// <summary>Whether it may be shown in a placement.</summary>
    public bool MayBeIn(ReadOnlySpan<byte> placement)
    {
        foreach (var one in Placements)
            if (placement.SequenceEqual(one.AsSpan())) return true;
        return Placements.Length == 0;
    }

    /// <summary>Who may get it; null for everybody.</summary>
    public BoolExpr? Eligible { get; init; }

    /// <summary>Whether it fits now; null for always.</summary>
    public BoolExpr? Applicable { get; init; }

    /// <summary>Whether it is good for the customer; null for always.</summary>
    public BoolExpr? Suitable { get; init; }

    /// <summary>C; null for 1.</summary>
    public DoubleExpr? Context { get; init; }

    /// <summary>V; null for 1.</summary>
    public DoubleExpr? Value { get; init; }

    /// <summary>What it is a kind of, as the group's number; -1 for an offer without one.</summary>
    public int Group { get; init; } = -1;

    /// <summary>The levers by factor: those of one factor add to 1, and the factors are multiplied.</summary>
    public required ImmutableArray<ImmutableArray<DoubleExpr>> Levers { get; init; }

    /// <summary>The share of customers that does not get this offer.</summary>
    public double HoldoutShare { get; init; }

    /// <summary>The seed of its holdout, UTF-8.</summary>
    public ImmutableArray<byte> HoldoutSeed { get; init; } = [];

    /// <summary>Where P comes from, unless an experiment tries another way.</summary>
    public required PropensityTerm Propensity { get; init; }
}

/// <summary>Where an offer's propensity comes from.</summary>
/// <param name="Model">The model's index in <see cref="DecisionPolicy.Models"/>; -1 where P is the default.</param>
/// <param name="Output">The model's output column.</param>
/// <param name="Default">P without a model, and where it fails.</param>
public sealed record PropensityTerm(int Model, int Output, double Default);

/// <summary>A trigger ready to run.</summary>
public sealed record CompiledTrigger
{
    /// <summary>The trigger's name.</summary>
    public required string Name { get; init; }

    /// <summary>The events that open a decision; null for a timer's trigger.</summary>
    public BoolExpr? When { get; init; }

    /// <summary>The timer's index; -1 for an event's trigger.</summary>
    public int Timer { get; init; } = -1;

    /// <summary>Where the offer will be shown; null for nowhere in particular.</summary>
    public StringExpr? Placement { get; init; }
}
