using System.Runtime.CompilerServices;
using StreamEngine.Events;

namespace StreamEngine.Features;

/// <summary>The earliest <see cref="Moment"/>; its time is <see cref="long.MaxValue"/> where there is none.</summary>
internal struct FirstCell : ICell<FirstCell>
{
    private Moment _moment;

    public static void Clear(Span<FirstCell> cells) => cells.Fill(new FirstCell { _moment = new Moment { Time = long.MaxValue } });

    public static void Add(ref FirstCell cell, in Column column, in InputValue input, Event e) => Take(ref cell, Moment.Of(input, e));

    public static void Merge(ref FirstCell cell, in Column column, in FirstCell other) => Take(ref cell, other._moment);

    /// <summary>Rows are in order of time, so the value is in the first row that has any.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static double Read(ref byte profile, in Column column, CellPart part, in RowRange rows)
    {
        for (var i = 0; i < rows.Length; i++)
        {
            ref var moment = ref column.Cell<Moment>(ref profile, rows[i]);
            if (moment.Time != long.MaxValue) return moment.Value;
        }
        return double.NaN;
    }

    private static void Take(ref FirstCell cell, in Moment moment)
    {
        if (moment.Before(cell._moment)) cell._moment = moment;
    }
}
