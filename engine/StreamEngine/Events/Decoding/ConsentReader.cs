using StreamEngine.Events.Avro;

namespace StreamEngine.Events.Decoding;

/// <summary>Reads consents from Avro into a bit per declared purpose; purposes that are not declared are passed over.</summary>
internal static class ConsentReader
{
    /// <summary>Returns the place behind the consents, or -1 where the bytes end early or can't be right.</summary>
    public static int Read(ConsentSource source, Purposes purposes, byte[] data, int at, int end, Event target)
    {
        long n;
        ref var consent = ref target.Consent;
        if (source.Kind == ConsentKind.Text)
        {
            at = Varint.Read(data, at, end, out n);
            if (at < 0 || (ulong)n > (ulong)(end - at)) return -1;
            consent |= purposes.List(data.AsSpan(at, (int)n));
            target.ConsentSaid.Set(data, at, (int)n);
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
                    target.ConsentSaid.Present = true;
                    continue;
                }
                if ((ulong)n > (ulong)(end - at)) return -1;
                var bit = purposes.Bit(data.AsSpan(at, (int)n));
                target.ConsentSaid.Set(data, at, (int)n);
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

    /// <summary>Reads the yes or no of a field to the purposes that it is for; returns the place behind it, or -1.</summary>
    public static int ReadFlag(FlagSource source, byte[] data, int at, int end, Event target)
    {
        if (source.Kind == AvroKind.Boolean)
        {
            if (at >= end || data[at] > 1) return -1;
            target.SetConsent(source.Purposes, data[at] == 1);
            return at + 1;
        }
        at = Varint.Read(data, at, end, out var n);
        if (at < 0) return -1;
        switch (source.Kind)
        {
            case AvroKind.Int or AvroKind.Long:
                target.SetConsent(source.Purposes, n == 1);
                return at;
            case AvroKind.Enum:
                if ((ulong)n >= (ulong)source.Symbols.Length) return -1;
                target.SetConsent(source.Purposes, source.Symbols[n]);
                return at;
            default:
                if ((ulong)n > (ulong)(end - at)) return -1;
                ConsentWords.Read(source.Purposes, data, at, (int)n, target);
                return at + (int)n;
        }
    }
}
