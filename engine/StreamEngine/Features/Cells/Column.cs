using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using StreamEngine.Events;

namespace StreamEngine.Features;

/// <summary>What a column keeps in each of its cells; the names stand in the layout, so they are never changed.</summary>
internal enum ColumnKind
{
    /// <inheritdoc cref="CountCell"/>
    Count,

    /// <inheritdoc cref="FixedSumCell"/>
    FixedSum,

    /// <inheritdoc cref="DoubleSumCell"/>
    DoubleSum,

    /// <inheritdoc cref="MinCell"/>
    Min,

    /// <inheritdoc cref="MaxCell"/>
    Max,

    /// <inheritdoc cref="FirstCell"/>
    First,

    /// <inheritdoc cref="LastCell"/>
    Last,

    /// <inheritdoc cref="LatestTwoCell"/>
    LatestTwo,

    /// <inheritdoc cref="FirstTimeCell"/>
    FirstTime,

    /// <inheritdoc cref="DaysCell"/>
    Days,

    /// <inheritdoc cref="VarianceCell"/>
    Variance,

    /// <inheritdoc cref="FixedVarianceCell"/>
    FixedVariance,

    /// <inheritdoc cref="DecayedSumCell"/>
    DecayedSum,

    /// <inheritdoc cref="DecayedMeanCell"/>
    DecayedMean,

    /// <inheritdoc cref="StreakCell"/>
    Streak,

    /// <inheritdoc cref="RepeatCell{TSum}"/>
    RepeatFixedSum,

    /// <inheritdoc cref="RepeatCell{TSum}"/>
    RepeatDoubleSum,

    /// <inheritdoc cref="DistinctCell"/>
    Distinct,

    /// <inheritdoc cref="QuantileCell"/>
    Quantile,

    /// <inheritdoc cref="TextMomentCell{TEnd}"/>
    FirstText,

    /// <inheritdoc cref="TextMomentCell{TEnd}"/>
    LastText,

    /// <inheritdoc cref="TopCell{TSlots}"/>
    Top8,

    /// <inheritdoc cref="TopCell{TSlots}"/>
    Top16,

    /// <inheritdoc cref="TopCell{TSlots}"/>
    Top32,

    /// <inheritdoc cref="TopCell{TSlots}"/>
    Top64,
}

/// <summary>
/// One aggregate over some of the events, with a cell per row of its window (a pane, a session fragment, or the whole life time). Cells of
/// one column stand side by side.
/// </summary>
/// <param name="Kind">What a cell keeps.</param>
/// <param name="Input">Which events and which operand, an index into the evaluated inputs.</param>
/// <param name="Offset">Where row 0 begins in the profile.</param>
/// <param name="Setting">What else a kind has to know, such as a half-life in ms.</param>
internal readonly record struct Column(ColumnKind Kind, int Input, int Offset, double Setting = 0)
{
    /// <summary>Bytes of a cell.</summary>
    public static int Width(ColumnKind kind) =>
        CellTable.Run<WidthAction, int, int>(ref Unsafe.NullRef<byte>(), new Column(kind, 0, 0), 0, 0, null);

    /// <summary>The cell of a row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref T Cell<T>(ref byte profile, int row) where T : unmanaged =>
        ref ProfileBytes.At<T>(ref profile, Offset + row * Unsafe.SizeOf<T>());

    /// <summary>The cells of a run of rows.</summary>
    public Span<T> Cells<T>(ref byte profile, int row, int count) where T : unmanaged =>
        MemoryMarshal.CreateSpan(ref Cell<T>(ref profile, row), count);

    /// <summary>Takes an event into a row.</summary>
    public void Add(ref byte profile, int row, in InputValue input, Event e) =>
        CellTable.Run<AddAction, InputValue, int>(ref profile, this, row, input, e);

    /// <summary>Takes all events of one row into another.</summary>
    public void Merge(ref byte profile, int into, int from) =>
        CellTable.Run<MergeAction, int, int>(ref profile, this, into, from, null);

    /// <summary>Empties rows.</summary>
    public void Clear(ref byte profile, int row, int count) =>
        CellTable.Run<ClearAction, int, int>(ref profile, this, row, count, null);

    /// <summary>The value over some rows; NaN where they have no event.</summary>
    public double Read(ref byte profile, CellPart part, in RowRange rows) =>
        CellTable.Run<ReadAction, RowRange, double>(ref profile, this, (int)part, rows, null);

    /// <summary>All rows merged, the oldest first.</summary>
    public T Fold<T>(ref byte profile, in RowRange rows) where T : unmanaged, ICell<T>
    {
        Unsafe.SkipInit(out T all);
        T.Clear(MemoryMarshal.CreateSpan(ref all, 1));
        foreach (ref readonly var cell in Cells<T>(ref profile, rows.Start, rows.Count)) T.Merge(ref all, this, cell);
        foreach (ref readonly var cell in Cells<T>(ref profile, 0, rows.WrappedCount)) T.Merge(ref all, this, cell);
        return all;
    }

    private readonly struct WidthAction : ICellAction<int, int>
    {
        public static int On<T>(ref byte profile, in Column column, int row, in int argument, Event? e)
            where T : unmanaged, ICell<T> => Unsafe.SizeOf<T>();
    }

    private readonly struct AddAction : ICellAction<InputValue, int>
    {
        public static int On<T>(ref byte profile, in Column column, int row, in InputValue input, Event? e)
            where T : unmanaged, ICell<T>
        {
            T.Add(ref column.Cell<T>(ref profile, row), column, input, e!);
            return 0;
        }
    }

    private readonly struct MergeAction : ICellAction<int, int>
    {
        public static int On<T>(ref byte profile, in Column column, int row, in int from, Event? e)
            where T : unmanaged, ICell<T>
        {
            T.Merge(ref column.Cell<T>(ref profile, row), column, column.Cell<T>(ref profile, from));
            return 0;
        }
    }

    private readonly struct ClearAction : ICellAction<int, int>
    {
        public static int On<T>(ref byte profile, in Column column, int row, in int count, Event? e)
            where T : unmanaged, ICell<T>
        {
            T.Clear(column.Cells<T>(ref profile, row, count));
            return 0;
        }
    }

    private readonly struct ReadAction : ICellAction<RowRange, double>
    {
        public static double On<T>(ref byte profile, in Column column, int row, in RowRange rows, Event? e)
            where T : unmanaged, ICell<T> => T.Read(ref profile, column, (CellPart)row, rows);
    }
}
