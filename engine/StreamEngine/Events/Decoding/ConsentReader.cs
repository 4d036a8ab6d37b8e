using StreamEngine.Events.Avro;

namespace StreamEngine.Events.Decoding;

/// <summary>Reads consents from Avro into a bit per declared purpose; purposes that are not declared are passed over.</summary>
internal static class ConsentReader
{
    /// <summary>Returns the place behind the consents, or -1 where the bytes end early or can't be right.</summary>
    public static int Read(ConsentSource source, Purposes purposes, byte[] data, int at, int end, ref ulong consent)
    {
        long n;
        if (source.Kind == ConsentKind.Text)
        {
            at = Varint.Read(data, at, end, out n);
            if (at < 0 || (ulong)n > (ulong)(end - at)) return -1;
            consent |= purposes.List(data.AsSpan(at, (int)n));
            return at + (int)n;
        }
        while (true)
        {
            at = Blocks.Head(data, at, end, out var count);
            if (at < 0 || count == 0) return at;
            for (; count > 0; count--)
            {
                at = Varint.Read(data, at, end, out n);
                if (at < 0) return -1;
                if (source.Kind == ConsentKind.Symbols)
                {
                    if ((ulong)n >= (ulong)source.Bits.Length) return -1;
                    consent |= source.Bits[n];
                    continue;
                }
                if ((ulong)n > (ulong)(end - at)) return -1;
                var bit = purposes.Bit(data.AsSpan(at, (int)n));
                at += (int)n;
                if (source.Kind == ConsentKind.Flags)
                {
                    if (at >= end || data[at] > 1) return -1;
                    if (data[at++] == 0) continue;
                }
                consent |= bit;
            }
        }
    }
}
