using StreamEngine.Events;

namespace StreamEngine.Expressions;

/// <summary>A list while an expression runs: a run of cells, each as a field of an event holds its value.</summary>
/// <param name="cells">The array that the list lies in.</param>
/// <param name="start">Where it begins.</param>
/// <param name="count">How many items it has.</param>
internal readonly struct ListValue(FieldValue[] cells, int start, int count)
{
    /// <summary>A list that is a whole array.</summary>
    public ListValue(FieldValue[] cells) : this(cells, 0, cells.Length) { }

    public int Count => count;

    /// <summary>The items.</summary>
    public Span<FieldValue> Cells => cells.AsSpan(start, count);

    /// <summary>The first items of the list.</summary>
    public ListValue First(int length) => new(cells, start, length);
}
