using System.Numerics;
using StreamEngine.Events;

namespace StreamEngine.Features;

/// <summary>
/// How many distinct UTC days: the newest day, a bit for each of the 64 days that end with it, and the count. Of the whole life time only.
/// </summary>
internal struct DaysCell : ICell<DaysCell>
{
    /// <summary>Days back from the newest in which an event's day is still known to be new or not.</summary>
    public const int Reach = 63;

    private long _newest;
    private ulong _bits;
    private long _count;

    public static void Clear(Span<DaysCell> cells) => cells.Clear();

    public static void Add(ref DaysCell cell, in Column column, in InputValue input, Event e) => cell.Take(Panes.Of(e.Time, Panes.DayMs));

    /// <summary>The union: exact where the days of both that are further back than <see cref="Reach"/> are different ones.</summary>
    public static void Merge(ref DaysCell cell, in Column column, in DaysCell other)
    {
        if (other._count == 0) return;
        var known = cell;
        cell = other;
        if (known._count == 0) return;
        for (var back = Reach; back >= 0; back--)
            if ((known._bits >> back & 1) != 0) cell.Take(known._newest - back);
        cell._count += known._count - BitOperations.PopCount(known._bits);
    }

    public static double Read(ref byte profile, in Column column, CellPart part, in RowRange rows)
    {
        var days = column.Cell<DaysCell>(ref profile, rows.Start)._count;
        return days > 0 ? days : double.NaN;
    }

    /// <summary>Takes a day in; one further back than <see cref="Reach"/> counts as known.</summary>
    private void Take(long day)
    {
        if (_count == 0) (_newest, _bits, _count) = (day, 1, 1);
        else if (day > _newest)
        {
            var step = day - _newest;
            _bits = (step > Reach ? 0 : _bits << (int)step) | 1;
            _newest = day;
            _count++;
        }
        else if (_newest - day is var back and <= Reach && (_bits >> (int)back & 1) == 0)
        {
            _bits |= 1UL << (int)back;
            _count++;
        }
    }
}
