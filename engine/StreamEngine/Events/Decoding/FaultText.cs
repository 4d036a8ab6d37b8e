using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace StreamEngine.Events.Decoding;

/// <summary>
/// Says in words what a decoder found: the field, how its value begins, and what was expected. For rejected records only. No value of
/// personal data comes here: none is read.
/// </summary>
internal static class FaultText
{
    /// <summary>Bytes of a value that are shown.</summary>
    private const int MostShown = 40;

    /// <summary>Writes the text; returns its length in bytes, 0 where it does not fit.</summary>
    /// <param name="fault">What was found.</param>
    /// <param name="target">What the value was meant for, where it is known.</param>
    /// <param name="output">Takes UTF-8.</param>
    public static int Write(in RecordFault fault, Target? target, Span<byte> output)
    {
        var path = fault.Path ?? target?.Path ?? "";
        Span<byte> shown = stackalloc byte[6 * MostShown];
        var value = (ReadOnlySpan<byte>)shown[..Shown(fault, shown)];
        var expected = target is null ? "" : Expected(target);
        var i = CultureInfo.InvariantCulture;
        var length = 0;
        _ = fault.Kind switch
        {
            FaultKind.Text or FaultKind.Integer or FaultKind.Floating or FaultKind.Flag =>
                Utf8.TryWrite(output, i, $"field '{path}': '{value}' is not {expected}", out length),
            FaultKind.Structure => Utf8.TryWrite(output, i,
                $"field '{path}': the value has another type than the declared {expected}", out length),
            FaultKind.Utf8 => Utf8.TryWrite(output, i, $"field '{path}': '{value}' is not UTF-8", out length),
            FaultKind.Empty => Utf8.TryWrite(output, i, $"the record is empty", out length),
            FaultKind.NoObject => Utf8.TryWrite(output, i, $"the record is not one JSON object", out length),
            FaultKind.Syntax => Utf8.TryWrite(output, i, $"no JSON from byte {fault.Number} on", out length),
            FaultKind.Deep => Utf8.TryWrite(output, i, $"JSON is nested deeper than {fault.Limit} levels", out length),
            FaultKind.Fields => Utf8.TryWrite(output, i,
                $"the line has {fault.Number} fields, there are {fault.Limit} columns", out length),
            FaultKind.Quote => Utf8.TryWrite(output, i,
                $"the quote of field {fault.Number} is not closed, or has text behind it", out length),
            FaultKind.Bytes => Utf8.TryWrite(output, i, $"the Avro bytes end early, go on behind the value, or can't be right", out length),
            FaultKind.Frame => Utf8.TryWrite(output, i, $"the record has no frame of the kind that the config says", out length),
            FaultKind.SchemaId => Utf8.TryWrite(output, i,
                $"schema id {fault.Number} is not known, or can't be read as the source's", out length),
            FaultKind.Fingerprint => Utf8.TryWrite(output, i,
                $"schema fingerprint {fault.Number:x16} is not known, or can't be read as the source's", out length),
            FaultKind.Items => Utf8.TryWrite(output, i, $"field '{path}': the list has more than {fault.Limit} items", out length),
            _ => true,
        };
        return length;
    }

    /// <summary>How a value begins, with what can't be printed as escapes.</summary>
    public static string Show(ReadOnlySpan<byte> text)
    {
        Span<byte> shown = stackalloc byte[6 * MostShown];
        return Encoding.UTF8.GetString(shown[..Shown(text, shown)]);
    }

    private static string Expected(Target target) => target.Type switch
    {
        FieldType.Decimal => $"a decimal number of 64 bits with {target.Scale} digits after the "
            + $"{(target.Rules is { Comma: true } ? "comma" : "point")}",
        FieldType.Int => "a whole number of 64 bits",
        FieldType.Double => "a finite number",
        FieldType.Bool => "true or false",
        FieldType.Timestamp => $"a time written as {target.Time}",
        _ => "a text",
    };

    /// <summary>The value's start: a text up to 40 bytes, what can't be printed as escapes.</summary>
    private static int Shown(in RecordFault fault, Span<byte> to)
    {
        var length = 0;
        if (fault.Kind == FaultKind.Integer) _ = Utf8.TryWrite(to, CultureInfo.InvariantCulture, $"{fault.Number}", out length);
        if (fault.Kind == FaultKind.Flag) _ = Utf8.TryWrite(to, $"{(fault.Number == 0 ? "false" : "true")}", out length);
        if (fault.Kind == FaultKind.Floating)
            _ = Utf8.TryWrite(to, CultureInfo.InvariantCulture, $"{BitConverter.Int64BitsToDouble(fault.Number)}", out length);
        return fault.Kind is FaultKind.Text or FaultKind.Utf8 ? Shown(fault.Value.Text, to) : length;
    }

    private static int Shown(ReadOnlySpan<byte> text, Span<byte> to)
    {
        var length = 0;
        for (var at = 0; at < text.Length && at < MostShown;)
        {
            var ok = Rune.DecodeFromUtf8(text[at..], out var rune, out var used) == System.Buffers.OperationStatus.Done;
            if (ok && !Rune.IsControl(rune)) length += rune.EncodeToUtf8(to[length..]);
            else
                for (var i = at; i < at + used; i++)
                {
                    _ = Utf8.TryWrite(to[length..], CultureInfo.InvariantCulture, $"\\x{text[i]:x2}", out var escape);
                    length += escape;
                }
            at += used;
        }
        return text.Length > MostShown ? length + Copy("..."u8, to[length..]) : length;
    }

    private static int Copy(ReadOnlySpan<byte> from, Span<byte> to)
    {
        from = from[..Math.Min(from.Length, to.Length)];
        from.CopyTo(to);
        return from.Length;
    }
}
