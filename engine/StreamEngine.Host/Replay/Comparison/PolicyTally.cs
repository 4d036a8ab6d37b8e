using System.Runtime.InteropServices;
using StreamEngine.Decisions;
using StreamEngine.Events;

namespace StreamEngine.Host.Replay.Comparison;

/// <summary>What one policy did at one placement, or at all of them.</summary>
/// <param name="offers">The names of the policy's offers, in the order of its config.</param>
internal sealed class PolicyTally(IReadOnlyList<string> offers)
{
    private readonly HashSet<ulong> _customers = [];
    private readonly long[] _fallbacks = new long[offers.Count];
    private readonly Dictionary<string, long> _byOffer = [], _byChannel = [];
    private readonly Dictionary<(int Offer, string Reason), long> _drops = [];

    /// <summary>Decisions.</summary>
    public long Decisions { get; private set; }

    /// <summary>Decisions by how they ended.</summary>
    public long[] Outcomes { get; } = new long[Enum.GetValues<Outcome>().Length];

    /// <summary>The sum of P x V over what is shown.</summary>
    public double ExpectedValue { get; private set; }

    /// <summary>The sum of P x C x V x L over what is shown.</summary>
    public double Priority { get; private set; }

    /// <summary>Decisions by which something is shown.</summary>
    public long Served => Outcomes[(int)Outcome.Served];

    /// <summary>Customers to whom something is shown, each once.</summary>
    public int Customers => _customers.Count;

    /// <summary>What is shown, by offer.</summary>
    public IReadOnlyDictionary<string, long> ByOffer => _byOffer;

    /// <summary>What is shown, by channel.</summary>
    public IReadOnlyDictionary<string, long> ByChannel => _byChannel;

    /// <summary>Candidates that were dropped, by offer and reason; a limit's reason, and no other, has its name behind a colon.</summary>
    public IEnumerable<(string Offer, string Reason, long Count)> Drops =>
        _drops.Select(d => (offers[d.Key.Offer], d.Key.Reason, d.Value));

    /// <summary>Candidates that a cap, a suppression or quiet hours dropped, by the reason with their name.</summary>
    public Dictionary<string, long> Limits => Drops.Where(d => d.Reason.Contains(':', StringComparison.Ordinal))
        .GroupBy(d => d.Reason).ToDictionary(g => g.Key, g => g.Sum(d => d.Count));

    /// <summary>Candidates whose model gave no usable score, so that the default propensity stood in, by offer.</summary>
    public Dictionary<string, long> Fallbacks => Enumerable.Range(0, offers.Count).Where(i => _fallbacks[i] > 0)
        .ToDictionary(i => offers[i], i => _fallbacks[i]);

    /// <summary>Counts a decision.</summary>
    /// <param name="decision">The decision.</param>
    /// <param name="record">Its record, as read from <paramref name="value"/>.</param>
    /// <param name="value">The record's value.</param>
    /// <param name="names">The texts that come again and again.</param>
    public void Count(ComparedDecision decision, in LoggedDecision record, ReadOnlySpan<byte> value, NameTable names)
    {
        Decisions++;
        Outcomes[(int)decision.Outcome]++;
        var offer = 0;
        foreach (var candidate in new LoggedCandidates(record, value))
        {
            if (!candidate.Drop.IsEmpty) Add(_drops, (offer, names.Of(candidate.Drop)), 1);
            if (candidate.Source == PropensitySource.Fallback) _fallbacks[offer]++;
            offer++;
        }
        if (decision.Outcome != Outcome.Served) return;
        ExpectedValue += decision.ExpectedValue;
        Priority += decision.Priority;
        Add(_byOffer, decision.Offer, 1);
        Add(_byChannel, decision.Channel, 1);
        _customers.Add(Hash64.Of(record.Customer.Of(value)));
    }

    /// <summary>Adds what the same policy did at another placement.</summary>
    public void Add(PolicyTally other)
    {
        Decisions += other.Decisions;
        ExpectedValue += other.ExpectedValue;
        Priority += other.Priority;
        for (var i = 0; i < Outcomes.Length; i++) Outcomes[i] += other.Outcomes[i];
        for (var i = 0; i < _fallbacks.Length; i++) _fallbacks[i] += other._fallbacks[i];
        foreach (var (offer, count) in other._byOffer) Add(_byOffer, offer, count);
        foreach (var (channel, count) in other._byChannel) Add(_byChannel, channel, count);
        foreach (var (drop, count) in other._drops) Add(_drops, drop, count);
        _customers.UnionWith(other._customers);
    }

    private static void Add<TKey>(Dictionary<TKey, long> counts, TKey key, long count) where TKey : notnull =>
        CollectionsMarshal.GetValueRefOrAddDefault(counts, key, out _) += count;
}
