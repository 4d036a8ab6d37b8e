using System.Runtime.InteropServices;

namespace StreamEngine.State;

/// <summary>
/// Profiles in a dictionary, for tests and tiny runs: same promises as the FASTER store, no disk, nothing allocated for a profile that
/// exists.
/// </summary>
public sealed class MemoryStateStore : IStateStore
{
    private const int BytesPerEntry = 96; // the dictionary's slot and two array headers, about

    private readonly Dictionary<byte[], byte[]> _profiles;
    private readonly Dictionary<byte[], byte[]>.AlternateLookup<ReadOnlySpan<byte>> _bySpan;
    private byte[] _zeros = [];

    /// <summary>An empty store.</summary>
    public MemoryStateStore()
    {
        _profiles = new Dictionary<byte[], byte[]>(BytesComparer.Instance);
        _bySpan = _profiles.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    /// <inheritdoc/>
    public long Count => _profiles.Count;

    /// <inheritdoc/>
    public long MemoryBytes { get; private set; }

    /// <inheritdoc/>
    public void Update(ReadOnlySpan<byte> key, IProfileUpdate update)
    {
        if (!TryUpdate(key, update)) Create(key, update);
    }

    /// <inheritdoc/>
    public bool TryUpdate(ReadOnlySpan<byte> key, IProfileUpdate update)
    {
        ref var slot = ref CollectionsMarshal.GetValueRefOrNullRef(_bySpan, key);
        if (System.Runtime.CompilerServices.Unsafe.IsNullRef(ref slot)) return false;
        var required = update.RequiredLength(slot);
        if (required > slot.Length)
        {
            MemoryBytes += required - slot.Length;
            Array.Resize(ref slot, required);
        }
        update.Apply(slot, created: false);
        return true;
    }

    /// <inheritdoc/>
    public bool Read(ReadOnlySpan<byte> key, IProfileReader reader)
    {
        if (!_bySpan.TryGetValue(key, out var profile)) return false;
        reader.Read(profile);
        return true;
    }

    /// <inheritdoc/>
    public bool Delete(ReadOnlySpan<byte> key)
    {
        if (!_bySpan.Remove(key, out var owned, out var profile)) return false;
        MemoryBytes -= owned.Length + profile.Length + BytesPerEntry;
        return true;
    }

    /// <inheritdoc/>
    public void Scan(IProfileVisitor visitor)
    {
        foreach (var (key, profile) in _profiles) visitor.Visit(key, profile);
    }

    /// <inheritdoc/>
    public void Tidy()
    {
    }

    /// <inheritdoc/>
    public void Dispose() => _profiles.Clear();

    private void Create(ReadOnlySpan<byte> key, IProfileUpdate update)
    {
        if (_zeros.Length < update.InitialLength) _zeros = new byte[update.InitialLength];
        var length = Math.Max(update.InitialLength, update.RequiredLength(_zeros.AsSpan(0, update.InitialLength)));
        var profile = new byte[length];
        update.Apply(profile, created: true);
        _bySpan[key] = profile;
        MemoryBytes += key.Length + length + BytesPerEntry;
    }
}
