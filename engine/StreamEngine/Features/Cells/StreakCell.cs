using System.Numerics;
using StreamEngine.Events;

namespace StreamEngine.Features;

/// <summary>
/// How many UTC days in a row, up to today or yesterday, have an event: a bit for each of the 64 days that end with the newest, and how
/// many days in a row there are right before those. Its value is 0 where the last day is longer ago. Of the whole life time only.
/// </summary>
internal struct StreakCell : ICell<StreakCell>
{
    private long _newest;
    private ulong _bits;
    private long _before;

    public static void Clear(Span<StreakCell> cells) => cells.Clear();

    public static void Add(ref StreakCell cell, in Column column, in InputValue input, Event e) =>
        cell.Take(Panes.Of(e.Time, Panes.DayMs));

    /// <summary>The union of the days that the bits reach; a longer streak is that of the cell with the newer day.</summary>
    public static void Merge(ref StreakCell cell, in Column column, in StreakCell other)
    {
        if (other._bits == 0) return;
        var (from, into) = other._newest > cell._newest || cell._bits == 0 ? (cell, other) : (other, cell);
        for (var back = DaysCell.Reach; back >= 0; back--)
            if ((from._bits >> back & 1) != 0) into.Take(from._newest - back);
        cell = into;
    }

    public static double Read(ref byte profile, in Column column, CellPart part, in RowRange rows)
    {
        ref var cell = ref column.Cell<StreakCell>(ref profile, rows.Start);
        if (cell._bits == 0) return double.NaN;
        return Panes.Of(rows.Now, Panes.DayMs) - cell._newest > 1 ? 0 : cell.Length;
    }

    private readonly long Length => _bits == ulong.MaxValue ? 64 + _before : BitOperations.TrailingZeroCount(~_bits);

    /// <summary>Takes a day in; one further back than the bits reach is of no account.</summary>
    private void Take(long day)
    {
        if (_bits == 0) (_newest, _bits, _before) = (day, 1, 0);
        else if (day <= _newest)
        {
            if (_newest - day is var back and <= DaysCell.Reach) _bits |= 1UL << (int)back;
        }
        else
        {
            var step = day - _newest;
            _before = Before(step);
            _bits = (step > DaysCell.Reach ? 0 : _bits << (int)step) | 1;
            _newest = day;
        }
    }

    /// <summary>The days in a row that end where the bits begin, once they have moved on by so many days.</summary>
    private readonly long Before(long step)
    {
        if (step > 64) return 0;
        if (step == 64) return Length;
        // The bits that leave are the oldest; a gap among them ends what was counted before.
        var leaving = _bits >> (int)(64 - step);
        var inARow = BitOperations.TrailingZeroCount(~leaving);
        return inARow < step ? inARow : step + _before;
    }
}
