using StreamEngine.State;

namespace StreamEngine.Runtime;

/// <summary>Takes the next decision out of a profile whose wait for the end of quiet hours is over, and has the vector copied.</summary>
internal sealed class DeferralUpdate(ShardState shard) : ProfileUpdate(shard)
{
    private ReadOnlyMemory<byte> _customer;
    private long _due;
    private bool _writes, _isFirst;

    /// <summary>In: where the vector goes; empty where no decision is made.</summary>
    public Memory<double> Vector;

    /// <summary>Out: whether there was one.</summary>
    public bool Taken { get; private set; }

    /// <summary>Out: its trigger; -1 where the config has it no more.</summary>
    public int Trigger { get; private set; }

    /// <summary>Out: its placement.</summary>
    public byte[] Placement { get; private set; } = [];

    /// <summary>Out: the time the vector was read at, ms: the end of the quiet hours, or the profile's newest event.</summary>
    public long DecidedAt { get; private set; }

    /// <summary>Out: the purposes that the customer's newest word consents to.</summary>
    public ulong Consent { get; private set; }

    protected override ReadOnlySpan<byte> Key => _customer.Span;

    /// <summary>In: by what cause, whose decisions, which end has come, and whether they are made and counted.</summary>
    public void Set(Cause cause, ReadOnlyMemory<byte> customer, long due, bool writes) =>
        (Cause, _customer, _due, _writes, _isFirst) = (cause, customer, due, writes, true);

    protected override void Change(Span<byte> profile, bool created)
    {
        Taken = false;
        if (Covered || _isFirst && !State.Deferrals!.IsDue(profile, _due)) return;
        _isFirst = false;
        Taken = State.Deferrals!.TryTake(profile, Key, _due, _writes, out var trigger, out var placement);
        if (!Taken) return;
        (Trigger, Placement) = (trigger, placement);
        DecidedAt = Math.Max(_due, StateLayout.NewestTime(profile));
        Consent = StateLayout.Consent(profile);
        if (Vector.IsEmpty || trigger < 0) return;
        Engine.Features.Read(profile, DecidedAt, Vector.Span);
        State.Decisions.Look(profile);
    }
}
