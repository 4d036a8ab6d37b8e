using StreamEngine.Decisions.Audiences;
using StreamEngine.Events;
using StreamEngine.Expressions;
using StreamEngine.State;

namespace StreamEngine.Runtime;

/// <summary>
/// The fold of segments into a shard's state: whenever something happens to a customer, each segment is looked at, and a change is noted in
/// the profile and written where its pass writes. It looks at features and consent alone, which only events change, so that a change comes
/// at the same event or timer in every pass. A segment is not looked at before the mark in the log from which on it is told: what nobody
/// was told must not pass for told. No look goes back behind an earlier one: a timer looks as of when it was due, which may be later than
/// the next event that comes late, and what was told as of then must not be taken back as of before.
/// </summary>
internal sealed class SegmentFold(ShardState shard, SegmentSet set)
{
    private readonly double[] _vector = new double[shard.Engine.Features.Width];
    private readonly EvalContext _context = new();

    /// <summary>An event was applied: what it says of who the customer is.</summary>
    public void Know(Span<byte> profile, Event e, EvalContext context)
    {
        foreach (var identifier in set.Identifiers)
            KnownIdentifier.In(profile, identifier.Slot).Take(e.Time, e.IdHash, identifier.Of(context));
    }

    /// <summary>Looks at all segments.</summary>
    /// <param name="profile">The customer's profile.</param>
    /// <param name="customer">The customer.</param>
    /// <param name="at">
    /// The time of evaluation, ms: never before the profile's newest event. Where the last look was later, it is that look's.
    /// </param>
    /// <param name="cause">Why.</param>
    /// <param name="writes">Whether changes are counted and written.</param>
    public void Look(Span<byte> profile, ReadOnlySpan<byte> customer, long at, AudienceCause cause, bool writes)
    {
        if (set.Segments.Length == 0) return;
        ref var looked = ref set.LookedAt(profile);
        looked = at = Math.Max(at, looked);
        shard.Engine.Features.Read(profile, at, _vector);
        (_context.Features, _context.FeatureBase, _context.Consent) = (_vector, 0, StateLayout.Consent(profile));
        var isMember = false;
        for (var i = 0; i < set.Segments.Length; i++)
        {
            if (!shard.Switches.IsTold(i)) continue;
            var segment = set.Segments[i];
            var belongs = segment.Where(_context);
            isMember |= belongs;
            ref var changes = ref segment.Changes(profile);
            if (belongs == ((changes & 1) != 0)) continue;
            changes++;
            shard.Counters.Members[i] += belongs ? 1 : -1;
            if (!writes) continue;
            shard.Counters.SegmentChanges[2 * i + (belongs ? 0 : 1)]++;
            shard.Writer.Changed(new AudienceRecord
            {
                Segment = i,
                Changes = changes,
                Cause = cause,
                Customer = customer,
                Profile = profile,
                Time = at,
                Watermark = shard.Watermark,
            });
        }
        shard.Engine.Timers.LookAgain(profile, at, isMember, shard.Timers, customer);
    }

    /// <summary>A profile of a checkpoint takes the place of what was there.</summary>
    public void Unloaded(ReadOnlySpan<byte> profile) => Count(profile, -1);

    /// <summary>A profile of a checkpoint is there.</summary>
    public void Loaded(ReadOnlySpan<byte> profile) => Count(profile, 1);

    private void Count(ReadOnlySpan<byte> profile, int by)
    {
        for (var i = 0; i < set.Segments.Length; i++)
            if (set.Segments[i].HasMember(profile)) shard.Counters.Members[i] += by;
    }
}
