using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using StreamEngine.Events;

namespace StreamEngine.Features;

/// <summary>What a column keeps in each of its cells.</summary>
internal enum ColumnKind
{
    /// <summary>How many events, uint32; stops at the largest.</summary>
    Count,

    /// <summary>A sum in units of the scale (<see cref="UnitSum"/>), exact in any order up to 2^62.</summary>
    FixedSum,

    /// <summary>A sum in double precision.</summary>
    DoubleSum,

    /// <summary>The smallest value; +infinity where there is none.</summary>
    Min,

    /// <summary>The largest value; -infinity where there is none.</summary>
    Max,

    /// <summary>The earliest <see cref="Moment"/>; its time is <see cref="long.MaxValue"/> where there is none.</summary>
    First,

    /// <summary>The latest <see cref="Moment"/>; its time is <see cref="long.MinValue"/> where there is none.</summary>
    Last,

    /// <summary>The two latest events; life time only.</summary>
    LatestTwo,

    /// <summary>The earliest event's time; <see cref="long.MaxValue"/> where there is none; life time only.</summary>
    FirstTime,

    /// <summary>The distinct UTC days; life time only.</summary>
    Days,
}

/// <summary>
/// One aggregate over some of the events, with a cell per row of its window (a pane, a session fragment, or the whole life time). Cells of
/// one column stand side by side. Every change is commutative and every cell can be merged with another: that is why the order of arrival
/// doesn't matter.
/// </summary>
/// <param name="Kind">What a cell keeps.</param>
/// <param name="Input">Which events and which operand, an index into the evaluated inputs.</param>
/// <param name="Offset">Where row 0 begins in the profile.</param>
internal readonly record struct Column(ColumnKind Kind, int Input, int Offset)
{
    /// <summary>Bytes of a cell.</summary>
    public static int Width(ColumnKind kind) => kind switch
    {
        ColumnKind.Count => sizeof(uint),
        ColumnKind.First or ColumnKind.Last or ColumnKind.Days => 24,
        ColumnKind.LatestTwo => 32,
        _ => sizeof(long),
    };

    /// <summary>The cell of a row.</summary>
    public ref T Cell<T>(ref byte profile, int row) where T : unmanaged => ref Cells.At<T>(ref profile, Offset + row * Unsafe.SizeOf<T>());

    /// <summary>Takes an event into a row.</summary>
    public void Add(ref byte profile, int row, in InputValue input, Event e)
    {
        switch (Kind)
        {
            case ColumnKind.Count:
                AddCount(ref Cell<uint>(ref profile, row), 1);
                break;
            case ColumnKind.FixedSum:
                UnitSum.Add(ref Cell<long>(ref profile, row), input.Fixed);
                break;
            case ColumnKind.DoubleSum:
                Cell<double>(ref profile, row) += input.Value;
                break;
            case ColumnKind.Min:
            case ColumnKind.Max:
                AddExtreme(ref Cell<double>(ref profile, row), input.Value);
                break;
            case ColumnKind.First:
            case ColumnKind.Last:
                AddMoment(ref Cell<Moment>(ref profile, row), new Moment { Time = e.Time, Id = e.IdHash, Value = input.Value });
                break;
            case ColumnKind.LatestTwo:
                Cell<LatestTwo>(ref profile, row).Add(e.Time, e.IdHash);
                break;
            case ColumnKind.FirstTime:
                ref var first = ref Cell<long>(ref profile, row);
                if (e.Time < first) first = e.Time;
                break;
            case ColumnKind.Days:
                Cell<DaySet>(ref profile, row).Add(Panes.Of(e.Time, Panes.DayMs));
                break;
        }
    }

    /// <summary>Takes all events of one row into another; for the columns that windows can have.</summary>
    public void Merge(ref byte profile, int into, int from)
    {
        switch (Kind)
        {
            case ColumnKind.Count:
                AddCount(ref Cell<uint>(ref profile, into), Cell<uint>(ref profile, from));
                break;
            case ColumnKind.FixedSum:
                UnitSum.Merge(ref Cell<long>(ref profile, into), Cell<long>(ref profile, from));
                break;
            case ColumnKind.DoubleSum:
                Cell<double>(ref profile, into) += Cell<double>(ref profile, from);
                break;
            case ColumnKind.Min:
            case ColumnKind.Max:
                AddExtreme(ref Cell<double>(ref profile, into), Cell<double>(ref profile, from));
                break;
            case ColumnKind.First:
            case ColumnKind.Last:
                AddMoment(ref Cell<Moment>(ref profile, into), Cell<Moment>(ref profile, from));
                break;
            default:
                throw new InvalidOperationException($"a window has no column of kind {Kind}");
        }
    }

    /// <summary>Empties rows.</summary>
    public void Clear(ref byte profile, int row, int count)
    {
        switch (Kind)
        {
            case ColumnKind.Count:
                MemoryMarshal.CreateSpan(ref Cell<uint>(ref profile, row), count).Clear();
                break;
            case ColumnKind.FixedSum:
            case ColumnKind.DoubleSum:
                MemoryMarshal.CreateSpan(ref Cell<long>(ref profile, row), count).Clear();
                break;
            case ColumnKind.Min:
            case ColumnKind.Max:
                MemoryMarshal.CreateSpan(ref Cell<double>(ref profile, row), count)
                    .Fill(Kind == ColumnKind.Min ? double.PositiveInfinity : double.NegativeInfinity);
                break;
            case ColumnKind.First:
            case ColumnKind.Last:
                MemoryMarshal.CreateSpan(ref Cell<Moment>(ref profile, row), count)
                    .Fill(new Moment { Time = Kind == ColumnKind.First ? long.MaxValue : long.MinValue });
                break;
            case ColumnKind.LatestTwo:
                MemoryMarshal.CreateSpan(ref Cell<LatestTwo>(ref profile, row), count)
                    .Fill(new LatestTwo { Time = long.MinValue, EarlierTime = long.MinValue });
                break;
            case ColumnKind.FirstTime:
                MemoryMarshal.CreateSpan(ref Cell<long>(ref profile, row), count).Fill(long.MaxValue);
                break;
            case ColumnKind.Days:
                MemoryMarshal.CreateSpan(ref Cell<DaySet>(ref profile, row), count).Clear();
                break;
        }
    }

    /// <summary>A count that would wrap stops at the largest instead.</summary>
    private static void AddCount(ref uint cell, uint events) => cell = events <= uint.MaxValue - cell ? cell + events : uint.MaxValue;

    private void AddExtreme(ref double cell, double value)
    {
        if (Kind == ColumnKind.Min ? value < cell : value > cell) cell = value;
    }

    private void AddMoment(ref Moment cell, in Moment other)
    {
        if (Kind == ColumnKind.First ? other.Before(cell) : cell.Before(other)) cell = other;
    }
}
