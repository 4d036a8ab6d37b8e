namespace StreamEngine.SystemTests.Oracle;

/// <summary>What a decision is made from, as the oracle sees it.</summary>
internal sealed record Situation(Customer Customer, Vector Features, long DecidedAt, string Placement, IReadOnlyList<string> Consent,
    bool ColdStart);

/// <summary>Decides a second time, with the model that the record names, and compares: the first difference in words, or null.</summary>
internal sealed class DecisionCheck(JobDefinition job)
{
    /// <summary>Compares a record with the situation that it was made in.</summary>
    public string? Difference(Situation s, DecisionRecord actual)
    {
        if (actual.Placement != s.Placement) return $"placement '{actual.Placement}', expected '{s.Placement}'";
        if (actual.SelectionProbability != 1) return $"selection probability {actual.SelectionProbability}, expected 1";
        if (actual.Version(job.Model) is not { } version) return $"names no version of model {job.Model}";
        if (job.Purpose is not null && !s.Consent.Contains(job.Purpose))
            return actual is { Outcome: "no_consent", Offer: null, Candidates.Length: 0, Features.Length: 0 } ? null
                : $"outcome {actual.Outcome} without consent, or kept more than that";
        if (s.Features.Difference(actual.Features) is { } feature) return feature;
        if (actual.Candidates.Length != job.Offers.Length) return $"{actual.Candidates.Length} candidates, expected {job.Offers.Length}";

        var gates = job.Offers.Select(o => Gate(o, s)).ToArray();
        var ranked = Ranked(gates, actual);
        var best = ranked.Length > 0 ? ranked[0] : -1;
        var isDefault = false;
        if ((best < 0 || s.ColdStart) && DefaultOffer(gates) is var standby and >= 0)
        {
            best = standby;
            isDefault = true;
        }
        var held = best >= 0 && job.Holdout > 0 && Bucket(job.Salt, s.Customer.Id) < job.Holdout;
        var outcome = best < 0 ? "no_offer" : held ? "holdout" : "served";
        if (actual.Outcome != outcome) return $"outcome {actual.Outcome}, expected {outcome}";
        var offer = outcome == "served" ? job.Offers[best].Name : null;
        if (actual.Offer != offer) return $"offer {actual.Offer ?? "none"}, expected {offer ?? "none"}";
        if (offer is not null && actual.IsDefault != isDefault) return $"default {actual.IsDefault}, expected {isDefault}";
        if (offer is not null && (actual.ChosenP != actual.Candidates[best].P || actual.ChosenPriority != actual.Candidates[best].Priority))
            return "the chosen one's numbers are not its candidate's";
        for (var i = 0; i < job.Offers.Length; i++)
        {
            var rank = Array.IndexOf(ranked, i) + 1;
            var drop = i == best ? held ? "holdout" : "" : rank > 0 ? "lost_arbitration" : gates[i].Drop!;
            if (Candidate(i, s, job.Variant(version), actual.Candidates[i], drop, rank, rank > 0 || i == best) is { } difference)
                return $"{job.Offers[i].Name}: {difference}";
        }
        return null;
    }

    private string? Candidate(int offer, Situation s, int variant, CandidateRecord actual, string drop, int rank, bool priced)
    {
        if (actual.Offer != job.Offers[offer].Name) return $"is {actual.Offer}";
        if (actual.Drop != drop) return $"drop '{actual.Drop}', expected '{drop}'";
        if (actual.Rank != rank) return $"rank {actual.Rank}, expected {rank}";
        if (!priced)
            return actual is { P: 0, C: 0, V: 0, L: 0, Priority: 0, Source: "none" } ? null : "was priced though it was dropped before";
        var p = Logistic.P(variant, offer, s.Features);
        if (actual.Source != "model") return $"propensity from {actual.Source}, expected the model";
        if (!(Math.Abs(actual.P - p) <= 1e-5)) return $"P {actual.P:R}, expected {p:R}";
        if (actual.C != job.Offers[offer].Context(s.Features)) return $"C {actual.C:R}";
        if (actual.V != job.Offers[offer].Value) return $"V {actual.V:R}";
        if (Math.Abs(actual.L - job.Offers[offer].Levers(s.Features)) > 1e-12) return $"L {actual.L:R}";
        var priority = actual.P * actual.C * actual.V * actual.L;
        return Math.Abs(actual.Priority - priority) <= 1e-12 * Math.Abs(priority) ? null
            : $"priority {actual.Priority:R}, expected {priority:R}";
    }

    /// <summary>
    /// Why an offer is out before arbitration, and whether a cap stands against it. The rules come before the caps in the reason given.
    /// </summary>
    private static (string? Drop, bool Capped) Gate(OfferDefinition offer, Situation s)
    {
        if (offer.Placements.Length > 0 && !offer.Placements.Contains(s.Placement)) return ("placement", false);
        if (!offer.Eligible(s.Features)) return ("not_eligible", false);
        var cap = s.Customer.Capped(offer.Name, s.DecidedAt);
        return (offer.Suitable(s.Features) ? cap : "not_suitable", cap is not null);
    }

    /// <summary>
    /// Those left by the record's own priorities (checked against the formula by themselves, so that a tie within rounding is no fault),
    /// ties by name.
    /// </summary>
    private int[] Ranked((string? Drop, bool Capped)[] gates, DecisionRecord actual) =>
        Enumerable.Range(0, gates.Length).Where(i => gates[i].Drop is null)
            .OrderByDescending(i => actual.Candidates[i].Priority).ThenBy(i => job.Offers[i].Name, StringComparer.Ordinal).ToArray();

    private int DefaultOffer((string? Drop, bool Capped)[] gates)
    {
        var index = Array.FindIndex(job.Offers, o => o.Name == job.DefaultOffer);
        return index >= 0 && gates[index] is { Drop: not ("placement" or "not_eligible"), Capped: false } ? index : -1;
    }

    /// <summary>GrowthBook's second hash: fnv1a32 of the text of fnv1a32(salt + id), in ten thousandths.</summary>
    internal static double Bucket(string salt, string id) => Fnv($"{Fnv(salt + id)}") % 10_000 / 10_000.0;

    private static uint Fnv(string text)
    {
        var hash = 0x811C9DC5u;
        foreach (var b in System.Text.Encoding.UTF8.GetBytes(text)) hash = (hash ^ b) * 0x01000193u;
        return hash;
    }
}
