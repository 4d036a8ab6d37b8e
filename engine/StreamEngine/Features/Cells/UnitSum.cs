namespace StreamEngine.Features;

/// <summary>
/// A sum in units of the scale that can't wrap, in a cell of 64 bits. Below 2^62 the cell is the sum as an integer: exact in any order.
/// From there on the sum goes on in floating point, and the cell holds the bits of that double, negated for a negative sum: the bits of
/// every double from 2 on, read as an integer, are 2^62 or more, so the two forms can't be taken for one another.
/// </summary>
internal static class UnitSum
{
    private const long Limit = 1L << 62;

    /// <summary>Adds a value in units.</summary>
    public static void Add(ref long cell, long value)
    {
        if (IsInteger(cell) && IsInteger(value)) Store(ref cell, cell + value);
        else Store(ref cell, Value(cell) + value);
    }

    /// <summary>Adds another cell's sum.</summary>
    public static void Merge(ref long cell, long other)
    {
        if (IsInteger(other)) Add(ref cell, other);
        else Store(ref cell, Value(cell) + Value(other));
    }

    /// <summary>The sum in units.</summary>
    public static double Value(long cell) => IsInteger(cell) ? cell
        : cell > 0 ? BitConverter.Int64BitsToDouble(cell) : -BitConverter.Int64BitsToDouble(-cell);

    private static bool IsInteger(long cell) => cell is > -Limit and < Limit;

    private static void Store(ref long cell, long sum)
    {
        if (IsInteger(sum)) cell = sum;
        else Store(ref cell, (double)sum);
    }

    private static void Store(ref long cell, double sum)
    {
        // A double is turned into an integer again only where no digit can be lost.
        if (sum is > -Limit and < Limit) cell = (long)Math.Round(sum);
        else cell = sum > 0 ? BitConverter.DoubleToInt64Bits(sum) : -BitConverter.DoubleToInt64Bits(-sum);
    }
}
