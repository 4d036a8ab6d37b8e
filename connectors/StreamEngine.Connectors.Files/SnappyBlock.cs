using System.Buffers.Binary;
using System.IO.Hashing;
using Snappier;
using StreamEngine.Events.Avro;

namespace StreamEngine.Connectors.Files;

/// <summary>
/// A block of an Avro container file with the codec snappy: raw Snappy (no frames), then the CRC-32 of what was packed, 4 bytes big-endian.
/// </summary>
internal static class SnappyBlock
{
    private const int CrcBytes = 4;

    /// <summary>Unpacks a block (<see cref="AvroUnpacker"/>).</summary>
    /// <exception cref="AvroException">The block is damaged.</exception>
    public static int Unpack(ReadOnlySpan<byte> packed, ref byte[] block)
    {
        if (packed.Length < CrcBytes) throw new AvroException("a block of the file is too short for snappy");
        var data = packed[..^CrcBytes];
        int length;
        try
        {
            length = Snappy.GetUncompressedLength(data);
            // Snappy packs 64 bytes into three at best: a longer claim is a damaged length, and must not take memory.
            if (length > AvroFileReader.MaxBlock || length > 22L * data.Length)
                throw new AvroException("a block of the file claims more bytes than it can hold");
            if (block.Length < length) block = new byte[length];
            if (Snappy.Decompress(data, block) != length) throw new AvroException("a block of the file is shorter than it says");
        }
        catch (Exception e) when (e is InvalidDataException or ArgumentException)
        {
            throw new AvroException("a block of the file can't be unpacked by snappy: " + e.Message);
        }
        return Crc32.HashToUInt32(block.AsSpan(0, length)) == BinaryPrimitives.ReadUInt32BigEndian(packed[^CrcBytes..])
            ? length
            : throw new AvroException("a block of the file is damaged: its checksum differs");
    }
}
