namespace StreamEngine.Decisions;

/// <summary>
/// The quiet hours, by the time at which the decision is evaluated: an offer whose channel is quiet is dropped, so that one of another
/// channel may win. As with contact limits, the default offer's are looked at even where a rule has dropped it.
/// </summary>
internal sealed class QuietStage(DecisionPolicy policy, CustomerZones zones) : IFunnelStage
{
    private readonly QuietHours[] _quiet = [.. policy.QuietHours];

    /// <inheritdoc/>
    public IReadOnlyList<DropReason> Reasons { get; } = [DropReason.QuietHours];

    /// <inheritdoc/>
    public bool Apply(in Situation situation, Decision decision)
    {
        for (var i = 0; i < _quiet.Length; i++)
        {
            var quiet = _quiet[i];
            if (!Matters(quiet, decision) || !quiet.Contain(situation.Request.DecidedAt, Zone(quiet, situation, decision))) continue;
            for (var offer = 0; offer < decision.Drop.Length; offer++)
            {
                if (!quiet.Covers[offer] || !IsIn(offer, decision)) continue;
                decision.Limit[offer] = policy.Contacts.Count + i;
                if (decision.Drop[offer] == DropReason.None) decision.Drop[offer] = DropReason.QuietHours;
            }
        }
        return true;
    }

    /// <summary>Whether any of their offers is still in: else nobody's zone need be known.</summary>
    private bool Matters(QuietHours quiet, Decision decision)
    {
        for (var offer = 0; offer < decision.Drop.Length; offer++)
            if (quiet.Covers[offer] && IsIn(offer, decision)) return true;
        return false;
    }

    private bool IsIn(int offer, Decision decision) =>
        decision.Drop[offer] == DropReason.None || (offer == policy.DefaultOffer && decision.Limit[offer] < 0);

    private TimeZoneInfo Zone(QuietHours quiet, in Situation situation, Decision decision)
    {
        var zone = zones.Of(quiet, situation.Context, out var isUnknown);
        if (isUnknown) decision.ZoneIsUnknown = true;
        return zone;
    }
}
