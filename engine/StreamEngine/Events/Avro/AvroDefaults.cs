using System.Globalization;
using System.Text.Json;

namespace StreamEngine.Events.Avro;

/// <summary>Turns a field's JSON default into a value.</summary>
internal static class AvroDefaults
{
    /// <exception cref="AvroSchemaException">The default does not fit the schema.</exception>
    public static object? Value(AvroSchema schema, LocatedJson json) => schema.Kind switch
    {
        AvroKind.Null when json.Kind == JsonTokenType.Null => null,
        AvroKind.Boolean when json.Kind is JsonTokenType.True or JsonTokenType.False => json.Kind == JsonTokenType.True,
        AvroKind.Int when json.Kind == JsonTokenType.Number && int.TryParse(json.Text, CultureInfo.InvariantCulture, out var i) => i,
        AvroKind.Long when json.Kind == JsonTokenType.Number && long.TryParse(json.Text, CultureInfo.InvariantCulture, out var l) => l,
        AvroKind.Float when Number(json, out var f) => (float)f,
        AvroKind.Double when Number(json, out var d) => d,
        AvroKind.Bytes when Latin1(json, out var bytes) => bytes,
        AvroKind.String when json.Kind == JsonTokenType.String => json.Text,
        AvroKind.Enum when json.Kind == JsonTokenType.String && schema.Symbols.Contains(json.Text) => new AvroEnum(schema, json.Text),
        AvroKind.Fixed when Latin1(json, out var bytes) && bytes.Length == schema.Size => new AvroFixed(schema, bytes),
        AvroKind.Array when json.Kind == JsonTokenType.StartArray => json.Items.ConvertAll(item => Value(schema.Element!, item)),
        AvroKind.Map when json.Kind == JsonTokenType.StartObject =>
            json.Entries.ToDictionary(e => e.Key, e => Value(schema.Element!, e.Value)),
        AvroKind.Record when json.Kind == JsonTokenType.StartObject => Record(schema, json),
        AvroKind.Union => Union(schema, json),
        _ => throw json.Error($"the default does not fit the type {schema}"),
    };

    private static AvroRecord Record(AvroSchema schema, LocatedJson json)
    {
        var record = new AvroRecord(schema);
        foreach (var field in schema.Fields)
        {
            var value = json[field.Name] ?? field.Default ?? throw json.Error($"the default has no value for the field '{field.Name}'");
            record.Values[field.Index] = Value(field.Schema, value);
        }
        return record;
    }

    /// <summary>The specification wants the first branch; since 1.12 any branch will do, so the first that fits is taken.</summary>
    private static object? Union(AvroSchema schema, LocatedJson json)
    {
        foreach (var branch in schema.Branches)
        {
            try
            {
                return Value(branch, json);
            }
            catch (AvroSchemaException)
            {
                // Another branch may fit.
            }
        }
        throw json.Error($"the default fits no branch of {schema}");
    }

    private static bool Number(LocatedJson json, out double value)
    {
        value = 0;
        return json.Kind switch
        {
            JsonTokenType.Number => double.TryParse(json.Text, CultureInfo.InvariantCulture, out value),
            JsonTokenType.String when json.Text is "NaN" or "Infinity" or "-Infinity" =>
                double.TryParse(json.Text, CultureInfo.InvariantCulture, out value),
            _ => false,
        };
    }

    /// <summary>Bytes are written as text whose characters 0 to 255 are the bytes.</summary>
    private static bool Latin1(LocatedJson json, out byte[] bytes)
    {
        bytes = [];
        if (json.Kind != JsonTokenType.String || json.Text.Any(c => c > 255)) return false;
        bytes = [.. json.Text.Select(c => (byte)c)];
        return true;
    }
}
