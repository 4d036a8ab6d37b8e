using System.Buffers.Binary;

namespace StreamEngine.Runtime;

/// <summary>
/// Keys in the order they were added, in blocks of 64 KB that are used again: no array that grows to the whole list's size.
/// </summary>
internal sealed class KeyList
{
    private const int BlockBytes = 1 << 16;

    private readonly List<byte[]> _blocks = [];
    private readonly Stack<byte[]> _free = [];
    private int _end;            // in the last block
    private int _at;             // in the first block

    /// <summary>How many keys there are.</summary>
    public int Count { get; private set; }

    /// <summary>Adds a key of at most 65,000 bytes.</summary>
    public void Add(ReadOnlySpan<byte> key)
    {
        var needed = key.Length + sizeof(ushort);
        if (_blocks.Count == 0 || _end + needed > BlockBytes)
        {
            if (_blocks.Count > 0 && _end + sizeof(ushort) <= BlockBytes)
                BinaryPrimitives.WriteUInt16LittleEndian(_blocks[^1].AsSpan(_end), ushort.MaxValue);
            _blocks.Add(_free.TryPop(out var block) ? block : new byte[BlockBytes]);
            _end = 0;
        }
        var place = _blocks[^1].AsSpan(_end);
        BinaryPrimitives.WriteUInt16LittleEndian(place, (ushort)key.Length);
        key.CopyTo(place[sizeof(ushort)..]);
        _end += needed;
        Count++;
    }

    /// <summary>Takes the oldest key out; valid until the next call.</summary>
    public ReadOnlySpan<byte> Take()
    {
        var length = _at + sizeof(ushort) > BlockBytes ? ushort.MaxValue : BinaryPrimitives.ReadUInt16LittleEndian(_blocks[0].AsSpan(_at));
        if (length == ushort.MaxValue)
        {
            _free.Push(_blocks[0]);
            _blocks.RemoveAt(0);
            _at = 0;
            length = BinaryPrimitives.ReadUInt16LittleEndian(_blocks[0]);
        }
        var key = _blocks[0].AsSpan(_at + sizeof(ushort), length);
        _at += sizeof(ushort) + length;
        if (--Count == 0) Reset();
        return key;
    }

    private void Reset()
    {
        foreach (var block in _blocks) _free.Push(block);
        _blocks.Clear();
        _at = _end = 0;
    }
}
