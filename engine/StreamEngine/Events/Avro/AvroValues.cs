namespace StreamEngine.Events.Avro;

/// <summary>
/// A record as objects. Values are null, bool, int, long, float, double, byte[] (bytes), string, <see cref="AvroEnum"/>, <see
/// cref="AvroFixed"/>, <see cref="AvroRecord"/>, <c>List&lt;object?&gt;</c> and <c>Dictionary&lt;string, object?&gt;</c>; a union is the
/// value of its branch.
/// </summary>
public sealed class AvroRecord(AvroSchema schema)
{
    /// <summary>The record's schema.</summary>
    public AvroSchema Schema { get; } = schema;

    /// <summary>The values in the fields' order.</summary>
    public object?[] Values { get; } = new object?[schema.Fields.Count];

    /// <summary>The value of a field.</summary>
    /// <exception cref="KeyNotFoundException">The record has no such field.</exception>
    public object? this[string field]
    {
        get => Values[Index(field)];
        set => Values[Index(field)] = value;
    }

    private int Index(string field) =>
        Schema.Field(field)?.Index ?? throw new KeyNotFoundException($"The record {Schema.FullName} has no field '{field}'.");
}

/// <summary>An enum's value.</summary>
public sealed record AvroEnum(AvroSchema Schema, string Symbol)
{
    /// <inheritdoc/>
    public override string ToString() => Symbol;
}

/// <summary>A fixed's bytes.</summary>
public sealed record AvroFixed(AvroSchema Schema, byte[] Bytes);
