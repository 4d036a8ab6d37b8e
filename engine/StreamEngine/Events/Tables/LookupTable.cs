using System.Runtime.InteropServices;

namespace StreamEngine.Events.Tables;

/// <summary>
/// A table's rows in memory, by columns and with an index of the keys. Immutable, and shared by all shards of a process; looking up
/// allocates nothing.
/// </summary>
public sealed class LookupTable
{
    private readonly TextSet _keys;
    private readonly TableColumn[] _columns;
    private readonly bool _numbers;

    internal LookupTable(TableShape shape, TextSet keys, TableColumn[] columns, string sha256)
    {
        (Shape, _keys, _columns, Sha256) = (shape, keys, columns, sha256);
        _numbers = shape.KeyType == FieldType.Int;
    }

    /// <summary>The table as declared.</summary>
    public TableShape Shape { get; }

    /// <summary>How many rows there are.</summary>
    public int Rows => _keys.Count;

    /// <summary>The SHA-256 of the file as it lies on the disk, in hex.</summary>
    public string Sha256 { get; }

    /// <summary>Bytes of memory that the rows take.</summary>
    public long Memory => _keys.Memory + _columns.Sum(c => c.Memory);

    /// <summary>The row of a key, a field of the type of <see cref="TableShape.KeyType"/>; -1 where there is none.</summary>
    public int Find(in FieldValue key) => _keys.Find(_numbers ? Bytes(in key.Bits) : key.Text);

    /// <summary>Sets a field to what a row has in a column; false, with nothing set, where it has no value.</summary>
    /// <param name="row">The row.</param>
    /// <param name="column">The index of the table's field.</param>
    /// <param name="to">The field.</param>
    public bool TryGet(int row, int column, ref FieldValue to) => _columns[column].TryGet(row, ref to);

    /// <summary>A number as a key: its bytes as they lie in memory.</summary>
    internal static ReadOnlySpan<byte> Bytes(in long number) => MemoryMarshal.AsBytes(new ReadOnlySpan<long>(in number));
}
