namespace StreamEngine.Connectors.Embedded.Storage;

/// <summary>
/// The records of an open transaction or of a writer's batch, copied: nothing of it is in the log before the group is closed. Reused.
/// </summary>
internal sealed class GroupBuffer
{
    private byte[] _bytes = new byte[1 << 16];
    private Entry[] _entries = new Entry[256];
    private int _used;

    /// <summary>One record's place.</summary>
    public readonly record struct Entry(int Partition, long Timestamp, int Start, int KeyLength, int ValueLength)
    {
        /// <summary>Bytes in a chunk.</summary>
        public int EncodedLength => Chunk.RecordHeaderLength + Math.Max(KeyLength, 0) + Math.Max(ValueLength, 0);
    }

    public int Count { get; private set; }

    public int Bytes => _used;

    public ReadOnlySpan<Entry> Entries => _entries.AsSpan(0, Count);

    /// <summary>Copies a record; an empty key is no key and an empty value a tombstone.</summary>
    public void Add(int partition, long timestamp, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (Count == _entries.Length) Array.Resize(ref _entries, Count * 2);
        var needed = _used + key.Length + value.Length;
        if (needed > _bytes.Length) Array.Resize(ref _bytes, Math.Max(needed, _bytes.Length * 2));
        _entries[Count++] = new Entry(partition, timestamp, _used, key.IsEmpty ? -1 : key.Length, value.IsEmpty ? -1 : value.Length);
        key.CopyTo(_bytes.AsSpan(_used));
        value.CopyTo(_bytes.AsSpan(_used + key.Length));
        _used = needed;
    }

    /// <summary>Key and value, one behind the other.</summary>
    public ReadOnlySpan<byte> Payload(in Entry entry) =>
        _bytes.AsSpan(entry.Start, Math.Max(entry.KeyLength, 0) + Math.Max(entry.ValueLength, 0));

    public void Clear()
    {
        Count = 0;
        _used = 0;
    }
}
