using StreamEngine.Decisions;
using StreamEngine.Events;
using StreamEngine.Expressions;
using StreamEngine.Features;
using StreamEngine.Identity;
using StreamEngine.Runtime.Requests;
using StreamEngine.State;
using StreamEngine.State.Checkpoints;

namespace StreamEngine.Runtime;

/// <summary>What one event does to its profile, in one state access: duplicate? features, timers, and the copy of the vector where a decision opens.</summary>
internal sealed class EventUpdate(CompiledEngine engine, Event e, EvalContext context, TimerHeap timers) : IProfileUpdate
{
    private readonly FeatureSet _features = engine.Features;
    private readonly DuplicateFilter? _duplicates = engine.Duplicates;

    /// <summary>In: the shard's checkpoints; null where none are kept.</summary>
    public ShardCut? Cut;

    /// <summary>In: the event's offset while the shard is restored, else -1.</summary>
    public long Restoring = -1;

    /// <summary>In: where the vector goes; empty where no decision opens.</summary>
    public Memory<double> Vector;

    /// <summary>Out: whether the event was applied before.</summary>
    public bool Duplicate;

    /// <summary>Out: whether an id had to be forgotten early.</summary>
    public bool Evicted;

    /// <summary>Out: the time the vector is read at, ms: the event's, or the profile's newest where the event is late.</summary>
    public long DecidedAt;

    /// <summary>Out: the purposes that the customer's newest word consents to: an event that came late can't bring back what was withdrawn since.</summary>
    public ulong Consent;

    /// <summary>Out: whether the customer was unknown before.</summary>
    public bool Created;

    public int InitialLength { get; } = engine.Layout.FixedLength;

    public int RequiredLength(ReadOnlySpan<byte> profile) =>
        _duplicates is null ? InitialLength : Holds(profile) ? profile.Length : _duplicates.RequiredLength(profile, e.IdHash, e.Time);

    public void Apply(Span<byte> profile, bool created)
    {
        if (created) engine.InitializeProfile(profile);
        // A request may have made the profile of a customer of whom no event is known.
        Created = StateLayout.NewestTime(profile) == long.MinValue;
        Evicted = false;
        Duplicate = Holds(profile);
        if (Duplicate) return;
        Cut?.Touch(profile, ProfileKey.Of(e));
        if (_duplicates is not null)
        {
            var known = _duplicates.TryAdd(profile, e.IdHash, e.Time, created);
            Duplicate = known == DuplicateResult.Duplicate;
            Evicted = known == DuplicateResult.AddedButEvicted;
            if (Duplicate) return;
        }
        _features.Update(profile, e, context);
        DecidedAt = StateLayout.NewestTime(profile) = Math.Max(e.Time, StateLayout.NewestTime(profile));
        Consent = ConsentUpdate.Note(profile, e.Time, e.Consent);
        engine.Timers.Update(profile, e, context, timers);
        if (!Vector.IsEmpty) _features.Read(profile, DecidedAt, Vector.Span);
    }

    /// <summary>Whether the profile was loaded as of a later position than the cut's start, and holds the event already.</summary>
    private bool Holds(ReadOnlySpan<byte> profile) => Restoring >= 0 && Cut is not null && Cut.Covers(profile, e.Source, Restoring, CutPosition.TheRecord);
}

/// <summary>What a due timer does to its profile: fires and has the vector copied, or waits on.</summary>
internal sealed class TimerUpdate(CompiledEngine engine, TimerHeap timers) : IProfileUpdate
{
    /// <summary>In: the timer.</summary>
    public int Timer;

    /// <summary>In: the shard's checkpoints; null where none are kept.</summary>
    public ShardCut? Cut;

    /// <summary>In: when it was due, ms.</summary>
    public long Due;

    /// <summary>In: the profile's key.</summary>
    public ReadOnlyMemory<byte> Key;

    /// <summary>In: what moves the watermark; counts only while the shard is restored.</summary>
    public Cause Cause;

    /// <summary>In: whether the shard is restored.</summary>
    public bool Restoring;

    /// <summary>In: where the vector goes; empty where no decision opens.</summary>
    public Memory<double> Vector;

    /// <summary>Out: whether the profile was loaded as of a later position: its timer, which still waited there, must not fire yet.</summary>
    public bool Early;

    /// <summary>Out: whether it fired.</summary>
    public bool Fired;

    /// <summary>Out: the time the vector was read at, ms.</summary>
    public long DecidedAt;

    /// <summary>Out: the purposes that the customer's newest event consents to.</summary>
    public ulong Consent;

    public int InitialLength { get; } = engine.Layout.FixedLength;

    public int RequiredLength(ReadOnlySpan<byte> profile) => profile.Length;

    public void Apply(Span<byte> profile, bool created)
    {
        if (created) engine.InitializeProfile(profile);
        Early = Restoring && Cut is not null && Cut.Covers(profile, Cause.Source, Cause.Offset, Cause.Ordinal);
        Fired = false;
        if (Early) return;
        Cut?.Touch(profile, Key.Span);
        Fired = !created && engine.Timers.Fire(profile, Timer, timers, Key.Span, ref Due);
        if (!Fired) return;
        DecidedAt = Math.Max(Due, StateLayout.NewestTime(profile));
        Consent = StateLayout.Consent(profile);
        if (!Vector.IsEmpty) engine.Features.Read(profile, DecidedAt, Vector.Span);
    }
}

