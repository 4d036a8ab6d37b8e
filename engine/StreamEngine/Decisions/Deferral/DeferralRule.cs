using StreamEngine.Events;
using StreamEngine.Expressions;

namespace StreamEngine.Decisions;

/// <summary>
/// Says until when a decision waits that could show nothing: until the first of the offers that fell to quiet hours with
/// <c>then: defer</c> may be shown again, as far as quiet hours go. An offer that several quiet hours are about is free once none of them
/// is on; it waits only where all that are on say so, and no longer than the most impatient of them. For one thread; allocates nothing.
/// </summary>
internal sealed class DeferralRule(DecisionPolicy policy, CustomerZones zones)
{
    private readonly QuietHours[] _quiet = [.. policy.QuietHours];
    private readonly TimeZoneInfo[] _zones = new TimeZoneInfo[policy.QuietHours.Count];

    /// <summary>Sets <see cref="Decision.DeferredUntil"/>, or why it does not wait, of a decision that ended with no offer.</summary>
    /// <param name="situation">What it was made from.</param>
    /// <param name="decision">The decision.</param>
    public void Apply(in Situation situation, Decision decision)
    {
        if (!situation.Request.MayWait) return;
        var (now, first) = (situation.Request.DecidedAt, long.MaxValue);
        var (isHeld, isFar) = (false, false);
        for (var offer = 0; offer < decision.Drop.Length; offer++)
        {
            var by = decision.Limit[offer] - policy.Contacts.Count;
            if (by < 0 || by >= _quiet.Length || !WouldBeIn(offer, decision)) continue;
            if (!isHeld) FindZones(situation.Context);
            isHeld = true;
            if (!Waits(offer, now, out var most, out var spread)) continue;
            var end = End(offer, now);
            if (end == long.MaxValue) continue;
            if (end - now > most) isFar = true;
            else first = Math.Min(first, Spread(offer, end, spread, situation.Request.CustomerId));
        }
        if (first == long.MaxValue) decision.NotDeferred = isFar ? DeferralFate.Expired : DeferralFate.None;
        else if (decision.Placement.Length > DeferredDecisions.PlacementBytes) decision.NotDeferred = DeferralFate.TooLong;
        else decision.DeferredUntil = first;
    }

    /// <summary>
    /// The earliest time at which a decision that is opened now could end its wait; <see cref="long.MaxValue"/> where no quiet hours that
    /// defer are on, so that it does not wait. Asked before it is known what can be shown.
    /// </summary>
    /// <param name="context">The event and the features of the decision.</param>
    /// <param name="now">The time at which it is evaluated, ms.</param>
    public long Earliest(EvalContext context, long now)
    {
        var first = long.MaxValue;
        foreach (var quiet in _quiet)
        {
            if (!quiet.Defers) continue;
            var zone = zones.Of(quiet, context, out _);
            if (quiet.Contain(now, zone)) first = Math.Min(first, quiet.End(now, zone));
        }
        return first;
    }

    /// <summary>Whether nothing but quiet hours is in the way of an offer, or of the default offer as such.</summary>
    private bool WouldBeIn(int offer, Decision decision) => decision.Withheld[offer] == DropReason.None
        && (decision.Drop[offer] == DropReason.QuietHours || offer == policy.DefaultOffer
            && decision.Drop[offer] is not (DropReason.SwitchedOff or DropReason.Placement or DropReason.NotEligible));

    private void FindZones(EvalContext context)
    {
        for (var i = 0; i < _quiet.Length; i++) _zones[i] = zones.Of(_quiet[i], context, out _);
    }

    /// <summary>
    /// Whether all quiet hours that are on for an offer let it wait; the longest that they all do, and over how long they spread.
    /// </summary>
    private bool Waits(int offer, long now, out long most, out long spread)
    {
        (most, spread) = (long.MaxValue, 0);
        for (var i = 0; i < _quiet.Length; i++)
        {
            var quiet = _quiet[i];
            if (!quiet.Covers[offer] || !quiet.Contain(now, _zones[i])) continue;
            if (!quiet.Defers) return false;
            (most, spread) = (Math.Min(most, quiet.MaxWait), Math.Max(spread, quiet.Spread));
        }
        return true;
    }

    /// <summary>
    /// The customer's own time in the spread after an end, always the same one; the end itself where the offer's hours are quiet again
    /// then.
    /// </summary>
    private long Spread(int offer, long end, long spread, ReadOnlySpan<byte> customer)
    {
        if (spread == 0) return end;
        var time = end + (long)(Hash64.Of(customer) % (ulong)spread);
        for (var i = 0; i < _quiet.Length; i++)
            if (_quiet[i].Covers[offer] && _quiet[i].Contain(time, _zones[i])) return end;
        return time;
    }

    /// <summary>The first time at or after another at which no quiet hours are about the offer.</summary>
    private long End(int offer, long now)
    {
        var (time, isOn) = (now, true);
        while (isOn && time < now + QuietHours.LongestMs)
        {
            isOn = false;
            for (var i = 0; i < _quiet.Length; i++)
            {
                if (!_quiet[i].Covers[offer] || !_quiet[i].Contain(time, _zones[i])) continue;
                time = _quiet[i].End(time, _zones[i]);
                if (time == long.MaxValue) return time;
                isOn = true;
            }
        }
        return isOn ? long.MaxValue : time;
    }
}
