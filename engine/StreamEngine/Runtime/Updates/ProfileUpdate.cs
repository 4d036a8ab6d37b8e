using StreamEngine.State;

namespace StreamEngine.Runtime;

/// <summary>
/// The one way in which a shard changes a profile. It owns what no single change may forget: a new profile is initialised; while a shard is
/// restored, a profile that was loaded as of a later position than the cause is left as it is; and the next checkpoint is told that the
/// profile changes.
/// </summary>
internal abstract class ProfileUpdate(CompiledEngine engine) : IProfileUpdate
{
    /// <summary>The source of a cause that is live: there is nothing it could have been covered by.</summary>
    private static readonly Cause Live = new(-1, -1, 0);

    /// <summary>In: the shard's checkpoints; null where none are kept.</summary>
    public ShardCut? Cut;

    /// <summary>Out: whether the profile, loaded from a checkpoint, holds already what the cause did.</summary>
    public bool Covered { get; private set; }

    /// <inheritdoc/>
    public int InitialLength { get; } = engine.Layout.FixedLength;

    /// <summary>The compiled config.</summary>
    protected CompiledEngine Engine => engine;

    /// <summary>The profile's key.</summary>
    protected abstract ReadOnlySpan<byte> Key { get; }

    private Cause _cause = Live;

    /// <summary>In: what is applied again while the shard is restored.</summary>
    public void Restores(Cause cause) => _cause = cause;

    /// <summary>In: what is applied happens now.</summary>
    public void HappensNow() => _cause = Live;

    /// <inheritdoc/>
    public int RequiredLength(ReadOnlySpan<byte> profile) => Holds(profile) ? profile.Length : Math.Max(profile.Length, Needs(profile));

    /// <inheritdoc/>
    public void Apply(Span<byte> profile, bool created)
    {
        if (created) engine.InitializeProfile(profile);
        Covered = Holds(profile);
        if (!Covered) Cut?.Touch(profile, Key);
        Change(profile, created);
    }

    /// <summary>The length that the change needs; the profile's own is enough for most.</summary>
    protected virtual int Needs(ReadOnlySpan<byte> profile) => 0;

    /// <summary>Makes the change; nothing of it where it is <see cref="Covered"/>.</summary>
    protected abstract void Change(Span<byte> profile, bool created);

    private bool Holds(ReadOnlySpan<byte> profile) =>
        _cause.Source >= 0 && Cut is not null && Cut.Covers(profile, _cause.Source, _cause.Offset, _cause.Ordinal);
}
