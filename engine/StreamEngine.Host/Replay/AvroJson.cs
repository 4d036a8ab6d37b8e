using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using Avro;
using Avro.Generic;
using Avro.IO;
using StreamEngine.Decisions;

namespace StreamEngine.Host.Replay;

/// <summary>
/// Writes Avro records (Confluent wire format) as one JSON object a line: timestamps as ISO 8601, bytes as text where they are UTF-8, else
/// as <c>{"base64": ...}</c>. (Apache's own JSON names a union's branch at every value, and writes bytes as Latin-1.)
/// </summary>
internal sealed class AvroJson : IDisposable
{
    private const int HeaderLength = 5;
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly GenericDatumReader<GenericRecord>[] _readers;
    private readonly Stream _output;
    private readonly Utf8JsonWriter _json;

    /// <summary>Writes to a stream, which is disposed with this.</summary>
    /// <param name="name">The name of the engine's schema, e.g. <c>decision</c>.</param>
    /// <param name="output">Where to.</param>
    /// <param name="asWritten">
    /// Whether a record has the fields of the version that wrote it, and not those of the newest one with their defaults.
    /// </param>
    public AvroJson(string name, Stream output, bool asWritten = false)
    {
        var schema = Schema.Parse(OutputSchemas.Text(name));
        _readers = [.. OutputSchemas.Versions(name).Select(v => Schema.Parse(OutputSchemas.Text(v)))
            .Select(v => new GenericDatumReader<GenericRecord>(v, asWritten ? v : schema))];
        _output = output;
        _json = new Utf8JsonWriter(output, Options);
    }

    /// <summary>
    /// Writes a late record as a line: the time it had in the log, and its bytes as they were read (as text where they are UTF-8).
    /// </summary>
    public static void WriteLate(Stream output, long timestamp, ReadOnlySpan<byte> value)
    {
        using (var json = new Utf8JsonWriter(output, Options))
        {
            json.WriteStartObject();
            json.WriteNumber("timestamp", timestamp);
            json.WritePropertyName("record");
            Bytes(json, value);
            json.WriteEndObject();
        }
        output.WriteByte((byte)'\n');
    }

    /// <summary>
    /// Reads a record's value as an object. What an earlier version has written is read too: the id in the header may be a registry's and
    /// does not tell the version, but a record of another version ends early or has bytes left.
    /// </summary>
    public GenericRecord Read(ReadOnlySpan<byte> value)
    {
        var bytes = new MemoryStream(value[HeaderLength..].ToArray());
        for (var version = 0; ; version++)
            try
            {
                bytes.Position = 0;
                var record = _readers[version].Read(null!, new BinaryDecoder(bytes));
                if (bytes.Position == bytes.Length || version == _readers.Length - 1) return record;
            }
            catch (Exception e) when (e is AvroException or IOException or IndexOutOfRangeException && version < _readers.Length - 1)
            {
                // The next one reads the bytes anew.
            }
    }

    /// <summary>Writes a line.</summary>
    /// <param name="record">The record.</param>
    /// <param name="more">Adds fields behind the record's own.</param>
    public void Write(GenericRecord record, Action<Utf8JsonWriter>? more = null)
    {
        _json.Reset(_output);
        Object(record, more);
        _json.Flush();
        _output.WriteByte((byte)'\n');
    }

    public void Dispose()
    {
        _json.Dispose();
        _output.Dispose();
    }

    private void Value(object? value)
    {
        switch (value)
        {
            case null: _json.WriteNullValue(); break;
            case bool b: _json.WriteBooleanValue(b); break;
            case int i: _json.WriteNumberValue(i); break;
            case long l: _json.WriteNumberValue(l); break;
            case float f: Number(f); break;
            case double d: Number(d); break;
            case string s: _json.WriteStringValue(s); break;
            case DateTime t: _json.WriteStringValue(t.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)); break;
            case GenericEnum e: _json.WriteStringValue(e.Value); break;
            case byte[] b: Bytes(_json, b); break;
            case GenericRecord record: Object(record); break;
            case IDictionary<string, object> map:
                _json.WriteStartObject();
                foreach (var (key, item) in map)
                {
                    _json.WritePropertyName(key);
                    Value(item);
                }
                _json.WriteEndObject();
                break;
            case object[] list:
                _json.WriteStartArray();
                foreach (var item in list) Value(item);
                _json.WriteEndArray();
                break;
            default: throw new InvalidOperationException($"A value of type {value.GetType()} can't be written.");
        }
    }

    private void Object(GenericRecord record, Action<Utf8JsonWriter>? more = null)
    {
        _json.WriteStartObject();
        foreach (var field in record.Schema.Fields)
        {
            _json.WritePropertyName(field.Name);
            Value(record.GetValue(field.Pos));
        }
        more?.Invoke(_json);
        _json.WriteEndObject();
    }

    /// <summary>JSON has no NaN and no infinity: null and the text say so.</summary>
    private void Number(double value)
    {
        if (double.IsFinite(value)) _json.WriteNumberValue(value);
        else if (double.IsNaN(value)) _json.WriteNullValue();
        else _json.WriteStringValue(value > 0 ? "Infinity" : "-Infinity");
    }

    /// <summary>Writes bytes as text where they are UTF-8, else as <c>{"base64": ...}</c>.</summary>
    public static void Bytes(Utf8JsonWriter json, ReadOnlySpan<byte> bytes)
    {
        if (Utf8.IsValid(bytes))
        {
            json.WriteStringValue(bytes);
            return;
        }
        json.WriteStartObject();
        json.WriteBase64String("base64", bytes);
        json.WriteEndObject();
    }
}
