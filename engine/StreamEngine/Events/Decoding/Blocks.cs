using StreamEngine.Events.Avro;

namespace StreamEngine.Events.Decoding;

/// <summary>The heads of an array's or a map's blocks.</summary>
internal static class Blocks
{
    /// <summary>
    /// Reads a block's item count (0 ends the value), and its size in bytes where it is written; returns the place behind, or -1.
    /// </summary>
    public static int Head(byte[] data, int at, int end, out long count)
    {
        at = Varint.Read(data, at, end, out count);
        if (at < 0 || count >= 0) return at;
        count = -count;
        at = Varint.Read(data, at, end, out var bytes);
        return count > 0 && at >= 0 && (ulong)bytes <= (ulong)(end - at) ? at : -1;
    }
}
