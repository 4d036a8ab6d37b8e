namespace StreamEngine.Events.Tables;

/// <summary>
/// Different texts, numbered from 0 in the order they came: their bytes one behind the other, and an index by hash (open addressing with
/// linear probing; an entry holds 32 bits of the hash and the text's number). Any thread may look for texts while one thread adds some: a
/// text is in the index only once it is written, and what grows is copied, then replaced. Looking allocates nothing.
/// </summary>
internal sealed class TextSet
{
    private byte[] _bytes = new byte[256];
    private int[] _starts = new int[17];   // of text i: _starts[i] to _starts[i + 1]
    private ulong[] _index = new ulong[32];

    /// <summary>How many texts there are.</summary>
    public int Count { get; private set; }

    /// <summary>The bytes of all texts.</summary>
    public byte[] Bytes => _bytes;

    /// <summary>Bytes of memory.</summary>
    public long Memory => _bytes.LongLength + sizeof(int) * _starts.LongLength + sizeof(ulong) * _index.LongLength;

    /// <summary>Where a text stands in <see cref="Bytes"/>.</summary>
    public Range32 this[int number] => new(_starts[number], _starts[number + 1] - _starts[number]);

    /// <summary>The number of a text; it is added where it is not there yet.</summary>
    /// <exception cref="InvalidDataException">There is no room for more.</exception>
    public int Add(ReadOnlySpan<byte> text, out bool isNew)
    {
        var hash = Hash64.Of(text);
        var at = Place(_index, text, hash);
        isNew = _index[at] == 0;
        if (!isNew) return Number(_index[at]);
        Append(text);
        Volatile.Write(ref _index[at], Entry(hash, Count++));
        if (Count > _index.Length / 2) Reindex(_index.Length * 2L);
        return Count - 1;
    }

    /// <summary>The number of a text; -1 where it is not there.</summary>
    public int Find(ReadOnlySpan<byte> text)
    {
        var index = Volatile.Read(ref _index);
        return Number(Volatile.Read(ref index[Place(index, text, Hash64.Of(text))]));
    }

    /// <summary>Gives spare room back.</summary>
    /// <param name="indexed">Whether texts will be looked for; else the index is given back too.</param>
    public void Close(bool indexed)
    {
        Array.Resize(ref _bytes, _starts[Count]);
        Array.Resize(ref _starts, Count + 1);
        // Two thirds full: about two entries are looked at for a text that is there, and five side by side for one that is not.
        if (indexed) Reindex(Count + Count / 2 + 1L);
        else _index = [];
    }

    /// <summary>The place in the index where a text is, or where it would be.</summary>
    private int Place(ulong[] index, ReadOnlySpan<byte> text, ulong hash)
    {
        var at = First(index, hash);
        while (Volatile.Read(ref index[at]) is var entry and not 0
            && !(entry >> 32 == (uint)hash && this[Number(entry)].Of(_bytes).SequenceEqual(text)))
            at = at + 1 == index.Length ? 0 : at + 1;
        return at;
    }

    /// <summary>The hash's share of the index's length: spreads evenly over any length, with one multiplication.</summary>
    private static int First(ulong[] index, ulong hash) => (int)Math.BigMul(hash, (ulong)index.Length, out _);

    private static ulong Entry(ulong hash, int number) => hash << 32 | (uint)(number + 1);

    private static int Number(ulong entry) => (int)(uint)entry - 1;

    private void Append(ReadOnlySpan<byte> text)
    {
        var (start, end) = (_starts[Count], (long)_starts[Count] + text.Length);
        if (end > Array.MaxLength) throw new InvalidDataException("its texts are more than 2 GB");
        if (end > _bytes.Length) Array.Resize(ref _bytes, (int)Math.Min(Array.MaxLength, 2 * end));
        if (Count + 2 > _starts.Length) Array.Resize(ref _starts, 2 * _starts.Length);
        text.CopyTo(_bytes.AsSpan(start));
        _starts[Count + 1] = (int)end;
    }

    private void Reindex(long length)
    {
        if (length > Array.MaxLength) throw new InvalidDataException($"{Count} rows are more than a table can have");
        var index = new ulong[length];
        for (var i = 0; i < Count; i++)
        {
            var hash = Hash64.Of(this[i].Of(_bytes));
            var at = First(index, hash);
            while (index[at] != 0) at = at + 1 == index.Length ? 0 : at + 1;
            index[at] = Entry(hash, i);
        }
        Volatile.Write(ref _index, index);
    }
}
