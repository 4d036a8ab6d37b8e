namespace StreamEngine.Connectors.Embedded.Storage;

/// <summary>One partition: its offsets and a sparse index from offset to address, at most 64 KiB of it.</summary>
internal sealed class PartitionLog(int id, TopicPartition name)
{
    private const int MaxEntries = 4096;

    private readonly List<(long Offset, long Address)> _index = [];
    private long _spacing = 256 << 10;
    private long _high;

    /// <summary>Its number in the catalog.</summary>
    public int Id { get; } = id;

    public TopicPartition Name { get; } = name;

    /// <summary>The next record's offset; the appender's, under its lock.</summary>
    public long Next { get; set; }

    /// <summary>The offset behind the last durable record.</summary>
    public long High => Volatile.Read(ref _high);

    /// <summary>Takes a durable section's records in.</summary>
    public void Publish(in ChunkSection section, long address)
    {
        lock (_index)
        {
            if (_index.Count == 0 || address - _index[^1].Address >= _spacing)
            {
                _index.Add((section.BaseOffset, address));
                if (_index.Count == MaxEntries) Thin();
            }
        }
        Volatile.Write(ref _high, section.BaseOffset + section.Count);
    }

    /// <summary>The address of a chunk at or before the one that holds the offset; -1 where there is none yet.</summary>
    public long Find(long offset)
    {
        lock (_index)
        {
            int low = 0, high = _index.Count;
            while (low < high)
            {
                var middle = (low + high) / 2;
                if (_index[middle].Offset <= offset) low = middle + 1;
                else high = middle;
            }
            return low == 0 ? -1 : _index[low - 1].Address;
        }
    }

    private void Thin()
    {
        for (var i = 0; i < MaxEntries / 2; i++) _index[i] = _index[i * 2];
        _index.RemoveRange(MaxEntries / 2, MaxEntries / 2);
        _spacing *= 2;
    }
}
