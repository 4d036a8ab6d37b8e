using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using StreamEngine.Events.Avro;

namespace StreamEngine.Host.Replay;

/// <summary>
/// Writes Avro records (Confluent wire format) as one JSON object a line: timestamps as ISO 8601, bytes as text where they are UTF-8, else
/// as <c>{"base64": ...}</c>.
/// </summary>
internal sealed class AvroJson : IDisposable
{
    private const int HeaderLength = 5;
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private readonly AvroValueReader _reader;
    private readonly Stream _output;
    private readonly Utf8JsonWriter _json;

    /// <summary>Writes to a stream, which is disposed with this.</summary>
    /// <param name="schema">The name of the engine's schema, e.g. <c>decision</c>.</param>
    /// <param name="output">Where to.</param>
    public AvroJson(string schema, Stream output)
    {
        _reader = new AvroValueReader(Schema(schema));
        _output = output;
        _json = new Utf8JsonWriter(output, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }

    /// <summary>One of the engine's own schemas.</summary>
    public static AvroSchema Schema(string name)
    {
        using var stream = typeof(AvroJson).Assembly.GetManifestResourceStream($"{name}.avsc")
            ?? throw new InvalidOperationException($"The schema {name}.avsc is not in the program.");
        using var reader = new StreamReader(stream);
        return AvroSchema.Parse(reader.ReadToEnd());
    }

    /// <summary>Reads a record's value as an object.</summary>
    public AvroRecord Read(ReadOnlySpan<byte> value) => (AvroRecord)_reader.Read(value[HeaderLength..])!;

    /// <summary>Writes a line.</summary>
    public void Write(AvroRecord record)
    {
        _json.Reset(_output);
        Value(record.Schema, record);
        _json.Flush();
        _output.WriteByte((byte)'\n');
    }

    public void Dispose()
    {
        _json.Dispose();
        _output.Dispose();
    }

    private void Value(AvroSchema schema, object? value)
    {
        switch (value)
        {
            case null: _json.WriteNullValue(); break;
            case bool b: _json.WriteBooleanValue(b); break;
            case int i: _json.WriteNumberValue(i); break;
            case long l when Timestamp(schema): _json.WriteStringValue(Time(l)); break;
            case long l: _json.WriteNumberValue(l); break;
            case float f: Number(f); break;
            case double d: Number(d); break;
            case string s: _json.WriteStringValue(s); break;
            case AvroEnum e: _json.WriteStringValue(e.Symbol); break;
            case AvroFixed f: Bytes(f.Bytes); break;
            case byte[] b: Bytes(b); break;
            case AvroRecord record:
                _json.WriteStartObject();
                foreach (var field in record.Schema.Fields)
                {
                    _json.WritePropertyName(field.Name);
                    Value(field.Schema, record.Values[field.Index]);
                }
                _json.WriteEndObject();
                break;
            case List<object?> list:
                _json.WriteStartArray();
                foreach (var item in list) Value(schema, item);
                _json.WriteEndArray();
                break;
            default: throw new InvalidOperationException($"A value of type {value.GetType()} can't be written.");
        }
    }

    private static bool Timestamp(AvroSchema schema) => schema is { Kind: AvroKind.Long, Logical: AvroLogical.TimestampMillis };

    private static string Time(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds)
        .ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>JSON has no NaN and no infinity: null and the text say so.</summary>
    private void Number(double value)
    {
        if (double.IsFinite(value)) _json.WriteNumberValue(value);
        else if (double.IsNaN(value)) _json.WriteNullValue();
        else _json.WriteStringValue(value > 0 ? "Infinity" : "-Infinity");
    }

    private void Bytes(byte[] bytes)
    {
        try
        {
            _json.WriteStringValue(Strict.GetString(bytes));
        }
        catch (DecoderFallbackException)
        {
            _json.WriteStartObject();
            _json.WriteBase64String("base64", bytes);
            _json.WriteEndObject();
        }
    }
}
