namespace StreamEngine.Events.Tables;

/// <summary>A topic's table as of a version. Immutable: what the topic says later is in later views, which share its memory.</summary>
public sealed class TableView
{
    private readonly TopicRows _rows;

    internal TableView(TopicRows rows, long version, ulong sum) => (_rows, Version, Sum) = (rows, version, sum);

    /// <summary>One past the offset of the newest record that is in it; 0 where none is.</summary>
    public long Version { get; }

    /// <summary>The sum over its rows: views with the same one have the same rows.</summary>
    public ulong Sum { get; }

    /// <summary>The table as declared.</summary>
    public TableShape Shape => _rows.Shape;

    /// <summary>Whether it is a version of these rows.</summary>
    internal bool IsOf(TopicRows rows) => ReferenceEquals(rows, _rows);

    /// <summary>The row of a key, a field of the type of <see cref="TableShape.KeyType"/>; -1 where there is none.</summary>
    public int Find(in FieldValue key) => _rows.Find(key, Version);

    /// <summary>Sets a field to what a row has in a column; false, with nothing set, where it has no value.</summary>
    public bool TryGet(int row, int column, ref FieldValue to) => _rows.TryGet(row, column, ref to);
}

/// <summary>What events look up in: of each table of the config that is a topic, a view. Immutable.</summary>
public sealed class TableViews
{
    private readonly TableView?[] _views;

    /// <param name="views">By the place of the table in the config; null for what is no topic.</param>
    /// <param name="at">When the newest record of it was written, where it came while the engine ran; null else.</param>
    public TableViews(IReadOnlyList<TableView?> views, DateTimeOffset? at = null) => (_views, At) = ([.. views], at);

    /// <summary>No rows in any table.</summary>
    public static TableViews None { get; } = new([]);

    /// <summary>When the newest record of it was written; null where it was there at the start.</summary>
    public DateTimeOffset? At { get; }

    /// <summary>The views, in config order.</summary>
    public IEnumerable<TableView> All => _views.OfType<TableView>();

    /// <summary>The view of a table, by its place in the config; null where no rows are known.</summary>
    public TableView? this[int table] => table < _views.Length ? _views[table] : null;
}
