using StreamEngine.Events;

namespace StreamEngine.Features;

/// <summary>
/// What one kind of column keeps in each of its cells: an unmanaged struct of fixed width that lies in the profile's bytes. A new kind is
/// one struct with these four, and one line in <see cref="CellTable"/>.
/// </summary>
/// <remarks>
/// Taking events in and merging are commutative and associative (up to rounding, where a cell says so): that is why the order of arrival
/// doesn't matter, and why panes and fragments can be joined.
/// </remarks>
/// <typeparam name="TCell">The struct itself.</typeparam>
internal interface ICell<TCell> where TCell : unmanaged, ICell<TCell>
{
    /// <summary>Makes cells those of no events.</summary>
    static abstract void Clear(Span<TCell> cells);

    /// <summary>Takes an event in.</summary>
    static abstract void Add(ref TCell cell, in Column column, in InputValue input, Event e);

    /// <summary>Takes all events of another cell in.</summary>
    static abstract void Merge(ref TCell cell, in Column column, in TCell other);

    /// <summary>
    /// The value over some rows of a column, which are not empty; NaN where they have no event. Times are in ms, sums in units of the
    /// operand's scale: <see cref="FeatureOutput"/> divides.
    /// </summary>
    static abstract double Read(ref byte profile, in Column column, CellPart part, in RowRange rows);
}

/// <summary>Which value of a cell a feature is, where a cell holds several.</summary>
internal enum CellPart
{
    /// <summary>The only one, or the first.</summary>
    Value,

    /// <summary>The second one.</summary>
    Second,
}
