using System.Buffers.Text;
using System.Globalization;
using StreamEngine.Configuration;

namespace StreamEngine.Events.Decoding;

/// <summary>
/// Turns a value as a format has it into a declared type. The same rules for Avro, JSON and CSV. NaN and infinity are WrongType: one of
/// them in a sum would stay there for ever.
/// </summary>
internal static class Conversion
{
    private static readonly byte[] True = "true"u8.ToArray();
    private static readonly byte[] False = "false"u8.ToArray();

    /// <summary>From a text; what does not fit is noted for the dead letter.</summary>
    public static Faults FromText(Target target, byte[] buffer, int start, int length, Event e, ref FieldValue slot)
    {
        if (target.Rules is { } rules)
        {
            if (rules.IsNull(buffer.AsSpan(start, length)))
            {
                slot = default;
                return Faults.None;
            }
            if (rules.Comma && target.Type is FieldType.Double or FieldType.Decimal or FieldType.Int)
                return FromComma(target, buffer, start, length, e, ref slot);
        }
        return FromPlainText(target, buffer, start, length, e, ref slot);
    }

    /// <summary>From a text to which no rules of the source apply, as a JSON number.</summary>
    public static Faults FromPlainText(Target target, byte[] buffer, int start, int length, Event e, ref FieldValue slot)
    {
        var fault = FromText(target, buffer, start, length, ref slot);
        if (fault != Faults.None)
            e.Note(fault == Faults.BadUtf8 ? FaultKind.Utf8 : FaultKind.Text, target.Slot, target.Path, 0, buffer, start, length);
        return fault;
    }

    private static Faults FromComma(Target target, byte[] buffer, int start, int length, Event e, ref FieldValue slot)
    {
        Span<byte> pointed = stackalloc byte[TextRules.MostDigits];
        var fault = TextRules.TryPoint(buffer.AsSpan(start, length), pointed)
            ? FromText(target, pointed[..length], buffer, start, length, ref slot) : Faults.WrongType;
        if (fault != Faults.None) e.Note(FaultKind.Text, target.Slot, target.Path, 0, buffer, start, length);
        return fault;
    }

    public static Faults FromText(Target target, byte[] buffer, int start, int length, ref FieldValue slot) =>
        FromText(target, buffer.AsSpan(start, length), buffer, start, length, ref slot);

    private static Faults FromText(Target target, ReadOnlySpan<byte> text, byte[] buffer, int start, int length, ref FieldValue slot)
    {
        if (target.Type == FieldType.String)
        {
            if (!Utf8Text.IsValid(text)) return Faults.BadUtf8;
            slot.Set(buffer, start, length);
            return Faults.None;
        }
        // A pattern of a time may begin with a blank: only it looks at the text as it stands.
        if (target.Type != FieldType.Timestamp) text = TimeText.Trimmed(text);
        var exact = true;
        switch (target.Type)
        {
            case FieldType.Double when DecimalMath.TryDouble(text, out var d):
                slot.Set(d);
                return Faults.None;
            case FieldType.Decimal when DecimalMath.TryParse(text, target.Scale, out var unscaled, out _):
                slot.Set(unscaled);
                return Faults.None;
            case FieldType.Int when DecimalMath.TryParse(text, 0, out var number, out exact) && exact:
                slot.Set(number);
                return Faults.None;
            case FieldType.Timestamp when target.Time.TryText(text, out var ms):
                slot.Set(ms);
                return Faults.None;
            case FieldType.Timestamp when target.IsOneOf && TimeText.Trimmed(text).IsEmpty:
                slot = default;
                return Faults.None;
            case FieldType.Bool when text.SequenceEqual("true"u8) || text.SequenceEqual("True"u8) || text.SequenceEqual("TRUE"u8)
                || text.SequenceEqual("1"u8):
                slot.Set(1L);
                return Faults.None;
            case FieldType.Bool when text.SequenceEqual("false"u8) || text.SequenceEqual("False"u8) || text.SequenceEqual("FALSE"u8)
                || text.SequenceEqual("0"u8):
                slot.Set(0L);
                return Faults.None;
            default:
                return Faults.WrongType;
        }
    }

    public static Faults FromLong(Target target, long value, ref FieldValue slot, ScratchBuffer scratch)
    {
        if (target.Natural || target.Type == FieldType.Int)
        {
            slot.Set(value);
            return Faults.None;
        }
        switch (target.Type)
        {
            case FieldType.Double:
                slot.Set((double)value);
                return Faults.None;
            case FieldType.Decimal when DecimalMath.TryRescale(value, 0, target.Scale, out var unscaled, out _):
                slot.Set(unscaled);
                return Faults.None;
            case FieldType.Timestamp when target.Time.TryNumber(value, out var ms):
                slot.Set(ms);
                return Faults.None;
            case FieldType.Bool when value is 0 or 1:
                slot.Set(value);
                return Faults.None;
            case FieldType.String:
                var start = scratch.Take(20, out var buffer);
                Utf8Formatter.TryFormat(value, buffer.AsSpan(start, 20), out var length);
                slot.Set(buffer, start, length);
                return Faults.None;
            default:
                return Faults.WrongType;
        }
    }

    public static Faults FromDouble(Target target, double value, ref FieldValue slot, ScratchBuffer scratch)
    {
        if (!double.IsFinite(value)) return Faults.WrongType;
        if (target.Natural || target.Type == FieldType.Double)
        {
            slot.Set(value);
            return Faults.None;
        }
        switch (target.Type)
        {
            case FieldType.Decimal when DecimalMath.TryFromDouble(value, target.Scale, out var unscaled):
                slot.Set(unscaled);
                return Faults.None;
            case FieldType.Int when value == Math.Floor(value) && DecimalMath.TryFromDouble(value, 0, out var number):
                slot.Set(number);
                return Faults.None;
            case FieldType.Timestamp when target.Time.TryNumber(value, out var ms):
                slot.Set(ms);
                return Faults.None;
            case FieldType.String:
                var start = scratch.Take(32, out var buffer);
                if (!value.TryFormat(buffer.AsSpan(start, 32), out var length, default, CultureInfo.InvariantCulture))
                    return Faults.WrongType;
                slot.Set(buffer, start, length);
                return Faults.None;
            default:
                return Faults.WrongType;
        }
    }

    public static Faults FromBool(Target target, bool value, ref FieldValue slot)
    {
        if (target.Natural || target.Type == FieldType.Bool) slot.Set(value ? 1L : 0L);
        else if (target.Type == FieldType.String) slot.Set(value ? True : False, 0, value ? 4 : 5);
        else return Faults.WrongType;
        return Faults.None;
    }

    /// <summary>From Avro's decimal: big-endian two's complement, with a scale.</summary>
    public static Faults FromDecimal(Target target, ReadOnlySpan<byte> bytes, int scale, ref FieldValue slot)
    {
        if (!DecimalMath.TryBigEndian(bytes, out var unscaled)) return Faults.WrongType;
        var exact = true;
        switch (target.Type)
        {
            case FieldType.Double:
                slot.Set((double)unscaled / Math.Pow(10, scale));
                return Faults.None;
            case FieldType.Decimal when DecimalMath.TryRescale(unscaled, scale, target.Scale, out var value, out _):
                slot.Set(value);
                return Faults.None;
            case FieldType.Int when DecimalMath.TryRescale(unscaled, scale, 0, out var value, out exact) && exact:
                slot.Set(value);
                return Faults.None;
            default:
                return Faults.WrongType;
        }
    }
}
