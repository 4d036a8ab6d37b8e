using System.Numerics;
using System.Runtime.CompilerServices;
using StreamEngine.Events;

namespace StreamEngine.Features;

/// <summary>How many events, uint32; stops at the largest.</summary>
internal struct CountCell : ICell<CountCell>
{
    private uint _events;

    public static void Clear(Span<CountCell> cells) => cells.Clear();

    public static void Add(ref CountCell cell, in Column column, in InputValue input, Event e) => Add(ref cell, 1);

    public static void Merge(ref CountCell cell, in Column column, in CountCell other) => Add(ref cell, other._events);

    public static double Read(ref byte profile, in Column column, CellPart part, in RowRange rows)
    {
        var events = rows.IsOne ? column.Cell<uint>(ref profile, rows.Start) : Sum(ref profile, column, rows);
        return events > 0 ? events : double.NaN;
    }

    /// <summary>The sum over rows, past the largest count of a cell.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Sum(ref byte profile, in Column column, in RowRange rows)
    {
        var sum = Sum(ref column.Cell<uint>(ref profile, rows.Start), rows.Count);
        return rows.WrappedCount == 0 ? sum : sum + Sum(ref column.Cell<uint>(ref profile, 0), rows.WrappedCount);
    }

    private static long Sum(ref uint cells, int count)
    {
        var sum = 0L;
        var i = 0;
        if (count >= Vector<uint>.Count)
        {
            var lanes = Vector<ulong>.Zero;
            for (; i <= count - Vector<uint>.Count; i += Vector<uint>.Count)
            {
                Vector.Widen(Vector.LoadUnsafe(ref cells, (nuint)i), out var low, out var high);
                lanes += low + high;
            }
            sum = (long)Vector.Sum(lanes);
        }
        for (; i < count; i++) sum += Unsafe.Add(ref cells, i);
        return sum;
    }

    /// <summary>A count that would wrap stops at the largest instead.</summary>
    private static void Add(ref CountCell cell, uint events) =>
        cell._events = events <= uint.MaxValue - cell._events ? cell._events + events : uint.MaxValue;
}
