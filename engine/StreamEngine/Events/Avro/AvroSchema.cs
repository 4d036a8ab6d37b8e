using System.Text;
using Avro;

namespace StreamEngine.Events.Avro;

/// <summary>
/// A schema (Avro specification 1.12) as the decoder, the skipper and the masker go over it: a view of what Apache's parser read.
/// Immutable; may refer to itself. Named types are one object however often they are referred to.
/// </summary>
public sealed class AvroSchema
{
    private readonly AvroNames _names;
    private readonly Lazy<Dictionary<string, AvroField>> _byName, _byAlias;
    private readonly Lazy<HashSet<string>> _symbols;
    private string? _canonical, _identity;
    private ulong? _fingerprint;

    internal AvroSchema(AvroKind kind, Schema apache, AvroNames names)
    {
        (Kind, Apache, _names) = (kind, apache, names);
        _symbols = new(() => [.. Symbols]);
        _byName = new(() => Fields.ToDictionary(f => f.Name));
        _byAlias = new(() => Fields.SelectMany(f => f.Aliases.Select(a => (a, f))).DistinctBy(p => p.a).ToDictionary());
    }

    /// <summary>What kind of schema this is.</summary>
    public AvroKind Kind { get; }

    /// <summary>The schema as Apache's library has it: its own logical types are none, and its defaults are texts with JSON.</summary>
    internal Schema Apache { get; }

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

    /// <summary>Steps over values of the schema.</summary>
    internal AvroSkipper? Skipper { get; set; }

    /// <summary>Whether this is a record, an enum or a fixed.</summary>
    public bool IsNamed => Kind is AvroKind.Record or AvroKind.Enum or AvroKind.Fixed;

    /// <summary>The Parsing Canonical Form: schemas of one form take the same bytes, but may mean different things.</summary>
    public string CanonicalForm => _canonical ??= _names.Given(SchemaNormalization.ToParsingForm(Apache));

    /// <summary>The 64-bit Rabin fingerprint (CRC-64-AVRO) of the canonical form.</summary>
    public ulong Fingerprint => _fingerprint ??=
        BitConverter.ToUInt64(SchemaNormalization.Fingerprint("CRC-64-AVRO", Encoding.UTF8.GetBytes(CanonicalForm)));

    /// <summary>
    /// The same for schemas that read the same bytes as the same values: the form with logical types, and in a reader's schema with
    /// defaults and aliases.
    /// </summary>
    public string Identity => _identity ??= _names.Given(Apache.ToString());

    /// <summary>Parses a reader's schema from its JSON, strictly.</summary>
    /// <exception cref="AvroSchemaException">The text is no valid schema; says the line.</exception>
    public static AvroSchema Parse(string json) => AvroSchemaCompiler.Parse(json, strict: true);

    /// <summary>
    /// Parses the schema that data were written with, leniently: defaults that do not fit and names that the specification does not allow
    /// bear on no byte of the data. It has no defaults and no aliases.
    /// </summary>
    /// <exception cref="AvroSchemaException">The text is no schema; says the line.</exception>
    public static AvroSchema ParseWriter(string json) => AvroSchemaCompiler.Parse(json, strict: false);

    /// <summary>The record's field of that name, or null.</summary>
    public AvroField? Field(string name) => _byName.Value.GetValueOrDefault(name);

    /// <summary>The record's field with that alias, or null.</summary>
    public AvroField? FieldByAlias(string alias) => _byAlias.Value.GetValueOrDefault(alias);

    /// <summary>Whether the enum has that symbol.</summary>
    public bool HasSymbol(string symbol) => _symbols.Value.Contains(symbol);

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

    /// <summary>The default as Avro binary, or null where there is none.</summary>
    public byte[]? Default { get; internal set; }

    /// <summary>Whether the field has a default.</summary>
    public bool HasDefault => Default is not null;
}
