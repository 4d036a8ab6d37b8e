namespace StreamEngine.Features;

/// <summary>
/// The slope of the least-squares line through the panes of a window, per pane. The pane of now is left out: it is not complete, and would
/// pull every line down.
/// </summary>
internal static class Slope
{
    /// <summary>The fewest panes of a window that a line goes through: two complete ones, and that of now.</summary>
    public const int MinPanes = 3;

    /// <summary>The slope; NaN where the complete panes have no event.</summary>
    /// <param name="profile">The profile.</param>
    /// <param name="values">The column whose values the line goes through; a pane without events is 0.</param>
    /// <param name="events">Counts the events of a pane.</param>
    /// <param name="rows">The window's rows; those after the newest event are left out.</param>
    /// <param name="panes">How many panes the window has.</param>
    public static double Of(ref byte profile, in Column values, in Column events, in RowRange rows, int panes)
    {
        var complete = panes - 1;
        var middle = (complete - 1) / 2.0;
        double sum = 0, counted = 0;
        for (var i = 0; i < Math.Min(complete, rows.Length); i++)
        {
            var row = RowRange.One(rows[i], rows.Now);
            var inPane = events.Read(ref profile, CellPart.Value, row);
            if (double.IsNaN(inPane)) continue;
            counted += inPane;
            sum += (i - middle) * values.Read(ref profile, CellPart.Value, row);
        }
        return counted == 0 ? double.NaN : sum / (complete * ((double)complete * complete - 1) / 12);
    }
}
