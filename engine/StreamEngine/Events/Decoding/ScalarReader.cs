using System.Buffers.Binary;
using StreamEngine.Configuration;
using StreamEngine.Events.Avro;

namespace StreamEngine.Events.Decoding;

/// <summary>Reads one Avro scalar and converts it: the pairs of types that have no step of their own.</summary>
internal static class ScalarReader
{
    /// <summary>Returns the place behind the scalar, or -1 where the bytes end early or can't be right.</summary>
    public static int Read(ScalarSource source, byte[] data, int at, int end, Event target, HiddenValues hidden, ref Faults faults)
    {
        ref var slot = ref hidden.Slot(target, source.Target.Slot);
        long n;
        switch (source.Kind)
        {
            case AvroKind.Int or AvroKind.Long:
                at = Varint.Read(data, at, end, out n);
                if (at < 0 || source.Kind == AvroKind.Int && n != (int)n) return -1;
                faults |= Noted(Number(source, n, ref slot, target.Scratch), FaultKind.Integer, source.Target, n, target);
                return at;
            case AvroKind.Float:
                if (end - at < 4) return -1;
                faults |= Floating(source.Target, BinaryPrimitives.ReadSingleLittleEndian(data.AsSpan(at, 4)), ref slot, target);
                return at + 4;
            case AvroKind.Double:
                if (end - at < 8) return -1;
                faults |= Floating(source.Target, BinaryPrimitives.ReadDoubleLittleEndian(data.AsSpan(at, 8)), ref slot, target);
                return at + 8;
            case AvroKind.Boolean:
                if (at >= end || data[at] > 1) return -1;
                faults |= Noted(Conversion.FromBool(source.Target, data[at] == 1, ref slot), FaultKind.Flag, source.Target, data[at],
                    target);
                return at + 1;
            case AvroKind.Fixed:
                n = source.Size;
                break;
            default:
                at = Varint.Read(data, at, end, out n);
                break;
        }
        if (at < 0 || (ulong)n > (ulong)(end - at)) return -1;
        if (source.Logical == AvroLogical.Decimal && source.Target.Natural) slot.Set(data, at, (int)n);
        else if (source.Logical == AvroLogical.Decimal)
            faults |= Noted(Conversion.FromDecimal(source.Target, data.AsSpan(at, (int)n), source.Scale, ref slot), FaultKind.Structure,
                source.Target, 0, target);
        else if (source.Logical == AvroLogical.Uuid && source.Kind == AvroKind.Fixed) Uuid(data.AsSpan(at, 16), ref slot, target.Scratch);
        else faults |= Conversion.FromText(source.Target, data, at, (int)n, target, ref slot);
        return at + (int)n;
    }

    private static Faults Floating(Target target, double value, ref FieldValue slot, Event e) =>
        Noted(Conversion.FromDouble(target, value, ref slot, e.Scratch), FaultKind.Floating, target,
            BitConverter.DoubleToInt64Bits(value), e);

    private static Faults Noted(Faults fault, FaultKind kind, Target target, long number, Event e)
    {
        if (fault != Faults.None) e.Note(kind, target.Slot, target.Path, number);
        return fault;
    }

    private static Faults Number(ScalarSource source, long n, ref FieldValue slot, ScratchBuffer scratch)
    {
        if (source.Target.Type != FieldType.Timestamp) return Conversion.FromLong(source.Target, n, ref slot, scratch);
        const long day = 86_400_000;
        var ms = source.Logical switch
        {
            AvroLogical.Date => n * day,
            AvroLogical.TimestampMillis => n,
            AvroLogical.TimestampMicros => TimeFormat.FloorDiv(n, 1000),
            AvroLogical.TimestampNanos => TimeFormat.FloorDiv(n, 1_000_000),
            _ => long.MinValue,
        };
        if (ms == long.MinValue) return Conversion.FromLong(source.Target, n, ref slot, scratch);
        if (!TimeText.InRange(ms)) return Faults.WrongType;
        slot.Set(ms);
        return Faults.None;
    }

    /// <summary>16 bytes, big-endian, as the usual text of 36 characters.</summary>
    private static void Uuid(ReadOnlySpan<byte> bytes, ref FieldValue slot, ScratchBuffer scratch)
    {
        var start = scratch.Take(36, out var buffer);
        new Guid(bytes, bigEndian: true).TryFormat(buffer.AsSpan(start, 36), out _);
        slot.Set(buffer, start, 36);
    }
}
