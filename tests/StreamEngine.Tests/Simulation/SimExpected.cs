using StreamEngine.Testing;

namespace StreamEngine.Tests.Simulation;

/// <summary>A decision that must have been made, but for the model's scores.</summary>
internal sealed record SimExpected(
    SimCustomer Customer, string Topic, long Offset, int Ordinal, string Trigger, string Placement, long EventTime, long DecidedAt,
        long Watermark, double[] Features, string Strongest, bool Consent, HashSet<string> Off, bool MayWait = true)
{
    /// <summary>Each offer's propensity where the model gives none.</summary>
    private const double DefaultP = 0.1;

    private static readonly (string Name, double Value, int Output)[] Offers = [("a", 10, 0), ("b", 14, 1), ("c", 18, 2), ("d", 5, 0)];

    /// <summary>The first difference from what was logged, in words; null where it is that decision.</summary>
    /// <param name="actual">What was logged.</param>
    /// <param name="draw">What the decision's position draws, 0 to below 1.</param>
    /// <param name="budgets">What the log says of the shard's budgets; null where it has none.</param>
    /// <param name="arms">What the log says of the placement that learns; null where none does.</param>
    public string? Difference(SimDecision actual, double draw, SimBudgets? budgets, SimArms? arms)
    {
        if (Placement != SimArms.Placement) arms = null;
        if ((actual.Topic, actual.Offset, actual.Ordinal) != (Topic, Offset, Ordinal)) return "another cause";
        if ((actual.Customer, actual.Trigger, actual.Placement) != (Customer.Id, Trigger, Placement))
            return "another customer, trigger or placement";
        if ((actual.EventTime, actual.DecidedAt, actual.Watermark) != (EventTime, DecidedAt, Watermark))
            return $"event time, decision time or watermark: {actual.EventTime} {actual.DecidedAt} {actual.Watermark}, expected "
                + $"{EventTime} {DecidedAt} {Watermark}";
        var candidates = actual.Candidates;
        if (!Consent)
            return actual is { Outcome: "no_consent", Offer: null, DeferredUntil: null } && candidates.Length == 0
                && actual.Features.Length == 0 ? null : "decided, or kept something, without consent";
        if (!Customer.Agrees(Features, actual.Features))
            return $"features {string.Join(' ', actual.Features)}, expected {string.Join(' ', Features)}";
        if (candidates.Length != Offers.Length) return "candidates are missing";
        if (Off.Contains("all"))
            return actual is { Outcome: "switched_off", Offer: null, DeferredUntil: null }
                && candidates.All(c => c is { Drop: "switched_off", Rank: 0 }) ? null : "something was looked at, though everything is off";

        var left = new List<int>();
        var drops = new string?[Offers.Length];
        for (var i = 0; i < Offers.Length; i++)
        {
            drops[i] = Drop(i);
            if (drops[i] is null && budgets?.Fault(Offers[i].Name, DecidedAt, candidates[i].Drop, out drops[i]) is { } fault) return fault;
            if (drops[i] is not null) continue;
            var p = Off.Contains("model:shop") ? DefaultP : SimEngines.P(actual.Version, Offers[i].Output, Features[0]);
            if (arms is not null)
            {
                if (Math.Abs(candidates[i].Priority - arms.Mean(i, p * Offers[i].Value)) > 1e-5 || candidates[i].P != 1)
                    return $"{Offers[i].Name}: P {candidates[i].P}, and {candidates[i].Priority} is not what it has earned";
            }
            else if (Math.Abs(candidates[i].P - p) > 1e-6)
                return $"{Offers[i].Name}: P {candidates[i].P} is not what model {actual.Version} gives, or the default where it is off";
            else if (Math.Abs(candidates[i].Priority - candidates[i].P * Offers[i].Value) > 1e-12)
                return $"{Offers[i].Name}: priority {candidates[i].Priority}";
            left.Add(i);
        }
        // A sort that keeps the order of what is equal: ties go to the name that comes first.
        left = [.. left.OrderByDescending(i => candidates[i].Priority)];
        var best = left.Count == 0 ? -1 : arms is null ? left[Chosen(left.Count, draw)] : Drawn(left, actual.Probabilities, draw);
        for (var i = 0; i < Offers.Length; i++)
        {
            var drop = i == best ? "" : drops[i] ?? "lost_arbitration";
            if (candidates[i].Offer != Offers[i].Name || candidates[i].Drop != drop)
                return $"{Offers[i].Name}: dropped by '{candidates[i].Drop}', expected '{drop}'";
        }
        if ((arms is null || best < 0 ? Probabilities(left, best, actual) : arms.Fault(left, actual)) is { } probability)
            return probability;
        var until = best < 0 && MayWait && Enumerable.Range(0, Offers.Length).Any(i => Drop(i) == QuietReason) ? QuietUntil : null;
        if (actual.DeferredUntil != until) return $"waits until {actual.DeferredUntil}, expected {until}";
        var offer = best < 0 ? null : Offers[best].Name;
        return actual.Offer != offer || actual.Outcome != (offer is null ? "no_offer" : "served")
            ? $"expected {offer ?? "nothing"} to be shown" : null;
    }

    /// <summary>
    /// The place of the candidate that is shown: the best one, or where the placement explores, the one in whose share of 0 to 1 the draw
    /// is.
    /// </summary>
    private int Chosen(int count, double draw)
    {
        const double best = 1 - SimEngines.Epsilon;
        if (Placement != SimEngines.Explored || draw < best + SimEngines.Epsilon / count) return 0;
        return Math.Min(count - 1, (int)((draw - best) * count / SimEngines.Epsilon));
    }

    /// <summary>The candidate in whose share, as logged, the draw is.</summary>
    private static int Drawn(List<int> ranked, double[] shares, double draw)
    {
        foreach (var offer in ranked)
            if (shares.Length > offer && (draw -= shares[offer]) < 0) return offer;
        return ranked[0];
    }

    private string? Probabilities(List<int> ranked, int chosen, SimDecision actual)
    {
        var logged = actual.Probabilities;
        if (Placement != SimEngines.Explored || chosen < 0)
            return logged.Length == 0 && actual.SelectionProbability == 1 ? null : "probabilities, though nothing was drawn";
        if (logged.Length != Offers.Length || logged[chosen] != actual.SelectionProbability)
            return $"probability {actual.SelectionProbability}, of the candidates {string.Join(' ', logged)}";
        for (var i = 0; i < Offers.Length; i++)
        {
            var expected = !ranked.Contains(i) ? 0
                : SimEngines.Epsilon / ranked.Count + (i == ranked[0] ? 1 - SimEngines.Epsilon : 0);
            if (logged[i] != expected) return $"{Offers[i].Name}: probability {logged[i]:R}, expected {expected:R}";
        }
        return null;
    }

    public override string ToString() => $"{Trigger} of {Customer.Id} caused by {Topic} {Offset}/{Ordinal} at {DecidedAt}";

    private string? Drop(int offer) => Offers[offer].Name switch
    {
        var name when Off.Contains($"offer:{name}") || Off.Contains("channel:default") => "switched_off",
        "d" when Placement != "email" => "placement",
        "c" when Features[1] <= 50 => "not_eligible",
        "b" when Strongest == "cart_add" => "not_suitable",
        var name => Customer.Capped(name, DecidedAt) ?? QuietReason,
    };

    /// <summary>The quiet hours that are on for the customer.</summary>
    private (string Name, int From, int To)? Quiet => Strongest == "page_view" ? null
        : SimEngines.Quiet.Cast<(string Name, int From, int To)?>()
            .FirstOrDefault(q => DecidedAt >= Minute(q!.Value.From) && DecidedAt < Minute(q.Value.To));

    private string? QuietReason => Quiet is { } quiet ? $"quiet_hours:{quiet.Name}" : null;

    private long? QuietUntil => Quiet is { } quiet ? Minute(quiet.To) : null;

    private static long Minute(int minute) => Scenario.Start + minute * 60_000;
}
