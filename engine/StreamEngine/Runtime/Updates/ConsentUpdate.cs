using StreamEngine.Decisions.Audiences;
using StreamEngine.Identity;
using StreamEngine.State;

namespace StreamEngine.Runtime;

/// <summary>
/// What an event that was rejected for want of consent, or as too late, still does to its customer's profile: its word on consent counts,
/// nothing else of it.
/// </summary>
internal sealed class ConsentUpdate(ShardState shard) : ProfileUpdate(shard)
{
    /// <summary>In: whether changes of segments are counted and written.</summary>
    public bool Writes;

    protected override ReadOnlySpan<byte> Key => ProfileKey.Of(State.Event);

    protected override void Change(Span<byte> profile, bool created)
    {
        if (Covered) return;
        // A word that changes nothing is no reason to look: the event itself does not count.
        var known = StateLayout.Consent(profile);
        if (Engine.Consents.Note(profile, State.Event) == known) return;
        State.Segments?.Look(profile, Key, Math.Max(State.Event.Time, StateLayout.NewestTime(profile)), AudienceCause.Consent, Writes);
    }
}
