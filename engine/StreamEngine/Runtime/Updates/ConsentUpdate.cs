using StreamEngine.Identity;

namespace StreamEngine.Runtime;

/// <summary>
/// What an event that was rejected for want of consent, or as too late, still does to its customer's profile: its word on consent counts,
/// nothing else of it.
/// </summary>
internal sealed class ConsentUpdate(ShardState shard) : ProfileUpdate(shard)
{
    protected override ReadOnlySpan<byte> Key => ProfileKey.Of(State.Event);

    protected override void Change(Span<byte> profile, bool created)
    {
        if (!Covered) Engine.Consents.Note(profile, State.Event);
    }
}
