using StreamEngine.State;

namespace StreamEngine.Runtime;

/// <summary>
/// Puts a profile of a checkpoint into the store; of two versions the later call's counts. It replaces the whole profile, so there is
/// nothing to initialise or to leave out.
/// </summary>
internal sealed class LoadUpdate(ShardState shard) : IProfileUpdate
{
    private byte[] _profile = [], _fitted = [];
    private byte[] _key = [];
    private int _length, _keyLength;
    private uint _epoch;

    public int InitialLength => _length;

    /// <summary>In: the profile, its key, and the slice it comes from.</summary>
    public void Set(ReadOnlySpan<byte> key, ReadOnlySpan<byte> profile, uint epoch)
    {
        // The checkpoint may be of a config with more memory: a profile that does not fit any more would stop the shard for good.
        if (shard.Engine.Duplicates is { } duplicates) profile = duplicates.Fit(profile, ref _fitted);
        if (_profile.Length < profile.Length) _profile = new byte[profile.Length * 2];
        if (_key.Length < key.Length) _key = new byte[key.Length * 2];
        profile.CopyTo(_profile);
        key.CopyTo(_key);
        (_length, _keyLength, _epoch) = (profile.Length, key.Length, epoch);
    }

    public int RequiredLength(ReadOnlySpan<byte> profile) => _length;

    public void Apply(Span<byte> profile, bool created)
    {
        if (!created)
        {
            shard.Outcomes?.Unloaded(profile);
            shard.Segments?.Unloaded(profile);
            shard.Deferrals?.Unloaded(profile);
        }
        _profile.AsSpan(0, _length).CopyTo(profile);
        profile[_length..].Clear();
        StateLayout.Epoch(profile) = _epoch;
        shard.Engine.Timers.Resume(profile, shard.Timers, _key.AsSpan(0, _keyLength));
        shard.Outcomes?.Loaded(profile, _key.AsSpan(0, _keyLength));
        shard.Segments?.Loaded(profile);
        shard.Deferrals?.Loaded(profile, _key.AsSpan(0, _keyLength));
    }
}
