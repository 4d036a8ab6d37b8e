using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using StreamEngine.Events;

namespace StreamEngine.Expressions;

/// <summary>
/// The operators of compiled expressions. No call throws or allocates: ints saturate, a division of ints by zero is 0.
/// </summary>
internal static class ExprOps
{
    public static long Add(long a, long b)
    {
        var sum = unchecked(a + b);
        // Overflow happened where both operands have one sign and the sum the other.
        return ((a ^ sum) & (b ^ sum)) < 0 ? Limit(a) : sum;
    }

    public static long Subtract(long a, long b)
    {
        var difference = unchecked(a - b);
        return ((a ^ b) & (a ^ difference)) < 0 ? Limit(a) : difference;
    }

    public static long Multiply(long a, long b)
    {
        var high = Math.BigMul(a, b, out var low);
        return high == low >> 63 ? low : Limit(a ^ b);
    }

    public static long Divide(long a, long b) => b switch
    {
        0 => ByZero(),
        -1 => Negate(a),
        _ => a / b,
    };

    /// <summary>The remainder, with the sign of <paramref name="a"/>.</summary>
    public static long Remainder(long a, long b) => b switch
    {
        0 => ByZero(),
        -1 => 0,
        _ => a % b,
    };

    public static long Negate(long a) => a == long.MinValue ? long.MaxValue : -a;

    public static long Abs(long a) => a < 0 ? Negate(a) : a;

    /// <summary>Cuts the fraction off; beyond the range the nearest end of it, NaN is 0.</summary>
    public static long ToInt(double a) =>
        double.IsNaN(a) ? 0 : a >= 9223372036854775808.0 ? long.MaxValue : a < -9223372036854775808.0 ? long.MinValue : (long)a;

    /// <summary>ln(1 + a) that keeps its digits where a is small: Kahan's correction of the rounding of 1 + a.</summary>
    public static double Log1P(double a)
    {
        var u = 1 + a;
        if (u == 1) return a;
        return double.IsPositiveInfinity(u) ? u : Math.Log(u) * (a / (u - 1));
    }

    /// <summary>Compares on the number line, without rounding the int; 2 where the double is NaN (true of no relation but !=).</summary>
    public static int Compare(long a, double b)
    {
        if (double.IsNaN(b)) return 2;
        if (b >= 9223372036854775808.0) return -1;
        if (b < -9223372036854775808.0) return 1;
        var whole = (long)b;
        return a != whole ? a.CompareTo(whole) : (b - whole) switch { > 0 => -1, < 0 => 1, _ => 0 };
    }

    public static ReadOnlySpan<byte> Text(byte[] literal) => literal;

    public static ReadOnlySpan<byte> Text(ref FieldValue field) => field.Text;

    public static bool IsText(ref FieldValue field, byte[] literal) => field.Length == literal.Length && field.Text.SequenceEqual(literal);

    /// <summary>A text of 8 to 16 bytes, by its first and its last 8: they may overlap.</summary>
    public static bool IsText(ref FieldValue field, int length, ulong head, ulong tail)
    {
        if (field.Length != length) return false;
        ref var first = ref First(ref field, length);
        return Unsafe.ReadUnaligned<ulong>(ref first) == head
            && Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref first, length - sizeof(ulong))) == tail;
    }

    /// <summary>A text of 4 to 7 bytes, by its first and its last 4.</summary>
    public static bool IsText(ref FieldValue field, int length, uint head, uint tail)
    {
        if (field.Length != length) return false;
        ref var first = ref First(ref field, length);
        return Unsafe.ReadUnaligned<uint>(ref first) == head
            && Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref first, length - sizeof(uint))) == tail;
    }

    /// <summary>
    /// Where a text begins, checked once for all of its bytes: two checked slices would take as long again as the comparison.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref byte First(ref FieldValue field, int length)
    {
        var buffer = field.Buffer!;
        if ((uint)field.Start + (ulong)(uint)length > (uint)buffer.Length) throw new ArgumentOutOfRangeException(nameof(field));
        return ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(buffer), field.Start);
    }

    public static bool Same(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b) => a.SequenceEqual(b);

    public static int Compare(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b) => a.SequenceCompareTo(b);

    public static bool In(ReadOnlySpan<byte> a, byte[][] list)
    {
        foreach (var item in list)
            if (a.SequenceEqual(item)) return true;
        return false;
    }

    public static bool In(long a, long[] list) => list.AsSpan().Contains(a);

    public static bool In(double a, double[] list)
    {
        foreach (var item in list)
            if (a == item) return true;
        return false;
    }

    public static bool In(bool a, bool[] list) => list.AsSpan().Contains(a);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long ByZero()
    {
        ExprFault.Raise("division of an int by zero");
        return 0;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Limit(long sign) => sign < 0 ? long.MinValue : long.MaxValue;
}
