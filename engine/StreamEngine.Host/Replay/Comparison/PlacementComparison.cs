using System.Runtime.InteropServices;
using StreamEngine.Configuration;
using StreamEngine.Decisions;

namespace StreamEngine.Host.Replay.Comparison;

/// <summary>A change of what is shown, and how often it comes.</summary>
/// <param name="From">The first policy's offer; in brackets how the decision ended where it shows nothing.</param>
/// <param name="To">The second policy's; the same offer where only its treatment or channel is another.</param>
/// <param name="Count">How often.</param>
internal sealed record OfferChange(string From, string To, long Count);

/// <summary>The two policies at one placement, or at all of them.</summary>
/// <param name="offers">The names of each policy's offers.</param>
internal sealed class PlacementComparison(IReadOnlyList<string>[] offers)
{
    /// <summary>So many changes of offers are told, the most frequent ones.</summary>
    private const int MostChanges = 20;

    private readonly Dictionary<(string From, string To), long> _changes = [];

    /// <summary>What each policy did.</summary>
    public PolicyTally[] Policies { get; } = [new(offers[0]), new(offers[1])];

    /// <summary>Decisions by which customers get the same.</summary>
    public long Same { get; private set; }

    /// <summary>Decisions that both make and that end otherwise, or show another offer, treatment or channel.</summary>
    public long Changed { get; private set; }

    /// <summary>Decisions that only the first makes.</summary>
    public long OnlyA { get; private set; }

    /// <summary>Decisions that only the second makes.</summary>
    public long OnlyB { get; private set; }

    /// <summary>The most frequent changes of offers.</summary>
    public IReadOnlyList<OfferChange> Changes => [.. _changes.Select(c => new OfferChange(c.Key.From, c.Key.To, c.Value))
        .OrderByDescending(c => c.Count).ThenBy(c => c.From, StringComparer.Ordinal).ThenBy(c => c.To, StringComparer.Ordinal)
        .Take(MostChanges)];

    /// <summary>Counts a pair; true where it is a change.</summary>
    public bool Count(DecisionPair pair)
    {
        if (pair is not { A: { } a, B: { } b })
        {
            if (pair.A is null) OnlyB++;
            else OnlyA++;
            return true;
        }
        if (a.IsSame(b))
        {
            Same++;
            return false;
        }
        Changed++;
        CollectionsMarshal.GetValueRefOrAddDefault(_changes, (Shown(a), Shown(b)), out _)++;
        return true;
    }

    /// <summary>Adds another placement.</summary>
    public void Add(PlacementComparison other)
    {
        for (var i = 0; i < Policies.Length; i++) Policies[i].Add(other.Policies[i]);
        Same += other.Same;
        Changed += other.Changed;
        OnlyA += other.OnlyA;
        OnlyB += other.OnlyB;
        foreach (var (change, count) in other._changes) CollectionsMarshal.GetValueRefOrAddDefault(_changes, change, out _) += count;
    }

    private static string Shown(ComparedDecision decision) =>
        decision.Outcome == Outcome.Served ? decision.Offer : $"({Spelling.Snake(decision.Outcome.ToString())})";
}
