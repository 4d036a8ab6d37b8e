using StreamEngine.Decisions;
using StreamEngine.Features;
using StreamEngine.State;

namespace StreamEngine.Runtime.Requests;

/// <summary>
/// What a request for a decision does to its customer's profile: its id is remembered with the event ids, so that a repeat is known, and
/// the vector is copied. A customer of whom nothing is known gets a profile, since caps and repeats have to be remembered.
/// </summary>
internal sealed class RequestUpdate(ShardState shard) : ProfileUpdate(shard)
{
    /// <summary>In: the request.</summary>
    public DecideCall Call = null!;

    /// <summary>In: where the vector goes.</summary>
    public Memory<double> Vector;

    /// <summary>Out: whether the request was decided before.</summary>
    public bool IsRepeated;

    /// <summary>Out: whether an event id, or another request's, had to be forgotten early.</summary>
    public bool Evicted;

    /// <summary>Out: what was decided, where it is still kept.</summary>
    public KeptDecision? Kept;

    /// <summary>Out: with a kept decision, the profile where it says what of experiments; empty else.</summary>
    public byte[] Profile = [];

    /// <summary>Out: the time the vector is read at, ms: the request's, or the profile's newest where that is later.</summary>
    public long DecidedAt;

    /// <summary>Out: the purposes that the customer's newest word consents to; none for a stranger.</summary>
    public ulong Consent;

    /// <summary>Out: whether no event of the customer was seen yet.</summary>
    public bool IsStranger;

    protected override ReadOnlySpan<byte> Key => Call.Customer;

    protected override int Needs(ReadOnlySpan<byte> profile) => Engine.Policy.Recent.TryFind(profile, Call.IdHash, out _)
        ? 0
        : LengthToRemember(Engine.Duplicates, profile, Call.IdHash, Call.Time);

    protected override void Change(Span<byte> profile, bool created)
    {
        Kept = Engine.Policy.Recent.TryFind(profile, Call.IdHash, out var kept) ? kept : null;
        Profile = Kept is not null && Engine.Policy.IsSticky ? profile.ToArray() : [];
        var known = Kept is not null ? DuplicateResult.Duplicate : Remember(Engine.Duplicates, profile, Call.IdHash, Call.Time, created);
        IsRepeated = known == DuplicateResult.Duplicate;
        Evicted = known == DuplicateResult.AddedButEvicted;
        if (IsRepeated) return;
        var newest = StateLayout.NewestTime(profile);
        IsStranger = newest == long.MinValue;
        DecidedAt = Math.Max(Call.Time, newest);
        Consent = StateLayout.Consent(profile);
        Engine.Features.Read(profile, DecidedAt, Vector.Span);
        State.Decisions.Look(profile);
    }

    /// <summary>The length that a profile needs to remember a request's id.</summary>
    internal static int LengthToRemember(DuplicateFilter? duplicates, ReadOnlySpan<byte> profile, ulong id, long time) =>
        // A repeat changes nothing, not even the length: it is not in the log, and a restore would not know of it.
        duplicates is null || duplicates.Contains(profile, id, RememberedTime(profile, time)) ? 0
        : duplicates.RequiredLength(profile, id, RememberedTime(profile, time));

    /// <summary>Remembers a request's id.</summary>
    internal static DuplicateResult Remember(DuplicateFilter? duplicates, Span<byte> profile, ulong id, long time, bool created) =>
        duplicates?.TryAdd(profile, id, RememberedTime(created ? default : profile, time), created) ?? DuplicateResult.Added;

    /// <summary>
    /// Ids expire by event time, and a request is no event: its id is as old as the customer's newest event, so that a request made now
    /// can't push out ids of a history that is being replayed.
    /// </summary>
    private static long RememberedTime(ReadOnlySpan<byte> profile, long time) =>
        profile.IsEmpty || System.Runtime.InteropServices.MemoryMarshal.Read<long>(profile) is var newest && newest == long.MinValue ? time
            : newest;
}
