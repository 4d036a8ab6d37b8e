using System.Globalization;

namespace StreamEngine.Configuration;

/// <summary>
/// Numbers: fixed point in 64 bits, from text, from another scale, from big-endian bytes; and floating point from text. One grammar for
/// all: sign, digits, point, exponent, in ASCII. Fixed point rounds half to even and says where digits were lost.
/// </summary>
internal static class DecimalMath
{
    /// <summary>
    /// The most digits after the point of a declared field: 2^63 units are then 9.2 billion, so every ordinary amount of money fits.
    /// </summary>
    public const int MaxScale = 9;
    private static readonly UInt128[] Pow10 = Powers();

    /// <summary>10^n as a double.</summary>
    public static double Unit(int n) => (double)Pow10[n];

    /// <summary>
    /// Reads a decimal number (sign, digits, point, exponent) as an unscaled integer; false where it is no number or does not fit 64 bits.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> text, int scale, out long value, out bool exact)
    {
        value = 0;
        exact = true;
        var i = 0;
        var negative = text.Length > 0 && text[0] == '-';
        if (negative || text.Length > 0 && text[0] == '+') i++;
        UInt128 digits = 0;
        int exponent = scale, count = 0;
        bool point = false, lost = false;
        for (; i < text.Length; i++)
        {
            var d = text[i] - '0';
            if (text[i] == '.' && !point) point = true;
            else if ((uint)d > 9) break;
            else
            {
                count++;
                if (digits < Pow10[37])
                {
                    digits = digits * 10 + (uint)d;
                    if (point) exponent--;
                }
                else
                {
                    lost |= d != 0;
                    if (!point) exponent++;
                }
            }
        }
        if (count == 0) return false;
        if (i < text.Length && !TryExponent(text[i..], ref exponent)) return false;
        return TryShift(digits, negative, exponent, lost, out value, out exact);
    }

    /// <summary>Reads a decimal number in floating point; false where it is no number or is past the largest.</summary>
    public static bool TryDouble(ReadOnlySpan<byte> text, out double value)
    {
        value = 0;
        const NumberStyles Style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        // The runtime would also take Infinity, NaN, and a number with zero bytes behind it: none of them ends like a number.
        return text.Length > 0 && (char.IsAsciiDigit((char)text[^1]) || text[^1] == '.')
            && double.TryParse(text, Style, CultureInfo.InvariantCulture, out value) && double.IsFinite(value);
    }

    /// <summary>An unscaled integer at another scale; false where it does not fit.</summary>
    public static bool TryRescale(Int128 unscaled, int from, int to, out long value, out bool exact) =>
        TryShift((UInt128)(unscaled < 0 ? -unscaled : unscaled), unscaled < 0, to - from, false, out value, out exact);

    /// <summary>A floating-point number times 10^scale, in double precision, rounded half to even; false where it does not fit.</summary>
    public static bool TryFromDouble(double number, int scale, out long value)
    {
        var scaled = Math.Round(number * (double)Pow10[scale], MidpointRounding.ToEven);
        var fits = scaled is >= -9.2233720368547758e18 and < 9.2233720368547758e18;
        value = fits ? (long)scaled : 0;
        return fits;
    }

    /// <summary>Reads a big-endian two's complement; false where it has more than 127 bits.</summary>
    public static bool TryBigEndian(ReadOnlySpan<byte> bytes, out Int128 value)
    {
        value = 0;
        if (bytes.Length == 0) return true;
        var sign = (sbyte)bytes[0] < 0 ? (byte)0xff : (byte)0;
        while (bytes.Length > 15 && bytes[0] == sign) bytes = bytes[1..];
        if (bytes.Length > 15) return false;
        value = sign == 0 ? 0 : -1;
        foreach (var b in bytes) value = value << 8 | b;
        return true;
    }

    private static bool TryExponent(ReadOnlySpan<byte> text, ref int exponent)
    {
        if ((text[0] | 0x20) != 'e') return false;
        text = text[1..];
        var negative = text.Length > 0 && text[0] == '-';
        if (negative || text.Length > 0 && text[0] == '+') text = text[1..];
        if (text.Length == 0) return false;
        var n = 0;
        foreach (var c in text)
        {
            if ((uint)(c - '0') > 9) return false;
            n = Math.Min(n * 10 + c - '0', 10_000);
        }
        exponent += negative ? -n : n;
        return true;
    }

    private static bool TryShift(UInt128 digits, bool negative, int shift, bool lost, out long value, out bool exact)
    {
        value = 0;
        exact = !lost;
        if (digits == 0) return true;
        if (shift < -38)
        {
            exact = false;
            return true;
        }
        if (shift < 0)
        {
            var unit = Pow10[-shift];
            var (quotient, rest) = UInt128.DivRem(digits, unit);
            exact &= rest == 0;
            if (rest > unit / 2 || rest == unit / 2 && (lost || UInt128.IsOddInteger(quotient))) quotient++;
            digits = quotient;
        }
        else if (shift > 18 || digits > (UInt128)long.MaxValue + 1 || (digits *= Pow10[shift]) > (UInt128)long.MaxValue + 1)
        {
            return false;
        }
        if (digits > (UInt128)long.MaxValue + (negative ? 1u : 0u)) return false;
        value = negative ? (long)-(Int128)digits : (long)digits;
        return true;
    }

    private static UInt128[] Powers()
    {
        var powers = new UInt128[39];
        powers[0] = 1;
        for (var i = 1; i < powers.Length; i++) powers[i] = powers[i - 1] * 10;
        return powers;
    }
}
