using System.Runtime.CompilerServices;
using StreamEngine.Events;

namespace StreamEngine.Features;

/// <summary>
/// The text of the earliest, or of the latest event; ordered by time, then event id, then text, so that no two orders of arrival disagree.
/// </summary>
/// <typeparam name="TEnd">Which of the two.</typeparam>
internal struct TextMomentCell<TEnd> : ICell<TextMomentCell<TEnd>> where TEnd : struct, ITextEnd
{
    private long _known;
    private long _time;
    private ulong _id;
    private KeptText _text;

    public static void Clear(Span<TextMomentCell<TEnd>> cells) => cells.Clear();

    public static void Add(ref TextMomentCell<TEnd> cell, in Column column, in InputValue input, Event e) =>
        Take(ref cell, new TextMomentCell<TEnd> { _known = 1, _time = e.Time, _id = e.Tie, _text = e.Kept[input.Text] });

    public static void Merge(ref TextMomentCell<TEnd> cell, in Column column, in TextMomentCell<TEnd> other)
    {
        if (other._known != 0) Take(ref cell, other);
    }

    /// <summary>Whether there is a text; which one, <see cref="Read(ref byte, in Column, in RowRange, ref KeptText)"/> tells.</summary>
    public static double Read(ref byte profile, in Column column, CellPart part, in RowRange rows) =>
        column.Fold<TextMomentCell<TEnd>>(ref profile, rows)._known == 0 ? double.NaN : 1;

    /// <summary>Reads the text over some rows.</summary>
    public static void Read(ref byte profile, in Column column, in RowRange rows, ref KeptText text) =>
        text = column.Fold<TextMomentCell<TEnd>>(ref profile, rows)._text;

    private static void Take(ref TextMomentCell<TEnd> cell, in TextMomentCell<TEnd> other)
    {
        if (cell._known == 0 || TEnd.IsNearer(Compare(other, cell))) cell = other;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Compare(in TextMomentCell<TEnd> a, in TextMomentCell<TEnd> b) =>
        a._time != b._time ? a._time.CompareTo(b._time) : a._id != b._id ? a._id.CompareTo(b._id)
            : a._text.Text.SequenceCompareTo(b._text.Text);
}

/// <summary>An end of time.</summary>
internal interface ITextEnd
{
    /// <summary>Whether something is nearer to this end than something else, by how the two compare.</summary>
    static abstract bool IsNearer(int order);
}

/// <summary>The earliest event's.</summary>
internal readonly struct Earliest : ITextEnd
{
    public static bool IsNearer(int order) => order < 0;
}

/// <summary>The latest event's.</summary>
internal readonly struct Latest : ITextEnd
{
    public static bool IsNearer(int order) => order > 0;
}
