using System.Runtime.CompilerServices;

namespace StreamEngine.Features;

/// <summary>How a feature is computed from the values of its columns.</summary>
internal enum OutputForm
{
    /// <summary>The value of column A.</summary>
    Plain,

    /// <summary>The value of column A, where column B counts an event.</summary>
    WithEvents,

    /// <summary>The value of column A per event (or day) that column B counts: a mean.</summary>
    PerEvent,

    /// <summary>The value of column A per day that column B counts beyond the first.</summary>
    PerRepeatDay,

    /// <summary>The value of column A over the events that column B counts, both with a prior added.</summary>
    Rate,

    /// <summary>The slope of column A over the panes, where column B counts an event.</summary>
    Slope,

    /// <summary>The value of column A that a share of its events is at or below.</summary>
    Quantile,

    /// <summary>From the session's first event to its last; read from the table of sessions.</summary>
    Duration,
}

/// <summary>One feature of the vector, computed from the columns of a window's rows.</summary>
internal readonly record struct FeatureOutput
{
    /// <summary>A value of a column, without a unit.</summary>
    public FeatureOutput(Column a) => A = a;

    /// <summary>Place in the feature vector.</summary>
    public int Index { get; init; }

    /// <summary>The feature's place in the config.</summary>
    public int Feature { get; init; }

    /// <summary>How it is computed.</summary>
    public OutputForm Form { get; init; }

    /// <summary>The column the value is in.</summary>
    public Column A { get; init; }

    /// <summary>Which of the values that A's cells hold.</summary>
    public CellPart Part { get; init; }

    /// <summary>The second column, for the forms that have one.</summary>
    public Column B { get; init; }

    /// <summary>What the value is divided by: ms of the unit, or 10^scale.</summary>
    public double Divisor { get; init; } = 1;

    /// <summary>For a rate: what is added below the line; above it, this times the prior rate.</summary>
    public double PriorWeight { get; init; }

    /// <summary>For a rate: the rate that is expected beforehand.</summary>
    public double Prior { get; init; }

    /// <summary>For a slope: how many panes the window has.</summary>
    public int Panes { get; init; }

    /// <summary>For a quantile: the share of events, 0 to 1.</summary>
    public double Share { get; init; }

    /// <summary>The value where nothing is known.</summary>
    public double Default { get; init; }

    /// <summary>The columns that it is read from.</summary>
    public IEnumerable<Column> Columns => Form switch
    {
        OutputForm.Plain or OutputForm.Quantile => [A],
        OutputForm.Duration => [],
        _ => [A, B],
    };

    /// <summary>The feature over some rows, which are not empty.</summary>
    public double Read(ref byte profile, in RowRange rows)
    {
        var value = Form == OutputForm.Plain ? Scaled(A.Read(ref profile, Part, in rows)) : Combined(ref profile, in rows);
        return double.IsNaN(value) ? Default : value;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private double Combined(ref byte profile, in RowRange rows)
    {
        if (Form == OutputForm.Slope) return Scaled(Slope.Of(ref profile, A, B, rows, Panes));
        if (Form == OutputForm.Quantile) return Scaled(QuantileCell.Of(ref profile, A, rows, Share));
        var value = Scaled(A.Read(ref profile, Part, in rows));
        var other = B.Read(ref profile, CellPart.Value, in rows);
        switch (Form)
        {
            case OutputForm.WithEvents:
                return double.IsNaN(other) ? double.NaN : value;
            case OutputForm.PerEvent:
                return value / other;
            case OutputForm.PerRepeatDay:
                return other > 1 ? value / (other - 1) : double.NaN;
            case OutputForm.Rate:
                var below = Known(other) + PriorWeight;
                return below > 0 ? (Known(value) + Prior * PriorWeight) / below : double.NaN;
            default:
                throw new InvalidOperationException($"{Form} is not read from columns");
        }
    }

    private double Scaled(double value) => Divisor == 1 ? value : value / Divisor;

    /// <summary>A count of no events, as the number that it is.</summary>
    private static double Known(double value) => double.IsNaN(value) ? 0 : value;
}
