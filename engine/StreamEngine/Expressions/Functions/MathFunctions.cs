namespace StreamEngine.Expressions.Functions;

/// <summary>Functions of numbers: CEL's math extension, and a few of the engine's own that have no namespace.</summary>
internal static class MathFunctions
{
    [Cel("floor"), Cel("math.floor")]
    public static double Floor(double value) => Math.Floor(value);

    [Cel("ceil"), Cel("math.ceil")]
    public static double Ceil(double value) => Math.Ceiling(value);

    [Cel("round"), Cel("math.round")]
    public static double Round(double value) => Math.Round(value, MidpointRounding.AwayFromZero);

    [Cel("math.trunc")]
    public static double Trunc(double value) => Math.Truncate(value);

    [Cel("math.sqrt")]
    public static double Sqrt(double value) => Math.Sqrt(value);

    [Cel("log1p")]
    public static double Log1P(double value) => ExprOps.Log1P(value);

    [Cel("exp")]
    public static double Exp(double value) => Math.Exp(value);

    [Cel("abs")]
    public static long Abs(long value) => ExprOps.Abs(value);

    [Cel("math.abs")]
    public static long MathAbs(long value)
    {
        if (value == long.MinValue) ExprFault.Raise("the smallest int has no positive counterpart");
        return ExprOps.Abs(value);
    }

    [Cel("abs"), Cel("math.abs")]
    public static double Abs(double value) => Math.Abs(value);

    [Cel("math.sign")]
    public static long Sign(long value) => Math.Sign(value);

    [Cel("math.sign")]
    public static double Sign(double value) => double.IsNaN(value) ? value : Math.Sign(value);

    [Cel("math.isNaN")]
    public static bool IsNaN(double value) => double.IsNaN(value);

    [Cel("math.isInf")]
    public static bool IsInf(double value) => double.IsInfinity(value);

    [Cel("math.isFinite")]
    public static bool IsFinite(double value) => double.IsFinite(value);

    [Cel("math.bitAnd")]
    public static long BitAnd(long a, long b) => a & b;

    [Cel("math.bitOr")]
    public static long BitOr(long a, long b) => a | b;

    [Cel("math.bitXor")]
    public static long BitXor(long a, long b) => a ^ b;

    [Cel("math.bitNot")]
    public static long BitNot(long a) => ~a;

    [Cel("math.bitShiftLeft")]
    public static long BitShiftLeft(long a, long by)
    {
        if (by < 0) ExprFault.Raise("the shift is negative");
        return by is < 0 or > 63 ? 0 : a << (int)by;
    }

    /// <summary>Of negative ints implementations of CEL differ (-1 or a large int): an evaluation error.</summary>
    [Cel("math.bitShiftRight")]
    public static long BitShiftRight(long a, long by)
    {
        if (by < 0 || a < 0) ExprFault.Raise("the shift, or the int that is shifted, is negative");
        return by is < 0 or > 63 || a < 0 ? 0 : a >> (int)by;
    }
}
