namespace StreamEngine.Events;

/// <summary>
/// The items of an event's lists, a cell for each field of each item, an item's cells side by side and a list's items in their order. It
/// grows with the batch and keeps its room, so that it allocates nothing once it has seen the largest batch. Lists name their cells by
/// number, which stays true while it grows.
/// </summary>
public sealed class ItemCells
{
    private FieldValue[] _cells = [];

    /// <summary>No items, for contexts without an event. Nothing is ever added to it.</summary>
    public static ItemCells None { get; } = new();

    /// <summary>How many cells are taken.</summary>
    public int Used { get; private set; }

    /// <summary>The cells; another array once more room was taken.</summary>
    public FieldValue[] Cells => _cells;

    /// <summary>Takes empty cells for one item and returns the first one's number.</summary>
    public int Take(int width)
    {
        if (Used + width > _cells.Length) Array.Resize(ref _cells, Math.Max(64, 2 * (Used + width)));
        _cells.AsSpan(Used, width).Clear();
        Used += width;
        return Used - width;
    }

    /// <summary>Gives the cells from this number on back.</summary>
    public void Release(int from) => Used = from;
}
