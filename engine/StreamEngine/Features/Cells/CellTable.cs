using System.Runtime.CompilerServices;
using StreamEngine.Events;

namespace StreamEngine.Features;

/// <summary>
/// What is done with a column, whatever its cells are. Implemented by structs, so that each has compiled code of its own.
/// </summary>
internal interface ICellAction<TArgument, TResult>
{
    /// <summary>Does it with cells of this kind.</summary>
    static abstract TResult On<TCell>(ref byte profile, in Column column, int row, in TArgument argument, Event? e)
        where TCell : unmanaged, ICell<TCell>;
}

/// <summary>
/// The kinds of cells, one line each. It is a switch over types that are known when it is compiled: no virtual call, and small cells are
/// inlined into it.
/// </summary>
internal static class CellTable
{
    /// <summary>Does an action with the cells of a column's kind.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TResult Run<TAction, TArgument, TResult>(ref byte profile, in Column column, int row, in TArgument argument, Event? e)
        where TAction : struct, ICellAction<TArgument, TResult>
        => column.Kind switch
        {
            ColumnKind.Count => TAction.On<CountCell>(ref profile, column, row, argument, e),
            ColumnKind.FixedSum => TAction.On<FixedSumCell>(ref profile, column, row, argument, e),
            ColumnKind.DoubleSum => TAction.On<DoubleSumCell>(ref profile, column, row, argument, e),
            ColumnKind.Min => TAction.On<MinCell>(ref profile, column, row, argument, e),
            ColumnKind.Max => TAction.On<MaxCell>(ref profile, column, row, argument, e),
            ColumnKind.First => TAction.On<FirstCell>(ref profile, column, row, argument, e),
            ColumnKind.Last => TAction.On<LastCell>(ref profile, column, row, argument, e),
            ColumnKind.LatestTwo => TAction.On<LatestTwoCell>(ref profile, column, row, argument, e),
            ColumnKind.FirstTime => TAction.On<FirstTimeCell>(ref profile, column, row, argument, e),
            ColumnKind.Days => TAction.On<DaysCell>(ref profile, column, row, argument, e),
            ColumnKind.Variance => TAction.On<VarianceCell>(ref profile, column, row, argument, e),
            ColumnKind.FixedVariance => TAction.On<FixedVarianceCell>(ref profile, column, row, argument, e),
            ColumnKind.DecayedSum => TAction.On<DecayedSumCell>(ref profile, column, row, argument, e),
            ColumnKind.DecayedMean => TAction.On<DecayedMeanCell>(ref profile, column, row, argument, e),
            ColumnKind.Streak => TAction.On<StreakCell>(ref profile, column, row, argument, e),
            ColumnKind.RepeatFixedSum => TAction.On<RepeatCell<FixedSumCell>>(ref profile, column, row, argument, e),
            ColumnKind.RepeatDoubleSum => TAction.On<RepeatCell<DoubleSumCell>>(ref profile, column, row, argument, e),
            ColumnKind.Distinct => TAction.On<DistinctCell>(ref profile, column, row, argument, e),
            ColumnKind.Quantile => TAction.On<QuantileCell>(ref profile, column, row, argument, e),
            ColumnKind.FirstText => TAction.On<TextMomentCell<Earliest>>(ref profile, column, row, argument, e),
            ColumnKind.LastText => TAction.On<TextMomentCell<Latest>>(ref profile, column, row, argument, e),
            ColumnKind.Top8 => TAction.On<TopCell<Slots8>>(ref profile, column, row, argument, e),
            ColumnKind.Top16 => TAction.On<TopCell<Slots16>>(ref profile, column, row, argument, e),
            ColumnKind.Top32 => TAction.On<TopCell<Slots32>>(ref profile, column, row, argument, e),
            ColumnKind.Top64 => TAction.On<TopCell<Slots64>>(ref profile, column, row, argument, e),
            _ => throw new InvalidOperationException($"there is no cell of kind {column.Kind}"),
        };
}
