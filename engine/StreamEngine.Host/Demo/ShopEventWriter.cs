using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using StreamEngine.Events;

namespace StreamEngine.Host.Demo;

/// <summary>
/// Encodes shop events as JSON, or as Avro in Confluent's wire format with the schema <c>deploy/samples/demo/schemas/1.avsc</c>.
/// </summary>
internal sealed class ShopEventWriter : IDisposable
{
    private const int SchemaId = 1;

    private readonly RecordFormat _format;
    private readonly ArrayBufferWriter<byte> _buffer = new(512);
    private readonly Utf8JsonWriter _json;

    public ShopEventWriter(RecordFormat format)
    {
        _format = format;
        _json = new Utf8JsonWriter(_buffer);
    }

    /// <summary>The record's value; valid until the next call.</summary>
    public ReadOnlySpan<byte> Write(ShopEvent e)
    {
        _buffer.ResetWrittenCount();
        if (_format == RecordFormat.Avro) Avro(e);
        else Json(e);
        return e.Broken ? _buffer.WrittenSpan[..(_buffer.WrittenCount / 2)] : _buffer.WrittenSpan;
    }

    public void Dispose() => _json.Dispose();

    private void Json(ShopEvent e)
    {
        _json.Reset(_buffer);
        _json.WriteStartObject();
        _json.WriteString("event_id", e.EventId);
        if (e.CustomerId.Length > 0) _json.WriteString("customer_id", e.CustomerId);
        _json.WriteString("type", e.Type);
        _json.WriteNumber("event_time", e.Time);
        if (e.Placement.Length > 0) _json.WriteString("placement", e.Placement);
        if (e.Product.Length > 0) _json.WriteString("product", e.Product);
        if (e.Category.Length > 0) _json.WriteString("category", e.Category);
        _json.WriteNumber("value", e.ValueCents / 100m);
        _json.WriteNumber("quantity", e.Quantity);
        _json.WriteStartArray("consent");
        foreach (var purpose in e.Consent) _json.WriteStringValue(purpose);
        _json.WriteEndArray();
        _json.WriteEndObject();
        _json.Flush();
    }

    private void Avro(ShopEvent e)
    {
        var head = _buffer.GetSpan(5);
        head[0] = 0;
        BinaryPrimitives.WriteInt32BigEndian(head[1..], SchemaId);
        _buffer.Advance(5);
        Text(e.EventId);
        OptionalText(e.CustomerId);
        Text(e.Type);
        Long(e.Time);
        OptionalText(e.Placement);
        OptionalText(e.Product);
        OptionalText(e.Category);
        BinaryPrimitives.WriteDoubleLittleEndian(_buffer.GetSpan(8), e.ValueCents / 100.0);
        _buffer.Advance(8);
        Long(e.Quantity);
        if (e.Consent.Length > 0)
        {
            Long(e.Consent.Length);
            foreach (var purpose in e.Consent) Text(purpose);
        }
        Long(0);
    }

    private void OptionalText(string text)
    {
        Long(text.Length > 0 ? 1 : 0);
        if (text.Length > 0) Text(text);
    }

    private void Text(string text)
    {
        var length = Encoding.UTF8.GetByteCount(text);
        Long(length);
        Encoding.UTF8.GetBytes(text, _buffer.GetSpan(length));
        _buffer.Advance(length);
    }

    private void Long(long value)
    {
        var rest = (ulong)(value << 1 ^ value >> 63);
        var span = _buffer.GetSpan(10);
        var n = 0;
        for (; rest >= 0x80; rest >>= 7) span[n++] = (byte)(rest | 0x80);
        span[n++] = (byte)rest;
        _buffer.Advance(n);
    }
}
