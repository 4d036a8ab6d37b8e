using System.Globalization;
using System.Text;
using StreamEngine.Decisions;
using StreamEngine.Events.Tables;

namespace StreamEngine.Runtime;

/// <summary>
/// As of which versions a shard looks up in tables that are topics: what marks and checkpoints hold, so that a restore decodes each event
/// with the rows that it was decoded with. Immutable.
/// </summary>
internal sealed class TableVersions
{
    private readonly byte[] _encoded;

    private TableVersions(IReadOnlyList<TableVersion> tables) => (Tables, _encoded) = (tables, Encode(tables));

    /// <summary>No rows in any table.</summary>
    public static TableVersions None { get; } = new([]);

    /// <summary>The tables; one that is not among them has no rows.</summary>
    public IReadOnlyList<TableVersion> Tables { get; }

    /// <summary>Them as Avro's array of name, version and sum: what marks and checkpoints hold.</summary>
    public ReadOnlySpan<byte> Encoded => _encoded;

    /// <summary>The versions of views.</summary>
    public static TableVersions Of(TableViews views) =>
        new([.. views.All.Select(v => new TableVersion(v.Shape.Name, v.Version, v.Sum))]);

    /// <summary>What a mark or a checkpoint holds; no rows in any table where that is nothing.</summary>
    public static TableVersions Logged(ReadOnlySpan<byte> encoded)
    {
        var tables = new List<TableVersion>();
        var cursor = new AvroCursor(encoded);
        for (var left = encoded.IsEmpty ? 0 : cursor.Items("tables"); left > 0; left = left > 1 ? left - 1 : cursor.Items("tables"))
        {
            var name = Encoding.UTF8.GetString(cursor.Bytes("name").Of(encoded));
            var version = cursor.Bytes("version").Of(encoded);
            var sum = cursor.Bytes("sum").Of(encoded);
            if (long.TryParse(version, CultureInfo.InvariantCulture, out var number)
                && ulong.TryParse(sum, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var rows))
                tables.Add(new TableVersion(name, number, rows));
        }
        return tables.Count == 0 ? None : new TableVersions(tables);
    }

    /// <summary>Whether a table is among them.</summary>
    public bool Names(string table) => Tables.Any(t => t.Table == table);

    /// <summary>A table's version; one without rows where it has none.</summary>
    public TableVersion Find(string table)
    {
        foreach (var version in Tables)
            if (version.Table == table) return version;
        return new TableVersion(table, 0, 0);
    }

    /// <summary>Whether views have the same rows: then no event is decoded another way.</summary>
    public bool Same(TableViews views)
    {
        foreach (var view in views.All)
            if (Find(view.Shape.Name).Sum != view.Sum) return false;
        return true;
    }

    private static byte[] Encode(IReadOnlyList<TableVersion> tables)
    {
        var parts = tables.SelectMany(t => new[]
        {
            SpanWriter.Encode(t.Table), SpanWriter.Encode(t.Version.ToString(CultureInfo.InvariantCulture)),
            SpanWriter.Encode(t.Sum.ToString("x16", CultureInfo.InvariantCulture)),
        }).ToList();
        var block = new byte[2 * SpanWriter.MaxLong + parts.Sum(p => p.Length)];
        var writer = new SpanWriter(block);
        if (tables.Count > 0) writer.Long(tables.Count);
        foreach (var part in parts) writer.Raw(part);
        writer.Long(0);
        return block[..writer.Length];
    }
}

/// <summary>As of which version a shard looks up in a table.</summary>
/// <param name="Table">The table's name.</param>
/// <param name="Version">One past the offset of the newest record that is in it; 0 where none is.</param>
/// <param name="Sum">The sum over its rows.</param>
internal readonly record struct TableVersion(string Table, long Version, ulong Sum);
