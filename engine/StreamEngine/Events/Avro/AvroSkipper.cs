namespace StreamEngine.Events.Avro;

/// <summary>
/// Steps over one value of a schema without reading it: finds its length. Immutable; any thread may use it. Items of no size cost nothing
/// however many are claimed, and nesting is bounded, so hostile bytes cost no more time than their length and no stack.
/// </summary>
public sealed class AvroSkipper
{
    private const int MaxDepth = 200;
    private readonly AvroKind _kind;

    /// <summary>The value's size in bytes where it is always the same, else -1.</summary>
    private int _size = -1;
    private AvroSkipper[] _parts = [];

    private AvroSkipper(AvroKind kind) => _kind = kind;

    /// <summary>The value's size in bytes where it is always the same, else -1.</summary>
    internal int FixedSize => _size;

    /// <summary>The skipper of a schema, which was compiled with it.</summary>
    public static AvroSkipper Of(AvroSchema schema) => schema.Skipper!;

    /// <summary>The length of the value that begins the data, or -1 where the data end early or can't be right.</summary>
    public int Length(ReadOnlySpan<byte> data) => Skip(data, 0, MaxDepth);

    /// <summary>
    /// Compiles the skippers of a schema and all its parts, from the top: every type then comes where it is defined, and no chain of
    /// references, however long, takes more stack than the schema is nested.
    /// </summary>
    internal static AvroSkipper Compile(AvroSchema schema)
    {
        if (schema.Skipper is { } known) return known;
        var skipper = schema.Skipper = new AvroSkipper(schema.Kind);
        skipper._parts = schema.Kind switch
        {
            AvroKind.Record => [.. schema.Fields.Select(f => Compile(f.Schema))],
            AvroKind.Union => [.. schema.Branches.Select(Compile)],
            AvroKind.Array or AvroKind.Map => [Compile(schema.Element!)],
            _ => [],
        };
        skipper._size = schema.Kind switch
        {
            AvroKind.Null => 0,
            AvroKind.Boolean => 1,
            AvroKind.Float => 4,
            AvroKind.Double => 8,
            AvroKind.Fixed => schema.Size,
            AvroKind.Record when skipper._parts.All(p => p._size >= 0)
                && skipper._parts.Sum(p => (long)p._size) is var sum and <= int.MaxValue => (int)sum,
            _ => -1,
        };
        return skipper;
    }

    /// <summary>Returns the place behind the value, or -1.</summary>
    private int Skip(ReadOnlySpan<byte> data, int at, int depth)
    {
        if (_size >= 0) return _size <= data.Length - at ? at + _size : -1;
        if (depth == 0) return -1;
        long n;
        switch (_kind)
        {
            case AvroKind.Int or AvroKind.Long or AvroKind.Enum:
                return Varint.ReadLonger(data, at, out _);
            case AvroKind.Bytes or AvroKind.String:
                at = Varint.ReadLonger(data, at, out n);
                return at >= 0 && (ulong)n <= (ulong)(data.Length - at) ? at + (int)n : -1;
            case AvroKind.Union:
                at = Varint.ReadLonger(data, at, out n);
                return at >= 0 && (ulong)n < (ulong)_parts.Length ? _parts[n].Skip(data, at, depth - 1) : -1;
            case AvroKind.Record:
                foreach (var part in _parts)
                {
                    at = part.Skip(data, at, depth - 1);
                    if (at < 0) return -1;
                }
                return at;
            default:
                return SkipBlocks(data, at, depth);
        }
    }

    private int SkipBlocks(ReadOnlySpan<byte> data, int at, int depth)
    {
        while (true)
        {
            at = Varint.ReadLonger(data, at, out var count);
            if (at < 0) return -1;
            if (count == 0) return at;
            if (count < 0)
            {
                at = Varint.ReadLonger(data, at, out var bytes);
                if (at < 0 || count == long.MinValue || (ulong)bytes > (ulong)(data.Length - at)) return -1;
                at += (int)bytes;
                continue;
            }
            at = SkipItems(data, at, count, depth);
            if (at < 0) return -1;
        }
    }

    private int SkipItems(ReadOnlySpan<byte> data, int at, long count, int depth)
    {
        var item = _parts[0];
        if (_kind == AvroKind.Array && item._size >= 0)
            return item._size == 0 ? at : count <= (data.Length - at) / item._size ? at + (int)count * item._size : -1;
        for (; count > 0; count--)
        {
            if (_kind == AvroKind.Map)
            {
                at = Varint.ReadLonger(data, at, out var key);
                if (at < 0 || (ulong)key > (ulong)(data.Length - at)) return -1;
                at += (int)key;
            }
            at = item.Skip(data, at, depth - 1);
            if (at < 0) return -1;
        }
        return at;
    }
}
