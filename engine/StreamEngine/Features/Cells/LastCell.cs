using System.Runtime.CompilerServices;
using StreamEngine.Events;

namespace StreamEngine.Features;

/// <summary>The latest <see cref="Moment"/>; its time is <see cref="long.MinValue"/> where there is none.</summary>
internal struct LastCell : ICell<LastCell>
{
    private Moment _moment;

    public static void Clear(Span<LastCell> cells) => cells.Fill(new LastCell { _moment = new Moment { Time = long.MinValue } });

    public static void Add(ref LastCell cell, in Column column, in InputValue input, Event e) => Take(ref cell, Moment.Of(input, e));

    public static void Merge(ref LastCell cell, in Column column, in LastCell other) => Take(ref cell, other._moment);

    /// <summary>Rows are in order of time, so the value is in the last row that has any.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static double Read(ref byte profile, in Column column, CellPart part, in RowRange rows)
    {
        for (var i = rows.Length - 1; i >= 0; i--)
        {
            ref var moment = ref column.Cell<Moment>(ref profile, rows[i]);
            if (moment.Time != long.MinValue) return moment.Value;
        }
        return double.NaN;
    }

    private static void Take(ref LastCell cell, in Moment moment)
    {
        if (cell._moment.Before(moment)) cell._moment = moment;
    }
}
