using StreamEngine.Decisions.Audiences;
using StreamEngine.Identity;
using StreamEngine.State;

namespace StreamEngine.Runtime;

/// <summary>
/// What an event that was rejected for want of consent still does to its customer's profile: its word on consent counts, nothing else of
/// it.
/// </summary>
internal sealed class ConsentUpdate(ShardState shard) : ProfileUpdate(shard)
{
    /// <summary>In: whether changes of segments are counted and written.</summary>
    public bool Writes;

    protected override ReadOnlySpan<byte> Key => ProfileKey.Of(State.Event);

    protected override void Change(Span<byte> profile, bool created)
    {
        if (Covered) return;
        Note(profile, State.Event.Time, State.Event.Consent);
        State.Segments?.Look(profile, Key, Math.Max(State.Event.Time, StateLayout.NewestTime(profile)), AudienceCause.Consent, Writes);
    }

    /// <summary>
    /// The newest word counts; of two at the same time the stricter, so that their order does not matter. Returns what counts now.
    /// </summary>
    public static ulong Note(Span<byte> profile, long time, ulong consent)
    {
        ref var at = ref StateLayout.ConsentTime(profile);
        ref var known = ref StateLayout.Consent(profile);
        if (time > at) (at, known) = (time, consent);
        else if (time == at) known &= consent;
        return known;
    }
}
