using StreamEngine.Decisions.Audiences;
using StreamEngine.Events;
using StreamEngine.Features;
using StreamEngine.Identity;
using StreamEngine.State;

namespace StreamEngine.Runtime;

/// <summary>
/// What one event does to its profile, in one state access: duplicate? features, timers, and the copy of the vector where a decision opens.
/// </summary>
internal sealed class EventUpdate(ShardState shard) : ProfileUpdate(shard)
{
    private readonly FeatureSet _features = shard.Engine.Features;
    private readonly DuplicateFilter? _duplicates = shard.Engine.Duplicates;
    private readonly Event _event = shard.Event;

    /// <summary>In: where the vector goes; empty where no decision opens.</summary>
    public Memory<double> Vector;

    /// <summary>In: the rule by which the event is an outcome; -1 where it is none.</summary>
    public int OutcomeRule = -1;

    /// <summary>In: whether outcomes and changes of segments are counted and written.</summary>
    public bool Writes;

    /// <summary>Out: whether the event was applied before.</summary>
    public bool Duplicate;

    /// <summary>Out: whether an id had to be forgotten early.</summary>
    public bool Evicted;

    /// <summary>Out: the time the vector is read at, ms: the event's, or the profile's newest where the event is late.</summary>
    public long DecidedAt;

    /// <summary>
    /// Out: the purposes that the customer's newest word consents to: an event that came late can't bring back what was withdrawn since.
    /// </summary>
    public ulong Consent;

    /// <summary>Out: whether nothing was known of the customer before: a request may have made the profile.</summary>
    public bool IsFirst;

    protected override ReadOnlySpan<byte> Key => ProfileKey.Of(_event);

    protected override int Needs(ReadOnlySpan<byte> profile) => _duplicates?.RequiredLength(profile, _event.IdHash, _event.Time) ?? 0;

    protected override void Change(Span<byte> profile, bool created)
    {
        IsFirst = StateLayout.NewestTime(profile) == long.MinValue;
        Evicted = false;
        Duplicate = Covered;
        if (Duplicate) return;
        if (_duplicates is not null)
        {
            var known = _duplicates.TryAdd(profile, _event.IdHash, _event.Time, created);
            Duplicate = known == DuplicateResult.Duplicate;
            Evicted = known == DuplicateResult.AddedButEvicted;
            if (Duplicate) return;
        }
        _features.Update(profile, _event, State.Context);
        DecidedAt = StateLayout.NewestTime(profile) = Math.Max(_event.Time, StateLayout.NewestTime(profile));
        Consent = Engine.Consents.Note(profile, _event);
        Engine.Timers.Update(profile, _event, State.Context, State.Timers);
        if (OutcomeRule >= 0) State.Outcomes!.Came(profile, OutcomeRule, _event, State.Context, Consent, Writes);
        if (State.Segments is { } segments)
        {
            segments.Know(profile, _event, State.Context);
            segments.Look(profile, Key, DecidedAt, AudienceCause.Event, Writes);
        }
        if (Vector.IsEmpty) return;
        _features.Read(profile, DecidedAt, Vector.Span);
        State.Decisions.Look(profile);
    }
}
