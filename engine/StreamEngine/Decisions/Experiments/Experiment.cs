using System.Collections.Immutable;
using StreamEngine.Expressions;

namespace StreamEngine.Decisions;

/// <summary>
/// A compiled experiment. Which variation a customer is in depends on the customer id alone, or on what the profile keeps of it too.
/// </summary>
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

    /// <summary>Keeps each customer's variation; null where the hash alone assigns.</summary>
    public StickyBuckets? Sticky { get; init; }

    /// <summary>The variations, the control first.</summary>
    public required ImmutableArray<Variation> Variations { get; init; }

    /// <summary>
    /// The customer's variation, the kept one where the experiment is sticky, whatever namespace, coverage and weights have become; -1 for
    /// a customer outside the experiment.
    /// </summary>
    /// <param name="customer">The customer id, UTF-8.</param>
    /// <param name="profile">The customer's profile; empty where there is none.</param>
    /// <param name="fate">What came of it where the experiment is sticky.</param>
    public int Assign(ReadOnlySpan<byte> customer, ReadOnlySpan<byte> profile, out StickyFate fate)
    {
        fate = StickyFate.None;
        var assigned = Assign(customer);
        if (Sticky is null) return assigned;
        var (kept, isBlocked) = (-1, false);
        if (!profile.IsEmpty) kept = Sticky.Find(profile, out isBlocked);
        fate = isBlocked ? StickyFate.Blocked : kept < 0 ? assigned < 0 ? StickyFate.None : StickyFate.Assigned
            : kept == assigned ? StickyFate.Kept : StickyFate.Moved;
        return isBlocked ? -1 : kept >= 0 ? kept : assigned;
    }

    /// <summary>The variation by the hash alone; -1 for a customer outside the experiment.</summary>
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
