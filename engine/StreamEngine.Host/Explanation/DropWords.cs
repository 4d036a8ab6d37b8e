using System.Globalization;
using StreamEngine.Configuration;
using StreamEngine.Decisions;

namespace StreamEngine.Host.Explanation;

/// <summary>What the reasons of decision records mean, in the words of the funnel.</summary>
internal static class DropWords
{
    /// <summary>The stage of the chosen one.</summary>
    public const string Chosen = "chosen";

    private const string ContactPolicy = "contact policy", Budgets = "budgets";

    /// <summary>The gate that gives a reason, and the reason in words.</summary>
    /// <param name="drop">The reason in the record; empty for the chosen one.</param>
    /// <param name="offer">The offer in the config that decided; null where that is not at hand.</param>
    /// <param name="decisions">The section of the same config, for contact limits; null as well.</param>
    public static (string Stage, string Why) Of(string drop, OfferOptions? offer, DecisionOptions? decisions)
    {
        var colon = drop.IndexOf(':', StringComparison.Ordinal);
        var (reason, name) = colon < 0 ? (drop, "") : (drop[..colon], drop[(colon + 1)..]);
        return reason switch
        {
            "" => (Chosen, "It was chosen."),
            "placement" => ("placement", "It may not be shown in this placement" + (offer is null ? "."
                : $": its placements are {string.Join(", ", offer.Placements)}.")),
            "not_eligible" => ("eligibility", "The customer may not get it" + Rule("eligible", offer?.Eligible?.Text)),
            "not_applicable" => ("applicability", "It does not fit now" + Rule("applicable", offer?.Applicable?.Text)),
            "not_suitable" => ("suitability", "It is not good for the customer" + Rule("suitable", offer?.Suitable?.Text)),
            "customer_cap" or "offer_cap" or "channel_cap" or "group_cap" => (ContactPolicy, Cap(reason, name, decisions)),
            "suppressed" => (ContactPolicy, Rest(name, decisions)),
            "quiet_hours" => (ContactPolicy, Quiet(name, decisions)),
            "budget" => (Budgets, Budget(name, decisions)),
            "bad_priority" => ("arbitration", "Its priority is no finite number: value, context or a lever gave infinity or no number."),
            "lost_arbitration" => ("selection",
                "Another offer had the higher priority or was drawn by exploration, or the default offer went first."),
            "diversity" => ("selection", "Better offers of its group had taken all places that the group may have."),
            "holdout" => ("holdout", "It won, but the customer is in the holdout, to whom nothing is shown."),
            "offer_holdout" => ("experiments", "The customer is in this offer's own holdout."),
            "experiment" => ("experiments", "The customer's variation of an experiment goes without it."),
            "switched_off" => ("switch", "It was switched off, or its channel was, or a budget that pays for it, or everything."),
            "no_consent" => ("consent", "The customer does not consent to the purpose of decisions."),
            _ => (reason, "The record gives this reason."),
        };
    }

    private static string Rule(string name, string? text) =>
        text is null ? $": its rule '{name}' says no." : $": '{name}' says no ({text}).";

    private static string Cap(string reason, string name, DecisionOptions? decisions)
    {
        var what = reason switch
        {
            "offer_cap" => "this offer",
            "channel_cap" => "the offers of its channel",
            "group_cap" => "the offers of its group",
            _ => "offers to the customer",
        };
        return decisions?.Caps.FirstOrDefault(c => c.Name == name) is { } cap
            ? $"The cap '{name}' on {what} is reached: {cap.Max}{Kind(cap)} within {Time(cap.Window)}."
            : $"The cap '{name}' on {what} is reached.";
    }

    private static string Rest(string name, DecisionOptions? decisions) =>
        decisions?.Suppressions.FirstOrDefault(s => s.Name == name) is { } rest
            ? $"It rests by '{name}': {rest.After}{Kind(rest)} within {Time(rest.Window)}, and {Time(rest.For)} off."
            : $"It rests by '{name}', since too many outcomes came.";

    private static string Quiet(string name, DecisionOptions? decisions) =>
        decisions?.QuietHours.FirstOrDefault(q => q.Name == name) is { } quiet
            ? $"Its channel is quiet by '{name}': from {quiet.From} to {quiet.To} by the customer's clock."
            : $"Its channel is quiet at this hour by '{name}'.";

    private static string Budget(string name, DecisionOptions? decisions) =>
        decisions?.Budgets.FirstOrDefault(b => b.Name == name) is { } budget
            ? string.Create(CultureInfo.InvariantCulture, $"It costs more than was left of the budget '{name}' by then: {budget.Amount}"
                + $"{(budget.Period is { } period ? $" a {Spelling.Snake(period.ToString())}" : "")}, "
                + $"paced {Spelling.Snake(budget.Pacing.ToString())}.")
            : $"It costs more than was left of the budget '{name}' by then.";

    private static string Kind(IContactLimit limit) =>
        limit.Outcome is { } kind ? $" of the outcome {Spelling.Snake(kind.ToString())}" : "";

    private static string Time(TimeSpan span) => span.Ticks % TimeSpan.TicksPerDay == 0 ? $"{span.Days} d"
        : span.Ticks % TimeSpan.TicksPerHour == 0 ? $"{(int)span.TotalHours} h" : span.ToString("c");
}
