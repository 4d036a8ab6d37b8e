namespace StreamEngine.Events.Avro;

/// <summary>
/// A parsed Avro schema (specification 1.12). Immutable once parsed; may refer to itself. Named types are one object however often they are
/// referred to.
/// </summary>
public sealed class AvroSchema
{
    private string? _canonical;
    private ulong? _fingerprint;

    internal AvroSchema(AvroKind kind) => Kind = kind;

    /// <summary>What kind of schema this is.</summary>
    public AvroKind Kind { get; }

    /// <summary>Name with namespace of a record, enum or fixed; the kind's name for others.</summary>
    public string FullName { get; internal init; } = "";

    /// <summary>The name without its namespace.</summary>
    public string Name => FullName[(FullName.LastIndexOf('.') + 1)..];

    /// <summary>Other full names that this type answers to when it is the reader's.</summary>
    public IReadOnlyList<string> Aliases { get; internal init; } = [];

    /// <summary>A record's fields in order.</summary>
    public IReadOnlyList<AvroField> Fields { get; internal set; } = [];

    /// <summary>An enum's symbols in order.</summary>
    public IReadOnlyList<string> Symbols { get; internal init; } = [];

    /// <summary>The symbol that stands for unknown ones when this enum is the reader's.</summary>
    public string? DefaultSymbol { get; internal init; }

    /// <summary>The schema of an array's items or a map's values.</summary>
    public AvroSchema? Element { get; internal init; }

    /// <summary>A union's branches.</summary>
    public IReadOnlyList<AvroSchema> Branches { get; internal init; } = [];

    /// <summary>The size of a fixed in bytes.</summary>
    public int Size { get; internal init; }

    /// <summary>What the value stands for.</summary>
    public AvroLogical Logical { get; internal init; }

    /// <summary>Digits of a decimal.</summary>
    public int Precision { get; internal init; }

    /// <summary>Digits after the point of a decimal.</summary>
    public int Scale { get; internal init; }

    /// <summary>Whether this is a record, an enum or a fixed.</summary>
    public bool IsNamed => Kind is AvroKind.Record or AvroKind.Enum or AvroKind.Fixed;

    /// <summary>The Parsing Canonical Form: two schemas with the same form read the same bytes.</summary>
    public string CanonicalForm => _canonical ??= AvroCanonicalForm.Of(this);

    /// <summary>The 64-bit Rabin fingerprint (CRC-64-AVRO) of the canonical form.</summary>
    public ulong Fingerprint => _fingerprint ??= AvroFingerprint.Of(CanonicalForm);

    /// <summary>Parses a schema from its JSON.</summary>
    /// <exception cref="AvroSchemaException">The text is no valid schema; says line and column.</exception>
    public static AvroSchema Parse(string json) => new AvroSchemaParser().Parse(LocatedJson.Parse(json));

    /// <summary>The record's field of that name, or null.</summary>
    public AvroField? Field(string name)
    {
        foreach (var field in Fields)
            if (field.Name == name) return field;
        return null;
    }

    /// <inheritdoc/>
    public override string ToString() => Kind switch
    {
        AvroKind.Array => $"array<{Element}>",
        AvroKind.Map => $"map<{Element}>",
        AvroKind.Union => string.Join(" | ", Branches),
        _ when Logical != AvroLogical.None => $"{FullName} ({Logical})",
        _ => FullName,
    };
}

/// <summary>One field of an Avro record.</summary>
public sealed class AvroField
{
    /// <summary>The field's place in the record.</summary>
    public required int Index { get; init; }

    /// <summary>The field's name.</summary>
    public required string Name { get; init; }

    /// <summary>Other names that this field answers to when it is the reader's.</summary>
    public required IReadOnlyList<string> Aliases { get; init; }

    /// <summary>The field's schema.</summary>
    public required AvroSchema Schema { get; init; }

    /// <summary>The default as JSON, or null where there is none.</summary>
    internal LocatedJson? Default { get; init; }

    /// <summary>Whether the field has a default.</summary>
    public bool HasDefault => Default is not null;
}
