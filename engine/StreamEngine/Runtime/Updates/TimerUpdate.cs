using StreamEngine.Decisions.Audiences;
using StreamEngine.State;

namespace StreamEngine.Runtime;

/// <summary>
/// What a due timer does to its profile: fires and has the vector copied, or waits on. A profile that is gone has no timers.
/// </summary>
internal sealed class TimerUpdate(ShardState shard) : ProfileUpdate(shard)
{
    /// <summary>In: the timer.</summary>
    public int Timer;

    /// <summary>In: when it was due, ms.</summary>
    public long Due;

    /// <summary>In: the profile's key.</summary>
    public ReadOnlyMemory<byte> Customer;

    /// <summary>In: whether changes of segments are counted and written.</summary>
    public bool Writes;

    /// <summary>In: where the vector goes; empty where no decision opens.</summary>
    public Memory<double> Vector;

    /// <summary>
    /// Out: whether it fired. A profile that was loaded as of a later position, where it still waited, must not fire it yet: it is covered.
    /// </summary>
    public bool Fired;

    /// <summary>Out: the time the vector was read at, ms.</summary>
    public long DecidedAt;

    /// <summary>Out: the purposes that the customer's newest event consents to.</summary>
    public ulong Consent;

    protected override ReadOnlySpan<byte> Key => Customer.Span;

    protected override void Change(Span<byte> profile, bool created)
    {
        Fired = !Covered && Engine.Timers.Fire(profile, Timer, State.Timers, Customer.Span, ref Due);
        if (!Fired) return;
        DecidedAt = Math.Max(Due, StateLayout.NewestTime(profile));
        Consent = StateLayout.Consent(profile);
        State.Segments?.Look(profile, Key, DecidedAt, AudienceCause.Timer, Writes);
        if (Vector.IsEmpty) return;
        Engine.Features.Read(profile, DecidedAt, Vector.Span);
        State.Decisions.Look(profile);
    }
}
