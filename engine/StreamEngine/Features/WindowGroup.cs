using StreamEngine.Events;

namespace StreamEngine.Features;

/// <summary>The kind of a window.</summary>
internal enum WindowKind
{
    /// <summary>All events ever; one row.</summary>
    Lifetime,

    /// <summary>A ring of panes of one width, or of units of the calendar; a tumbling window is a ring of one.</summary>
    Panes,

    /// <summary>Sessions by gap; a row per fragment.</summary>
    Session,
}

/// <summary>A window: its kind, the pane's width or the session's gap in ms, and how many rows its columns have.</summary>
internal readonly record struct Window(WindowKind Kind, long Size, int Rows)
{
    /// <summary>The whole life time.</summary>
    public static Window Lifetime { get; } = new(WindowKind.Lifetime, 0, 1);

    /// <summary>The units that are the panes; null where panes are of one width.</summary>
    public CalendarPanes? Calendar { get; init; }

    /// <summary>Bytes of the window's own state: the clock of a ring, the table of sessions.</summary>
    public int StateLength => Kind switch
    {
        WindowKind.Lifetime => 0,
        WindowKind.Panes => 2 * sizeof(long),
        _ => Sessions.Length(Rows),
    };

    /// <summary>The name in the layout.</summary>
    public override string ToString() => Kind switch
    {
        WindowKind.Lifetime => "lifetime",
        WindowKind.Panes when Calendar is not null => $"calendar {Calendar.Name} x {Rows}",
        WindowKind.Panes => $"panes {Size}ms x {Rows}",
        _ => $"session {Size}ms",
    };
}

/// <summary>All features over one window: they share its clock, and their columns its rows.</summary>
/// <param name="plan">The window, its columns and what is read from them.</param>
/// <param name="inputs">What the columns take.</param>
internal sealed partial class WindowGroup(GroupPlan plan, EventInputs inputs)
{
    private const int NotEntered = -2;

    private readonly Window _window = plan.Window;
    private readonly int _state = plan.State;
    private readonly Column[] _columns = [.. plan.Columns];
    private readonly Column[][] _parts = inputs.Split(plan.Columns);
    private readonly FeatureOutput[] _outputs = [.. plan.Outputs];
    private readonly TextOutput[] _texts = [.. plan.Texts];

    /// <summary>Makes the group's state that of no events.</summary>
    public void Clear(ref byte profile)
    {
        if (_window.Kind == WindowKind.Panes) Panes.Clear(ref profile, _state);
        else if (_window.Kind == WindowKind.Session) Sessions.Clear(ref profile, _state, _window.Rows);
        foreach (ref readonly var column in _columns.AsSpan()) column.Clear(ref profile, 0, _window.Rows);
    }

    /// <summary>Takes an event, or an item of one of its lists, into all columns that it counts in.</summary>
    /// <param name="profile">The profile.</param>
    /// <param name="e">The event.</param>
    /// <param name="inputs">What it brings.</param>
    /// <param name="part">0 for the event; of an item, the number of its list, from 1. The event comes before its items.</param>
    public void Update(ref byte profile, Event e, ReadOnlySpan<InputValue> inputs, int part)
    {
        var columns = _parts[part];
        if (part > 0 && columns.Length == 0) return;
        // Every event extends the customer's session; a ring only turns for events that count.
        var row = _window.Kind == WindowKind.Session ? Sessions.Enter(ref profile, _state, _window.Rows, _window.Size, _columns, e.Time)
            : NotEntered;
        foreach (ref readonly var column in columns.AsSpan())
        {
            ref readonly var input = ref inputs[column.Input];
            if (!input.Counts) continue;
            if (row == NotEntered)
                row = _window.Kind == WindowKind.Lifetime ? 0 : Panes.Enter(ref profile, _state, in _window, _columns, e.Time);
            if (row < 0) return;
            column.Add(ref profile, row, in input, e);
        }
    }

    /// <summary>Computes the group's features.</summary>
    public void Read(ref byte profile, long now, Span<double> vector)
    {
        var rows = _window.Kind switch
        {
            WindowKind.Lifetime => RowRange.One(0, now),
            WindowKind.Panes => Panes.At(ref profile, _state, in _window, now),
            _ => OpenSession(ref profile, now),
        };
        foreach (ref readonly var output in _outputs.AsSpan())
        {
            vector[output.Index] = rows.IsEmpty ? output.Default
                : output.Form == OutputForm.Duration ? Duration(ref profile, rows.Start) / output.Divisor
                : output.Read(ref profile, in rows);
        }
        foreach (ref readonly var text in _texts.AsSpan()) text.Read(ref profile, in rows, vector);
    }

    private RowRange OpenSession(ref byte profile, long now)
    {
        var row = Sessions.Open(ref profile, _state, _window.Size, now);
        return row < 0 ? default : RowRange.One(row, now);
    }

    private long Duration(ref byte profile, int row)
    {
        ref var fragment = ref Sessions.At(ref profile, _state, row);
        return fragment.End - fragment.Start;
    }
}
