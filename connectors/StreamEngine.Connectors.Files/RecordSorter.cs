using System.Buffers.Binary;

namespace StreamEngine.Connectors.Files;

/// <summary>
/// Puts records into time order with bounded memory, equal times in the order added: what does not fit is sorted in runs, written to
/// temporary files, and merged.
/// </summary>
internal sealed class RecordSorter(long memoryLimit, string temporaryFolder) : IDisposable
{
    private const int ChunkLength = 1 << 24;
    private const int HeadLength = 32, EntryLength = 48;

    private readonly List<string> _spilled = [];
    private readonly List<byte[]> _chunks = [new byte[1 << 16]];
    private readonly List<Stream> _streams = [];
    private Entry[] _entries = new Entry[4096];
    private int _count, _used, _chunk;
    private long _bytes;
    private bool _ordered = true;

    /// <summary>How many runs went to disk.</summary>
    public int Runs => _spilled.Count;

    /// <summary>A record's place in memory.</summary>
    private struct Entry
    {
        public long Time, Number;
        public int Order, Chunk, Start, KeyLength, ValueLength, File;
    }

    /// <summary>Makes room for a record and returns the array and the place to write its value to, before <see cref="Add"/>.</summary>
    public int Reserve(int length, out byte[] chunk)
    {
        if (_bytes + length + (_count + 1L) * EntryLength > memoryLimit && _count > 0) Spill();
        while (_used + length > _chunks[_chunk].Length)
        {
            if (++_chunk == _chunks.Count) _chunks.Add(new byte[Math.Max(ChunkLength, length)]);
            _used = 0;
        }
        chunk = _chunks[_chunk];
        return _used;
    }

    /// <summary>Adds the record that was written at the reserved place: its value, then its key.</summary>
    /// <param name="time">Its event time, ms.</param>
    /// <param name="file">The file's place among the inputs.</param>
    /// <param name="number">Where it stands in the file.</param>
    /// <param name="valueLength">Bytes of the value.</param>
    /// <param name="keyLength">Bytes of the key.</param>
    public void Add(long time, int file, long number, int valueLength, int keyLength)
    {
        if (_count == _entries.Length) Array.Resize(ref _entries, _count * 2);
        _ordered &= _count == 0 || _entries[_count - 1].Time <= time;
        _entries[_count] = new Entry
        {
            Time = time,
            Number = number,
            Order = _count,
            Chunk = _chunk,
            Start = _used,
            KeyLength = keyLength,
            ValueLength = valueLength,
            File = file
        };
        _count++;
        _used += valueLength + keyLength;
        _bytes += valueLength + keyLength;
    }

    /// <summary>The records in order; the sorter takes no more.</summary>
    public IEnumerable<SortedRecord> Read()
    {
        Sort();
        if (_spilled.Count == 0) return InMemory();
        return Merge([.. _spilled.Select(FromFile), InMemory()]);
    }

    public void Dispose()
    {
        foreach (var stream in _streams) stream.Dispose();
        foreach (var path in _spilled) File.Delete(path);
        _spilled.Clear();
    }

    private void Sort()
    {
        if (!_ordered)
            _entries.AsSpan(0, _count).Sort(static (a, b) => a.Time != b.Time ? a.Time.CompareTo(b.Time) : a.Order.CompareTo(b.Order));
    }

    private void Spill()
    {
        Sort();
        Directory.CreateDirectory(temporaryFolder);
        var path = Path.Combine(temporaryFolder, $"run-{_spilled.Count:D6}");
        _spilled.Add(path);
        using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 17);
        Span<byte> head = stackalloc byte[HeadLength];
        head.Clear();
        for (var i = 0; i < _count; i++)
        {
            ref readonly var e = ref _entries[i];
            BinaryPrimitives.WriteInt64LittleEndian(head, e.Time);
            BinaryPrimitives.WriteInt32LittleEndian(head[8..], e.File);
            BinaryPrimitives.WriteInt32LittleEndian(head[12..], e.ValueLength);
            BinaryPrimitives.WriteInt32LittleEndian(head[16..], e.KeyLength);
            BinaryPrimitives.WriteInt64LittleEndian(head[24..], e.Number);
            file.Write(head);
            file.Write(_chunks[e.Chunk].AsSpan(e.Start, e.ValueLength + e.KeyLength));
        }
        _count = _used = _chunk = 0;
        _bytes = 0;
        _ordered = true;
    }

    private IEnumerable<SortedRecord> InMemory()
    {
        for (var i = 0; i < _count; i++)
        {
            var e = _entries[i];
            yield return new SortedRecord(e.Time, e.File, e.Number, _chunks[e.Chunk], e.Start, e.ValueLength, e.KeyLength);
        }
    }

    private IEnumerable<SortedRecord> FromFile(string path)
    {
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
        _streams.Add(file);
        var head = new byte[HeadLength];
        var body = new byte[1024];
        while (file.ReadAtLeast(head, HeadLength, throwOnEndOfStream: false) == HeadLength)
        {
            var (value, key) =
                (BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(12)), BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(16)));
            if (body.Length < value + key) body = new byte[Math.Max(body.Length * 2, value + key)];
            file.ReadExactly(body, 0, value + key);
            yield return new SortedRecord(BinaryPrimitives.ReadInt64LittleEndian(head),
                BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(8)), BinaryPrimitives.ReadInt64LittleEndian(head.AsSpan(24)), body, 0,
                value, key);
        }
    }

    private static IEnumerable<SortedRecord> Merge(IReadOnlyList<IEnumerable<SortedRecord>> runs)
    {
        var readers = runs.Select(r => r.GetEnumerator()).ToArray();
        var next = new PriorityQueue<int, (long, int)>();
        for (var i = 0; i < readers.Length; i++)
            if (readers[i].MoveNext()) next.Enqueue(i, (readers[i].Current.Time, i));
        while (next.TryDequeue(out var run, out _))
        {
            yield return readers[run].Current;
            if (readers[run].MoveNext()) next.Enqueue(run, (readers[run].Current.Time, run));
        }
    }
}

/// <summary>One record in order; its bytes are valid until the next is asked for.</summary>
internal readonly record struct SortedRecord(long Time, int File, long Number, byte[] Buffer, int Start, int ValueLength, int KeyLength)
{
    public ReadOnlySpan<byte> Value => Buffer.AsSpan(Start, ValueLength);

    public ReadOnlySpan<byte> Key => Buffer.AsSpan(Start + ValueLength, KeyLength);
}
