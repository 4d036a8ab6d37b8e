using System.Runtime.CompilerServices;

namespace StreamEngine.Features;

/// <summary>How a feature is computed from columns.</summary>
internal enum OutputKind
{
    /// <summary>The count in column A.</summary>
    Count,

    /// <summary>The fixed-point sum in column A.</summary>
    FixedSum,

    /// <summary>The sum in column A.</summary>
    DoubleSum,

    /// <summary>The value in column A: min or max.</summary>
    Extreme,

    /// <summary>The value in column A: first or last.</summary>
    Moment,

    /// <summary>Time since the latest event in column A.</summary>
    SinceLatest,

    /// <summary>Time since the event before the latest in column A.</summary>
    SincePrevious,

    /// <summary>Time since the first event in column A.</summary>
    SinceFirst,

    /// <summary>The number of distinct days in column A.</summary>
    Days,

    /// <summary>From the session's first event to its last.</summary>
    Duration,
}

/// <summary>One feature of the vector, computed from the columns of a window's rows.</summary>
internal readonly record struct FeatureOutput
{
    /// <summary>Place in the feature vector.</summary>
    public required int Index { get; init; }

    /// <summary>How it is computed.</summary>
    public required OutputKind Kind { get; init; }

    /// <summary>The column the value is in.</summary>
    public Column A { get; init; }

    /// <summary>
    /// The count (or the days) that says whether there is a value, where <see cref="AsksEvents"/>; otherwise A says so itself.
    /// </summary>
    public Column Events { get; init; }

    /// <summary>Whether <see cref="Events"/> is given.</summary>
    public bool AsksEvents { get; init; }

    /// <summary>Whether the value is per event (or day) of <see cref="Events"/>: a mean.</summary>
    public bool PerEvent { get; init; }

    /// <summary>What the raw value is divided by: ms of the unit, or 10^scale.</summary>
    public double Divisor { get; init; }

    /// <summary>The value where there are no events.</summary>
    public double Default { get; init; }

    /// <summary>The feature over some rows, which are not empty.</summary>
    public double Read(ref byte profile, in RowRange rows, long now)
    {
        var value = Raw(ref profile, in rows, now);
        if (!AsksEvents) return value;
        var events = Events.Kind == ColumnKind.Days ? Cells.At<DaySet>(ref profile, Events.Offset).Count
            : CountOf(ref profile, Events.Offset, in rows);
        return events == 0 ? Default : PerEvent ? value / events : value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private double Raw(ref byte profile, in RowRange rows, long now)
    {
        var offset = A.Offset;
        switch (Kind)
        {
            case OutputKind.Count:
                var count = CountOf(ref profile, offset, in rows);
                return count > 0 ? count : Default;
            case OutputKind.FixedSum:
                return UnitSum.Value(rows.IsOne ? Cells.At<long>(ref profile, offset + rows.Start * sizeof(long))
                    : PaneFolds.FixedSum(ref profile, offset, in rows)) / Divisor;
            case OutputKind.DoubleSum:
                return rows.IsOne ? Cells.At<double>(ref profile, offset + rows.Start * sizeof(double))
                    : PaneFolds.DoubleSum(ref profile, offset, in rows);
            case OutputKind.Extreme:
                var extreme = PaneFolds.Extreme(ref profile, offset, in rows, A.Kind == ColumnKind.Min);
                return double.IsFinite(extreme) ? extreme : Default;
            case OutputKind.Moment:
                return PaneFolds.Moment(ref profile, A, in rows, Default);
            case OutputKind.SinceLatest:
                var latest = Cells.At<LatestTwo>(ref profile, offset).Time;
                return latest != long.MinValue ? (now - latest) / Divisor : Default;
            case OutputKind.SincePrevious:
                var previous = Cells.At<LatestTwo>(ref profile, offset).EarlierTime;
                return previous != long.MinValue ? (now - previous) / Divisor : Default;
            case OutputKind.SinceFirst:
                var first = Cells.At<long>(ref profile, offset);
                return first != long.MaxValue ? (now - first) / Divisor : Default;
            case OutputKind.Days:
                var days = Cells.At<DaySet>(ref profile, offset).Count;
                return days > 0 ? days : Default;
            default:
                throw new InvalidOperationException($"{Kind} is not read from a column");
        }
    }

    private static long CountOf(ref byte profile, int offset, in RowRange rows) =>
        rows.IsOne ? Cells.At<uint>(ref profile, offset + rows.Start * sizeof(uint)) : PaneFolds.Count(ref profile, offset, in rows);
}
