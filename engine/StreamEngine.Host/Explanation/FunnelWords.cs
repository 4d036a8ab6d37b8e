using System.Globalization;

namespace StreamEngine.Host.Explanation;

/// <summary>Tells a decision in sentences, in the order of the funnel.</summary>
internal static class FunnelWords
{
    /// <summary>The sentences.</summary>
    /// <param name="d">The decision.</param>
    /// <param name="purpose">The purpose that customers must consent to, where the config at hand is the one that decided.</param>
    public static IEnumerable<string> Of(ExplainedDecision d, string? purpose)
    {
        yield return Opened(d);
        foreach (var a in d.Assignments) yield return $"In experiment '{a.Experiment}' the customer is in variation '{a.Variation}'.";
        if (d.Models.Count > 0)
            yield return "Scores came from "
                + $"{string.Join(", ", d.Models.Select(m => $"{m.Name} version {m.Version} on {m.Provider}"))}.";
        switch (d.Outcome)
        {
            case "no_consent":
                yield return $"The customer does not consent to {(purpose is null ? "the purpose of decisions" : $"'{purpose}'")}: no "
                    + "offer was looked at, and neither offers nor features are recorded.";
                yield break;
            case "switched_off":
                yield return "Everything was switched off: no offer was looked at.";
                yield break;
        }
        yield return Considered(d);
        var best = d.Candidates.Where(c => c.Rank > 0).OrderBy(c => c.Rank).ToList();
        if (d.Outcome == "holdout")
        {
            yield return "The customer is in the holdout, to whom nothing is shown"
                + (d.Candidates.FirstOrDefault(c => c.Drop == "holdout") is { } won
                    ? $"; {won.Offer} would have been: {Product(won)}." : ".");
            yield break;
        }
        if (d.Chosen is not { } chosen)
        {
            yield return "No offer was left, and the default offer was not possible either: nothing is shown.";
            if (d.DeferredUntil is { } end) yield return $"It waits for the end of quiet hours, {end}, and is decided anew then.";
            yield break;
        }
        if (Drawn(d) is { } drawn) yield return drawn;
        var numbers = d.Candidates.FirstOrDefault(c => c.Offer == chosen.Offer);
        yield return $"{chosen.Offer} was chosen{(chosen.IsDefault ? " as the default offer" : "")}"
            + (numbers is null ? "." : $": {Product(numbers)}.")
            + (best.FirstOrDefault(c => c.Offer != chosen.Offer) is { } next
                ? $" {(chosen.IsDefault ? "The best of the others" : "Next")} was {next.Offer}: {Product(next)}." : "");
        yield return string.Create(CultureInfo.InvariantCulture,
            $"It had to come out with probability {d.SelectionProbability:0.######}, and goes to channel '{chosen.Channel}'")
            + (chosen.Treatment.Length > 0 ? $" as treatment '{chosen.Treatment}'." : ".");
    }

    /// <summary>A priority and its factors.</summary>
    public static string Product(ExplainedOffer o) => string.Create(CultureInfo.InvariantCulture,
        $"priority {o.Priority:G6} = P {o.P:G6} ({Source(o.PSource)}) x C {o.C:G6} x V {o.V:G6} x L {o.L:G6}");

    private static string Source(string source) => source switch
    {
        "model" => "the model's",
        "fallback" => "the default, as the model's could not be used",
        "fixed" => "fixed",
        "learned" => "learned here",
        _ => source,
    };

    /// <summary>What was drawn where the placement learns; null elsewhere.</summary>
    private static string? Drawn(ExplainedDecision d)
    {
        var drawn = d.Candidates.Where(c => c is { PSource: "learned", SelectionProbability: > 0 })
            .OrderByDescending(c => c.SelectionProbability).ThenBy(c => c.Offer, StringComparer.Ordinal).ToList();
        if (drawn.Count == 0) return null;
        const int Told = 5;
        var rest = drawn.Skip(Told).Sum(c => c.SelectionProbability!.Value);
        return "The placement learns what offers earn, and drew one by the probability that it is the best of them: "
            + string.Join(", ", drawn.Take(Told).Select(c => string.Create(CultureInfo.InvariantCulture,
                $"{c.Offer} {c.SelectionProbability:0.####}")))
            + (rest > 0 ? string.Create(CultureInfo.InvariantCulture, $", {drawn.Count - Told} others together {rest:0.####}.") : ".");
    }

    private static string Opened(ExplainedDecision d)
    {
        var (c, where) = (d.Cause, d.Placement.Length > 0 ? $" for placement '{d.Placement}'" : "");
        var position = string.Create(CultureInfo.InvariantCulture, $"{c.Topic}[{c.Partition}], offset {c.Offset}");
        return d.Origin switch
        {
            "request" => $"Request '{c.EventId}' asked for a decision{where}, after {position}.",
            "timer" => $"A timer, or the end of quiet hours, opened it by trigger '{d.Trigger}'{where}, before {position}.",
            _ => $"Event '{c.EventId}' ({position}) opened it by trigger '{d.Trigger}'{where}.",
        };
    }

    private static string Considered(ExplainedDecision d)
    {
        var dropped = d.Candidates.Where(c => c.Priority == 0 && c.PSource == "none").GroupBy(c => c.Stage)
            .Select(g => $"{string.Join(", ", g.Select(c => c.Offer))} at {g.Key}").ToList();
        var left = d.Candidates.Count(c => c.PSource != "none");
        return $"{d.Candidates.Count} {(d.Candidates.Count == 1 ? "offer was" : "offers were")} looked at: "
            + (dropped.Count > 0 ? $"dropped {string.Join("; ", dropped)}; " : "none dropped before arbitration; ")
            + $"{left} came to arbitration.";
    }
}
