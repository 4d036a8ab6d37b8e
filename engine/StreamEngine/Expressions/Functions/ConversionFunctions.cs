using System.Buffers.Text;
using System.Globalization;

namespace StreamEngine.Expressions.Functions;

/// <summary>Conversions between types. What can't be converted is an evaluation error with the zero of the type.</summary>
internal static class ConversionFunctions
{
    private const string NotANumber = "the text is not a number";

    [Cel("int")]
    public static long Int(long value) => value;

    [Cel("int")]
    public static long Int(double value) => ExprOps.ToInt(value);

    [Cel("int")]
    public static long Int(ReadOnlySpan<byte> text)
    {
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)) return value;
        ExprFault.Raise(NotANumber);
        return 0;
    }

    /// <summary>Whole seconds since 1970-01-01 UTC.</summary>
    [Cel("int")]
    public static long Int(DateTime time) => (long)Math.Floor((decimal)(time.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerSecond);

    [Cel("double")]
    public static double Double(double value) => value;

    [Cel("double")]
    public static double Double(long value) => value;

    [Cel("double")]
    public static double Double(ReadOnlySpan<byte> text)
    {
        const NumberStyles Style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        var known = double.TryParse(text, Style, CultureInfo.InvariantCulture, out var value);
        // Digits that are too large for a double are an error; written out, infinity is a value.
        var written = double.IsNaN(value) ? text.Length == 3 : double.IsFinite(value) || !text.ContainsAnyInRange((byte)'0', (byte)'9');
        if (known && written) return value;
        ExprFault.Raise(NotANumber);
        return 0;
    }

    [Cel("bool")]
    public static bool Bool(bool value) => value;

    [Cel("bool")]
    public static bool Bool(ReadOnlySpan<byte> text)
    {
        if (text.SequenceEqual("true"u8) || text.SequenceEqual("True"u8) || text.SequenceEqual("TRUE"u8) || text.SequenceEqual("t"u8)
            || text.SequenceEqual("1"u8)) return true;
        if (!(text.SequenceEqual("false"u8) || text.SequenceEqual("False"u8) || text.SequenceEqual("FALSE"u8) || text.SequenceEqual("f"u8)
            || text.SequenceEqual("0"u8))) ExprFault.Raise("the text is not a bool");
        return false;
    }

    [Cel("string")]
    public static ReadOnlySpan<byte> String(ReadOnlySpan<byte> text) => text;

    [Cel("string")]
    public static ReadOnlySpan<byte> String(bool value) => value ? "true"u8 : "false"u8;

    [Cel("string")]
    public static ReadOnlySpan<byte> String(long value)
    {
        var text = Scratch.Text(20);
        Utf8Formatter.TryFormat(value, text, out var length);
        return text[..length];
    }

    /// <summary>
    /// The shortest digits that give the double back, with an exponent below 1e-4 and from 1e21 on.
    /// </summary>
    [Cel("string")]
    public static ReadOnlySpan<byte> String(double value)
    {
        if (double.IsInfinity(value)) return value > 0 ? "+Inf"u8 : "-Inf"u8;
        if (double.IsNaN(value)) return "NaN"u8;
        Span<byte> shortest = stackalloc byte[32];
        value.TryFormat(shortest, out var length, "R", CultureInfo.InvariantCulture);
        return Plain(shortest[..length]);
    }

    /// <summary>A time of RFC 3339, in UTC, with as many digits of the second as it has.</summary>
    [Cel("string")]
    public static ReadOnlySpan<byte> String(DateTime time)
    {
        var text = Scratch.Text(28);
        time.TryFormat(text, out var length, "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture);
        text[length++] = (byte)'Z';
        return text[..length];
    }

    /// <summary>Seconds with their fraction: <c>5400s</c>, <c>0.25s</c>.</summary>
    [Cel("string")]
    public static ReadOnlySpan<byte> String(TimeSpan duration)
    {
        var text = Scratch.Text(32);
        var seconds = (decimal)duration.Ticks / TimeSpan.TicksPerSecond;
        seconds.TryFormat(text, out var length, "0.#######", CultureInfo.InvariantCulture);
        text[length++] = (byte)'s';
        return text[..length];
    }

    /// <summary>From .NET's shortest form (1E+16) to the one of CEL (10000000000000000).</summary>
    private static ReadOnlySpan<byte> Plain(scoped ReadOnlySpan<byte> shortest)
    {
        var negative = shortest[0] == '-';
        if (negative) shortest = shortest[1..];
        var e = shortest.IndexOf((byte)'E');
        var exponent = e < 0 ? 0 : int.Parse(shortest[(e + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var mantissa = e < 0 ? shortest : shortest[..e];
        Span<byte> digits = stackalloc byte[32];
        var (count, point) = (0, -1);
        foreach (var b in mantissa)
            if (b == '.') point = count;
            else digits[count++] = b;
        // The point stands behind this many of the digits.
        point = (point < 0 ? count : point) + exponent;
        var zeros = 0;
        while (zeros < count - 1 && digits[zeros] == '0') zeros++;
        var used = digits[zeros..count].TrimEnd((byte)'0');
        point -= zeros;
        if (used.IsEmpty)
        {
            used = digits[..1];
            point = 1;
        }
        return Written(used, point, negative);
    }

    private static ReadOnlySpan<byte> Written(scoped ReadOnlySpan<byte> digits, int point, bool negative)
    {
        var text = Scratch.Text(48);
        var to = 0;
        if (negative) text[to++] = (byte)'-';
        var exponent = point - 1;
        if (exponent is < -4 or >= 21)
        {
            text[to++] = digits[0];
            if (digits.Length > 1) text[to++] = (byte)'.';
            digits[1..].CopyTo(text[to..]);
            to += digits.Length - 1;
            text[to++] = (byte)'e';
            text[to++] = (byte)(exponent < 0 ? '-' : '+');
            Math.Abs(exponent).TryFormat(text[to..], out var length, "00", CultureInfo.InvariantCulture);
            return text[..(to + length)];
        }
        if (point <= 0)
        {
            "0."u8.CopyTo(text[to..]);
            to += 2;
        }
        for (var i = Math.Min(point, 0); i < Math.Max(digits.Length, point); i++)
        {
            if (i == point && i > 0) text[to++] = (byte)'.';
            text[to++] = i >= 0 && i < digits.Length ? digits[i] : (byte)'0';
        }
        return text[..to];
    }
}
