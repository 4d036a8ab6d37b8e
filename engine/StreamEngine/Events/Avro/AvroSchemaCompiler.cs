using Avro;
using Newtonsoft.Json.Linq;

namespace StreamEngine.Events.Avro;

/// <summary>Has Apache's library parse a schema, and makes our view of it.</summary>
internal sealed class AvroSchemaCompiler
{
    private readonly AvroSchemaText _text;
    private readonly Dictionary<Schema, AvroSchema> _named = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<AvroField, JToken> _defaults = [];

    private AvroSchemaCompiler(AvroSchemaText text) => _text = text;

    /// <exception cref="AvroSchemaException">The JSON is no valid schema.</exception>
    public static AvroSchema Parse(string json, bool strict)
    {
        var text = new AvroSchemaText(json, strict);
        try
        {
            var compiler = new AvroSchemaCompiler(text);
            var schema = compiler.Of(Schema.Parse(text.Prepared.ToString(Newtonsoft.Json.Formatting.None)));
            compiler.EncodeDefaults();
            AvroSkipper.Compile(schema);
            return schema;
        }
        catch (Exception e) when (e is global::Avro.AvroException or ArgumentException or InvalidCastException)
        {
            throw text.Error(e);
        }
    }

    private AvroSchema Of(Schema s)
    {
        if (_named.TryGetValue(s, out var known)) return known;
        // The two count the kinds alike.
        var kind = (AvroKind)s.Tag;
        var (logical, precision, scale) = AvroLogicalText.Read(s.GetProperty(AvroSchemaText.Logical));
        var view = new AvroSchema(kind, s, _text.Names)
        {
            FullName = s is NamedSchema named ? _text.Names.Given(named.Fullname) : Schema.GetTypeString(s.Tag),
            Aliases = s is NamedSchema of ? [.. Aliases(s.GetProperty(AvroSchemaText.Aliases)).Select(a => Qualify(a, of))] : [],
            Symbols = s is EnumSchema e ? [.. e.Symbols] : [],
            DefaultSymbol = (s as EnumSchema)?.Default,
            Element = s is ArraySchema array ? Of(array.ItemSchema) : s is MapSchema map ? Of(map.ValueSchema) : null,
            Branches = s is UnionSchema union ? [.. union.Schemas.Select(Of)] : [],
            Size = (s as FixedSchema)?.Size ?? 0,
            Logical = logical,
            Precision = precision,
            Scale = scale,
        };
        if (s is NamedSchema) _named[s] = view;
        if (s is RecordSchema record) view.Fields = [.. record.Fields.Select(Field)];
        return view;
    }

    private AvroField Field(global::Avro.Field f)
    {
        var field = new AvroField
        {
            Index = f.Pos,
            Name = _text.Names.Given(f.Name),
            Aliases = Aliases(f.GetProperty(AvroSchemaText.Aliases)),
            Schema = Of(f.Schema),
        };
        if (f.DefaultValue is { } json) _defaults[field] = json;
        return field;
    }

    private static string[] Aliases(string? property) => property?.Trim('"').Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];

    private static string Qualify(string alias, NamedSchema of) =>
        alias.Contains('.') || of.Namespace is not { Length: > 0 } space ? alias : $"{space}.{alias}";

    /// <summary>Last, as defaults may be of types that were not complete when the field was read.</summary>
    private void EncodeDefaults()
    {
        var encoder = new AvroDefaults(_defaults);
        foreach (var (field, json) in _defaults)
            try
            {
                field.Default = encoder.Encode(field);
            }
            catch (AvroException e)
            {
                throw _text.DefaultError(field.Name, (string)json!, e.Message);
            }
    }
}
