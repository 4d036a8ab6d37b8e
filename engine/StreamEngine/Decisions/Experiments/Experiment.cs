using System.Collections.Immutable;
using StreamEngine.Expressions;

namespace StreamEngine.Decisions;

/// <summary>A compiled experiment. Which variation a customer is in depends on the customer id alone.</summary>
public sealed record Experiment
{
    /// <summary>The experiment's name.</summary>
    public required string Name { get; init; }

    /// <summary>The hash's seed, UTF-8.</summary>
    public required ImmutableArray<byte> Seed { get; init; }

    /// <summary>The namespace's seed, UTF-8; null where the experiment is in none.</summary>
    public ImmutableArray<byte>? Namespace { get; init; }

    /// <summary>The experiment's range of the namespace.</summary>
    public (double From, double To) InNamespace { get; init; }

    /// <summary>The buckets of each variation.</summary>
    public required ImmutableArray<(double From, double To)> Ranges { get; init; }

    /// <summary>The variations, the control first.</summary>
    public required ImmutableArray<Variation> Variations { get; init; }

    /// <summary>The customer's variation; -1 for a customer outside the experiment.</summary>
    public int Assign(ReadOnlySpan<byte> customer)
    {
        if (Namespace is { } space && BucketHash.Bucket1(space.AsSpan(), customer) is var place
            && !(place >= InNamespace.From && place < InNamespace.To)) return -1;
        return BucketRanges.Choose(BucketHash.Bucket(Seed.AsSpan(), customer), Ranges.AsSpan());
    }
}

/// <summary>One arm of an experiment, with what is different in it for each offer.</summary>
/// <param name="Name">The variation's name.</param>
/// <param name="Number">Its place among the variations of all experiments, for counters.</param>
/// <param name="Without">By offer, whether it is withheld.</param>
/// <param name="Treatment">By offer, the treatment among <see cref="CompiledOffer.Treatments"/>; 0 for the offer's own.</param>
/// <param name="Levers">By offer, the lever that multiplies L by 1 plus itself; null for none.</param>
/// <param name="Propensities">By offer, where P comes from; null for the offer's own.</param>
/// <param name="Values">By offer, V; null for the offer's own.</param>
/// <param name="Contexts">By offer, C; null for the offer's own.</param>
public sealed record Variation(string Name, int Number, ImmutableArray<bool> Without, ImmutableArray<int> Treatment,
    ImmutableArray<DoubleExpr?> Levers, ImmutableArray<PropensityTerm?> Propensities, ImmutableArray<DoubleExpr?> Values,
    ImmutableArray<DoubleExpr?> Contexts);
