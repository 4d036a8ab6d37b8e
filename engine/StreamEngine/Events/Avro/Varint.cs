using System.Runtime.CompilerServices;

namespace StreamEngine.Events.Avro;

/// <summary>Avro's int and long: zigzag, then 7 bits a byte, lowest first, at most 10 bytes.</summary>
public static class Varint
{
    /// <summary>The most bytes a long takes.</summary>
    public const int MaxLength = 10;

    /// <summary>
    /// Reads a long that begins at <paramref name="at"/> and must end before <paramref name="end"/> (which must be within the array).
    /// Returns the place behind it, or -1 where the bytes end early or the number has more than 64 bits.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Read(byte[] data, int at, int end, out long value)
    {
        if ((uint)at < (uint)end && data[at] < 0x80)
        {
            value = data[at] >> 1 ^ -(data[at] & 1);
            return at + 1;
        }
        return ReadLonger(data, at, end, out value);
    }

    /// <summary>Out of line, so that the short case is small where it is inlined.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int ReadLonger(byte[] data, int at, int end, out long value) => ReadLonger(data.AsSpan(0, end), at, out value);

    /// <summary>Reads a long; returns the place behind it, or -1 where the bytes end early or the number has more than 64 bits.</summary>
    public static int ReadLonger(ReadOnlySpan<byte> data, int at, out long value)
    {
        ulong bits = 0;
        for (var shift = 0; shift < 70; shift += 7)
        {
            if ((uint)at >= (uint)data.Length) break;
            var b = data[at++];
            if (shift == 63 && b > 1) break;
            bits |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80)
            {
                value = (long)(bits >> 1) ^ -(long)(bits & 1);
                return at;
            }
        }
        value = 0;
        return -1;
    }

    /// <summary>Writes a long to <paramref name="target"/> (room for <see cref="MaxLength"/>) and returns how many bytes it took.</summary>
    public static int Write(Span<byte> target, long value)
    {
        var bits = (ulong)(value << 1 ^ value >> 63);
        var length = 0;
        while (bits >= 0x80)
        {
            target[length++] = (byte)(bits | 0x80);
            bits >>= 7;
        }
        target[length++] = (byte)bits;
        return length;
    }
}
