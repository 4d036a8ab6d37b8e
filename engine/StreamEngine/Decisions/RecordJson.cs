using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using StreamEngine.Configuration;
using StreamEngine.Events.Avro;

namespace StreamEngine.Decisions;

/// <summary>
/// Writes records as JSON objects with the fields of their schema: times as ISO 8601, a union's value without its branch, bytes as text
/// where they are UTF-8 and else as <c>{"base64": ...}</c>, a number that JSON does not have as null (NaN) or text. It goes over the Avro
/// that the engine has just written, so that both forms say the same. Allocates nothing per record.
/// </summary>
public sealed class RecordJson
{
    private readonly AvroSchema _schema;
    private readonly ArrayBufferWriter<byte> _text = new(1024);
    private readonly Utf8JsonWriter _json;

    /// <summary>Writes records of one schema.</summary>
    /// <param name="schema">The schema's name.</param>
    public RecordJson(string schema)
    {
        _schema = AvroSchema.ParseWriter(OutputSchemas.Text(schema));
        _json = new Utf8JsonWriter(_text, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }

    /// <summary>The JSON of an Avro value, without a header; valid until the next call.</summary>
    /// <exception cref="InvalidOperationException">It is no value of the schema.</exception>
    public ReadOnlySpan<byte> Write(ReadOnlySpan<byte> avro)
    {
        _text.ResetWrittenCount();
        _json.Reset(_text);
        var cursor = new AvroCursor(avro);
        Value(_schema, ref cursor, avro);
        if (cursor.Error is { } error) throw new InvalidOperationException($"The record can't be read: {error}");
        if (cursor.HasMore) throw new InvalidOperationException($"The record has {avro.Length - cursor.At} bytes left.");
        _json.Flush();
        return _text.WrittenSpan;
    }

    private void Value(AvroSchema schema, ref AvroCursor cursor, ReadOnlySpan<byte> avro)
    {
        switch (schema.Kind)
        {
            case AvroKind.Null: _json.WriteNullValue(); break;
            case AvroKind.Boolean: _json.WriteBooleanValue(cursor.Bool(schema.Name)); break;
            case AvroKind.Int: _json.WriteNumberValue(cursor.Int(schema.Name)); break;
            case AvroKind.Long when schema.Logical == AvroLogical.TimestampMillis: Time(cursor.Long(schema.Name)); break;
            case AvroKind.Long: _json.WriteNumberValue(cursor.Long(schema.Name)); break;
            case AvroKind.Double: Number(cursor.Take(sizeof(double), schema.Name).Of(avro)); break;
            case AvroKind.String: Text(cursor.Bytes(schema.Name).Of(avro)); break;
            case AvroKind.Bytes: Bytes(cursor.Bytes(schema.Name).Of(avro)); break;
            case AvroKind.Enum: _json.WriteStringValue(schema.Symbols[cursor.Branch(schema.Symbols.Count, schema.Name)]); break;
            case AvroKind.Union:
                Value(schema.Branches[cursor.Branch(schema.Branches.Count, schema.Name)], ref cursor, avro);
                break;
            case AvroKind.Array:
                _json.WriteStartArray();
                for (var left = cursor.Items(schema.Name); left > 0; left = left > 1 ? left - 1 : cursor.Items(schema.Name))
                    Value(schema.Element!, ref cursor, avro);
                _json.WriteEndArray();
                break;
            case AvroKind.Map:
                _json.WriteStartObject();
                for (var left = cursor.Items(schema.Name); left > 0; left = left > 1 ? left - 1 : cursor.Items(schema.Name))
                {
                    _json.WritePropertyName(cursor.Bytes(schema.Name).Of(avro));
                    Value(schema.Element!, ref cursor, avro);
                }
                _json.WriteEndObject();
                break;
            case AvroKind.Record:
                _json.WriteStartObject();
                for (var i = 0; i < schema.Fields.Count; i++)
                {
                    _json.WritePropertyName(schema.Fields[i].Name);
                    Value(schema.Fields[i].Schema, ref cursor, avro);
                }
                _json.WriteEndObject();
                break;
            default: throw new InvalidOperationException($"{schema} is in none of the engine's schemas.");
        }
    }

    /// <summary>A moment that no calendar has (a log's timestamp may be any number) stays a number.</summary>
    private void Time(long ms)
    {
        if (!TimeText.InRange(ms))
        {
            _json.WriteNumberValue(ms);
            return;
        }
        Span<byte> text = stackalloc byte[32];
        DateTimeOffset.FromUnixTimeMilliseconds(ms)
            .TryFormat(text, out var length, "yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        _json.WriteStringValue(text[..length]);
    }

    private void Number(ReadOnlySpan<byte> bytes)
    {
        var value = BinaryPrimitives.ReadDoubleLittleEndian(bytes);
        if (double.IsFinite(value)) _json.WriteNumberValue(value);
        else if (double.IsNaN(value)) _json.WriteNullValue();
        else _json.WriteStringValue(value > 0 ? "Infinity" : "-Infinity");
    }

    private void Text(ReadOnlySpan<byte> utf8)
    {
        if (Utf8.IsValid(utf8)) _json.WriteStringValue(utf8);
        else _json.WriteStringValue(Encoding.UTF8.GetString(utf8)); // with replacement characters; JSON has nothing else for it
    }

    private void Bytes(ReadOnlySpan<byte> bytes)
    {
        if (Utf8.IsValid(bytes))
        {
            _json.WriteStringValue(bytes);
            return;
        }
        _json.WriteStartObject();
        _json.WriteBase64String("base64", bytes);
        _json.WriteEndObject();
    }
}
