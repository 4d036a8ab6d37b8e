using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace StreamEngine.Connectors.Embedded.Storage;

/// <summary>
/// Turns a group into chunks: inside a chunk the records of a partition stand together, in order. Base offsets are filled in when the chunk
/// is appended.
/// </summary>
internal sealed class GroupEncoder(int targetLength)
{
    private readonly List<ChunkSection> _sections = [];
    private int[] _slots = [];

    /// <summary>
    /// Encodes the group into <paramref name="chunks"/> (cleared first); the last chunk carries the offsets. Never empty.
    /// </summary>
    public void Encode(GroupBuffer group, ReadOnlySpan<ChunkOffset> offsets, int partitions, List<byte[]> chunks)
    {
        chunks.Clear();
        if (_slots.Length < partitions)
        {
            _slots = new int[partitions];
            Array.Fill(_slots, -1);
        }
        var from = 0;
        var last = false;
        while (!last)
        {
            var to = from;
            var length = 0;
            while (to < group.Count && (to == from || length + group.Entries[to].EncodedLength <= targetLength))
                length += group.Entries[to++].EncodedLength;
            last = to == group.Count && (length <= targetLength || offsets.IsEmpty); // a page full of one record has no room for offsets
            var flags = (chunks.Count == 0 ? ChunkFlags.Begin : ChunkFlags.None) | (last ? ChunkFlags.End : ChunkFlags.None);
            chunks.Add(EncodeChunk(group, from, to, length, flags, last ? offsets : default));
            from = to;
        }
    }

    private byte[] EncodeChunk(GroupBuffer group, int from, int to, int recordBytes, ChunkFlags flags, ReadOnlySpan<ChunkOffset> offsets)
    {
        // 1. Count each partition's records and bytes.
        var entries = group.Entries[from..to];
        _sections.Clear();
        foreach (ref readonly var entry in entries)
        {
            ref var slot = ref _slots[entry.Partition];
            if (slot < 0)
            {
                slot = _sections.Count;
                _sections.Add(new ChunkSection(entry.Partition, 0, 0, 0, 0));
            }
            var section = _sections[slot];
            _sections[slot] = section with { Count = section.Count + 1, Length = section.Length + entry.EncodedLength };
        }

        // 2. Lay the sections out.
        var sections = CollectionsMarshal.AsSpan(_sections);
        var directory = Chunk.HeaderLength + sections.Length * Chunk.SectionLength + offsets.Length * Chunk.OffsetLength;
        var chunk = new byte[directory + recordBytes];
        var start = directory;
        foreach (ref var section in sections)
        {
            section = section with { Start = start };
            start += section.Length;
        }

        // 3. Write header, directory and records; a section's slot becomes its write position and is freed at the end.
        Chunk.WriteHeader(chunk, flags, sections.Length, offsets.Length);
        MemoryMarshal.AsBytes(sections).CopyTo(chunk.AsSpan(Chunk.HeaderLength));
        MemoryMarshal.AsBytes(offsets).CopyTo(chunk.AsSpan(Chunk.HeaderLength + sections.Length * Chunk.SectionLength));
        foreach (ref readonly var section in sections) _slots[section.Partition] = section.Start;
        foreach (ref readonly var entry in entries)
        {
            ref var position = ref _slots[entry.Partition];
            var target = chunk.AsSpan(position);
            BinaryPrimitives.WriteInt64LittleEndian(target, entry.Timestamp);
            BinaryPrimitives.WriteInt32LittleEndian(target[8..], entry.KeyLength);
            BinaryPrimitives.WriteInt32LittleEndian(target[12..], entry.ValueLength);
            group.Payload(entry).CopyTo(target[Chunk.RecordHeaderLength..]);
            position += entry.EncodedLength;
        }
        foreach (ref readonly var section in sections) _slots[section.Partition] = -1;
        return chunk;
    }
}
