using StreamEngine.Configuration;

namespace StreamEngine.Events.Tables;

/// <summary>Reads a table's file; null, with every mistake told, where it can't be used.</summary>
/// <param name="table">The table as declared.</param>
/// <param name="path">The file.</param>
/// <param name="errors">Takes the mistakes.</param>
public delegate LookupTable? TableReader(TableShape table, string path, ConfigErrors errors);

/// <summary>The tables of a config, with their rows where they were read.</summary>
public sealed class TableSet
{
    private readonly LookupTable?[] _read;
    private readonly bool _follows;

    private TableSet(IReadOnlyList<TableShape> shapes, LookupTable?[] read, bool follows = false) =>
        (Shapes, _read, _follows) = (shapes, read, follows);

    /// <summary>No tables.</summary>
    public static TableSet None { get; } = new([], []);

    /// <summary>The tables as declared, in config order.</summary>
    public IReadOnlyList<TableShape> Shapes { get; }

    /// <summary>The tables that were read, in config order.</summary>
    public IReadOnlyList<LookupTable> Tables => [.. _read.OfType<LookupTable>()];

    /// <summary>The tables without their rows, for what needs no values: fields that are looked up are absent then.</summary>
    /// <param name="options">The tables in config order.</param>
    /// <param name="errors">Takes the mistakes.</param>
    public static TableSet Declare(IReadOnlyList<TableOptions> options, ConfigErrors errors) =>
        new([.. options.Select((table, index) => TableShape.Declare(table, index, errors))], new LookupTable?[options.Count]);

    /// <summary>Checks the tables and reads their files; what is in topics is read while the engine runs.</summary>
    /// <param name="options">The tables in config order.</param>
    /// <param name="baseDirectory">What files are relative to.</param>
    /// <param name="reader">Reads a file; null where nobody does, which is right where there are none.</param>
    /// <param name="errors">Takes the mistakes.</param>
    /// <exception cref="InvalidOperationException">There are files, and nobody to read them.</exception>
    public static TableSet Read(IReadOnlyList<TableOptions> options, string baseDirectory, TableReader? reader, ConfigErrors errors)
    {
        if (options.Count == 0) return None;
        if (reader is null && options.Any(t => t.Topic.Length == 0))
            throw new InvalidOperationException("The config has tables, and nothing was given that reads their files.");
        var (shapes, read) = (new List<TableShape>(), new LookupTable?[options.Count]);
        foreach (var table in options)
        {
            // A table that is declared wrongly is not read: what its file would be said to lack follows from that.
            var own = new ConfigErrors();
            var shape = TableShape.Declare(table, shapes.Count, own);
            foreach (var error in own.All) errors.Add(error.At, error.Message, error.Remedy);
            if (!own.Any && !shape.IsTopic) read[shapes.Count] = reader!(shape, Path.Combine(baseDirectory, table.File), errors);
            shapes.Add(shape);
        }
        return new TableSet(shapes, read, follows: true);
    }

    /// <summary>The table of that name, or null.</summary>
    internal TableShape? Find(string name) => Shapes.FirstOrDefault(s => s.Name == name);

    /// <summary>The rows of a table; null where they were not read.</summary>
    internal LookupTable? RowsOf(TableShape shape) => _read[shape.Index];

    /// <summary>Whether a table's rows are looked up: they were read, or are those of a topic that is followed.</summary>
    internal bool IsLookedUp(TableShape shape) => RowsOf(shape) is not null || (_follows && shape.IsTopic);
}