/// <summary>What an event that was rejected for want of consent still does to its customer's profile: its word on consent counts, nothing else of it.</summary>
internal sealed class ConsentUpdate(CompiledEngine engine, Event e) : IProfileUpdate
{
    /// <summary>In: the shard's checkpoints; null where none are kept.</summary>
    public ShardCut? Cut;

    /// <summary>In: the event's offset while the shard is restored, else -1.</summary>
    public long Restoring = -1;

    public int InitialLength { get; } = engine.Layout.FixedLength;

    public int RequiredLength(ReadOnlySpan<byte> profile) => profile.Length;

    public void Apply(Span<byte> profile, bool created)
    {
        if (created) engine.InitializeProfile(profile);
        if (Restoring >= 0 && Cut is not null && Cut.Covers(profile, e.Source, Restoring, CutPosition.TheRecord)) return;
        Cut?.Touch(profile, ProfileKey.Of(e));
        Note(profile, e.Time, e.Consent);
    }

    /// <summary>The newest word counts; of two at the same time the stricter, so that their order does not matter. Returns what counts now.</summary>
    public static ulong Note(Span<byte> profile, long time, ulong consent)
    {
        ref var at = ref StateLayout.ConsentTime(profile);
        ref var known = ref StateLayout.Consent(profile);
        if (time > at) (at, known) = (time, consent);
        else if (time == at) known &= consent;
        return known;
    }
}

/// <summary>Asks only whether there is a profile.</summary>
internal sealed class NoReader : IProfileReader
{
    public static readonly NoReader Instance = new();

    public void Read(ReadOnlySpan<byte> profile)
    {
    }
}

/// <summary>Does to a profile what a logged decision did, while a shard is restored.</summary>
internal sealed class DecidedUpdate(CompiledEngine engine) : IProfileUpdate
{
    private LoggedDecision _entry;
    private byte[] _value = [];
    private int _source;
    private ulong _request;

    /// <summary>In: the shard's checkpoints; null where none are kept.</summary>
    public ShardCut? Cut;

    /// <summary>In: the logged decision, its source, and its record, which is copied: a restore may allocate.</summary>
    public void Set(in LoggedDecision entry, int source, ReadOnlySpan<byte> value)
    {
        (_entry, _source, _value) = (entry, source, value.ToArray());
        _request = entry.Origin == DecisionOrigin.Request ? RecentDecisions.HashOfRequest(entry.EventId.Of(value)) : 0;
    }

    public int InitialLength { get; } = engine.Layout.FixedLength;

    public int RequiredLength(ReadOnlySpan<byte> profile) => _request == 0 || Holds(profile)
        ? Math.Max(InitialLength, profile.Length)
        : RequestUpdate.LengthToRemember(engine.Duplicates, InitialLength, profile, _request, _entry.EventTime);

    public void Apply(Span<byte> profile, bool created)
    {
        if (created) engine.InitializeProfile(profile);
        if (Holds(profile)) return;
        Cut?.Touch(profile, _entry.Customer.Of(_value));
        if (_request != 0) RequestUpdate.TryRemember(engine.Duplicates, profile, _request, _entry.EventTime, created);
        // An offer that the config has no more still counts where every offer does.
        if (_entry.Outcome == Outcome.Served) engine.Policy.Caps.Record(profile, engine.Policy.OfferIndex(_entry.Offer.Of(_value)), _entry.DecidedAt);
        engine.Policy.Recent.Note(profile, _source, _entry, _value);
    }

    private bool Holds(ReadOnlySpan<byte> profile) => Cut is not null && Cut.Covers(profile, _source, _entry.Offset, _entry.Ordinal);
}

/// <summary>Puts a profile of a checkpoint into the store; of two versions the later call's counts.</summary>
internal sealed class LoadUpdate(CompiledEngine engine, TimerHeap timers) : IProfileUpdate
{
    private byte[] _profile = [];
    private byte[] _key = [];
    private int _length, _keyLength;
    private uint _epoch;

    public int InitialLength => _length;

    /// <summary>In: the profile, its key, and the slice it comes from.</summary>
    public void Set(ReadOnlySpan<byte> key, ReadOnlySpan<byte> profile, uint epoch)
    {
        if (_profile.Length < profile.Length) _profile = new byte[profile.Length * 2];
        if (_key.Length < key.Length) _key = new byte[key.Length * 2];
        profile.CopyTo(_profile);
        key.CopyTo(_key);
        (_length, _keyLength, _epoch) = (profile.Length, key.Length, epoch);
    }

    public int RequiredLength(ReadOnlySpan<byte> profile) => _length;

    public void Apply(Span<byte> profile, bool created)
    {
        _profile.AsSpan(0, _length).CopyTo(profile);
        profile[_length..].Clear();
        StateLayout.Epoch(profile) = _epoch;
        engine.Timers.Resume(profile, timers, _key.AsSpan(0, _keyLength));
    }
}

/// <summary>Reads a profile's features as of a time.</summary>
internal sealed class FeatureReader(FeatureSet features) : IProfileReader
{
    /// <summary>In: as of when, ms; raised to the profile's newest time.</summary>
    public long At;

    /// <summary>In: where the vector goes.</summary>
    public Memory<double> Vector;

    public void Read(ReadOnlySpan<byte> profile) =>
        features.Read(profile, Math.Max(At, System.Runtime.InteropServices.MemoryMarshal.Read<long>(profile)), Vector.Span);
}
