using System.Buffers.Binary;
using System.Runtime.InteropServices;
using StreamEngine.State;

namespace StreamEngine.Connectors.Embedded.Storage;

/// <summary>What a chunk is to its group.</summary>
[Flags]
internal enum ChunkFlags : byte
{
    None = 0,

    /// <summary>The group's first chunk.</summary>
    Begin = 1,

    /// <summary>The group's last chunk: the group is closed.</summary>
    End = 2,

    /// <summary>Holds one definition (a topic or a consumer group) instead of records.</summary>
    Definition = 4,
}

/// <summary>Records of one partition inside a chunk.</summary>
/// <param name="Partition">The partition's number in the catalog.</param>
/// <param name="Count">How many records.</param>
/// <param name="BaseOffset">The first one's offset.</param>
/// <param name="Start">Where the first one begins in the chunk, bytes.</param>
/// <param name="Length">Bytes of all.</param>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal readonly record struct ChunkSection(int Partition, int Count, long BaseOffset, int Start, int Length);

/// <summary>A committed input offset inside a chunk.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal readonly record struct ChunkOffset(int Group, int Partition, long Next);

/// <summary>
/// One entry of the log, at most about 60 KiB unless one record is larger: a whole group (a transaction, or a writer's batch), or a part of
/// one. Little endian:
/// <code>
///  0 version (1)   1 flags   2 sections (u16)   4 CRC-32C of all from byte 8   8 sequence (i64)   16 CRC of the chunk before (u32)
/// 20 offsets (i32)   24 address up to which the log was durable (i64)   32 sections, 24 bytes each; offsets, 16 each; records
/// record: timestamp (i64), key length, value length (i32, -1 is none), key, value
/// </code>
/// Each chunk names the checksum of the one before: what a crash left behind can't be taken for a successor.
/// </summary>
internal static class Chunk
{
    public const byte Version = 1;
    public const int HeaderLength = 32;
    public const int SectionLength = 24;
    public const int OffsetLength = 16;
    public const int RecordHeaderLength = 16;

    public static ChunkFlags Flags(ReadOnlySpan<byte> chunk) => (ChunkFlags)chunk[1];

    public static long Sequence(ReadOnlySpan<byte> chunk) => BinaryPrimitives.ReadInt64LittleEndian(chunk[8..]);

    public static uint Checksum(ReadOnlySpan<byte> chunk) => BinaryPrimitives.ReadUInt32LittleEndian(chunk[4..]);

    public static uint Previous(ReadOnlySpan<byte> chunk) => BinaryPrimitives.ReadUInt32LittleEndian(chunk[16..]);

    public static long Durable(ReadOnlySpan<byte> chunk) => BinaryPrimitives.ReadInt64LittleEndian(chunk[24..]);

    public static ReadOnlySpan<ChunkSection> Sections(ReadOnlySpan<byte> chunk) =>
        MemoryMarshal.Cast<byte, ChunkSection>(chunk.Slice(HeaderLength, SectionCount(chunk) * SectionLength));

    public static Span<ChunkSection> Sections(Span<byte> chunk) =>
        MemoryMarshal.Cast<byte, ChunkSection>(chunk.Slice(HeaderLength, SectionCount(chunk) * SectionLength));

    public static ReadOnlySpan<ChunkOffset> Offsets(ReadOnlySpan<byte> chunk) => MemoryMarshal.Cast<byte, ChunkOffset>(
        chunk.Slice(HeaderLength + SectionCount(chunk) * SectionLength, OffsetCount(chunk) * OffsetLength));

    /// <summary>Writes the header's fixed part; <see cref="Seal"/> completes it.</summary>
    public static void WriteHeader(Span<byte> chunk, ChunkFlags flags, int sections, int offsets)
    {
        chunk[0] = Version;
        chunk[1] = (byte)flags;
        BinaryPrimitives.WriteUInt16LittleEndian(chunk[2..], (ushort)sections);
        BinaryPrimitives.WriteInt32LittleEndian(chunk[20..], offsets);
    }

    /// <summary>Gives the chunk its place in the chain and its checksum, which is returned.</summary>
    public static uint Seal(Span<byte> chunk, long sequence, uint previous, long durable)
    {
        BinaryPrimitives.WriteInt64LittleEndian(chunk[8..], sequence);
        BinaryPrimitives.WriteUInt32LittleEndian(chunk[16..], previous);
        BinaryPrimitives.WriteInt64LittleEndian(chunk[24..], durable);
        var checksum = Compute(chunk);
        BinaryPrimitives.WriteUInt32LittleEndian(chunk[4..], checksum);
        return checksum;
    }

    /// <summary>Whether the bytes are a whole, undamaged chunk of a known version.</summary>
    public static bool IsIntact(ReadOnlySpan<byte> chunk) =>
        chunk.Length >= HeaderLength && chunk[0] == Version && Checksum(chunk) == Compute(chunk);

    private static int SectionCount(ReadOnlySpan<byte> chunk) => BinaryPrimitives.ReadUInt16LittleEndian(chunk[2..]);

    private static int OffsetCount(ReadOnlySpan<byte> chunk) => BinaryPrimitives.ReadInt32LittleEndian(chunk[20..]);

    /// <summary>CRC-32C of the first four bytes and of all behind the checksum.</summary>
    private static uint Compute(ReadOnlySpan<byte> chunk) => Crc32C.Of(chunk[..4], chunk[8..]);
}
