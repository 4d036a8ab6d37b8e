namespace StreamEngine.Decisions;

/// <summary>
/// Logarithm and exponential function made of additions, multiplications and divisions, which IEEE 754 fixes to the last bit. Those of the
/// C library differ in the last digit from system to system, and with them what a sample draws.
/// </summary>
internal static class PortableMath
{
    /// <summary>The natural logarithm of 2.</summary>
    public const double Ln2 = 0.6931471805599453;

    // The same in two parts: a multiple of the first by an exponent is exact.
    private const double Ln2High = 6.93147180369123816490e-01, Ln2Low = 1.90821492927058770002e-10;
    private const double Sqrt2 = 1.4142135623730951;
    private const long Mantissa = 0x000F_FFFF_FFFF_FFFF, One = 0x3FF0_0000_0000_0000;

    /// <summary>The natural logarithm of a positive, normal number.</summary>
    public static double Log(double x)
    {
        var bits = BitConverter.DoubleToInt64Bits(x);
        var exponent = (int)(bits >> 52) - 1_023;
        var m = BitConverter.Int64BitsToDouble(bits & Mantissa | One);
        if (m > Sqrt2)
        {
            m *= 0.5;
            exponent++;
        }
        // log m = 2 (s + s^3 / 3 + s^5 / 5 + ...), of which the terms from s^25 on are below the last bit.
        var s = (m - 1) / (m + 1);
        var z = s * s;
        var sum = 1.0 / 23;
        for (var n = 21; n >= 1; n -= 2) sum = sum * z + Reciprocal[n];
        return exponent * Ln2High + (2 * s * sum + exponent * Ln2Low);
    }

    /// <summary>e to the power of x; 0 where that is below the smallest normal number.</summary>
    public static double Exp(double x)
    {
        if (x < -708) return 0;
        if (x > 709) return double.PositiveInfinity;
        var k = Math.Round(x / Ln2);
        var r = x - k * Ln2High - k * Ln2Low;   // at most half of ln 2
        var sum = 1.0;
        for (var n = 14; n >= 1; n--) sum = sum * r * Reciprocal[n] + 1;
        return Math.ScaleB(sum, (int)k);
    }

    /// <summary>1 / n.</summary>
    private static ReadOnlySpan<double> Reciprocal =>
    [
        0, 1, 1.0 / 2, 1.0 / 3, 1.0 / 4, 1.0 / 5, 1.0 / 6, 1.0 / 7, 1.0 / 8, 1.0 / 9, 1.0 / 10, 1.0 / 11, 1.0 / 12, 1.0 / 13, 1.0 / 14,
        1.0 / 15, 1.0 / 16, 1.0 / 17, 1.0 / 18, 1.0 / 19, 1.0 / 20, 1.0 / 21,
    ];
}
