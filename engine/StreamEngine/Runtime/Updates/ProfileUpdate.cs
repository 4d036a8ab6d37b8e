using StreamEngine.State;

namespace StreamEngine.Runtime;

/// <summary>
/// The one way in which a shard changes a profile. It owns what no single change may forget: a new profile is initialised; while a shard is
/// restored, a profile that was loaded as of a later position than the cause is left as it is; and the next checkpoint is told that the
/// profile changes.
/// </summary>
internal abstract class ProfileUpdate(ShardState shard) : IProfileUpdate
{
    /// <summary>The cause of what happens now: there is nothing it could have been covered by.</summary>
    public static readonly Cause Now = new(-1, -1, 0);

    /// <summary>In: what is applied again while the shard is restored; <see cref="Now"/> where it happens now.</summary>
    public Cause Cause = Now;

    /// <summary>Out: whether the profile, loaded from a checkpoint, holds already what the cause did.</summary>
    public bool Covered { get; private set; }

    /// <inheritdoc/>
    public int InitialLength { get; } = shard.Engine.Layout.FixedLength;

    /// <summary>The shard's state.</summary>
    protected ShardState State { get; } = shard;

    /// <summary>The compiled config.</summary>
    protected CompiledEngine Engine { get; } = shard.Engine;

    /// <summary>The profile's key.</summary>
    protected abstract ReadOnlySpan<byte> Key { get; }

    /// <inheritdoc/>
    public int RequiredLength(ReadOnlySpan<byte> profile) => Holds(profile) ? profile.Length : Math.Max(profile.Length, Needs(profile));

    /// <inheritdoc/>
    public void Apply(Span<byte> profile, bool created)
    {
        if (created) Engine.InitializeProfile(profile);
        Covered = Holds(profile);
        if (!Covered) State.Cut?.Touch(profile, Key);
        Change(profile, created);
    }

    /// <summary>The length that the change needs; the profile's own is enough for most.</summary>
    protected virtual int Needs(ReadOnlySpan<byte> profile) => 0;

    /// <summary>Makes the change; nothing of it where it is <see cref="Covered"/>.</summary>
    protected abstract void Change(Span<byte> profile, bool created);

    private bool Holds(ReadOnlySpan<byte> profile) =>
        Cause.Source >= 0 && State.Cut is not null && State.Cut.Covers(profile, Cause.Source, Cause.Offset, Cause.Ordinal);
}
