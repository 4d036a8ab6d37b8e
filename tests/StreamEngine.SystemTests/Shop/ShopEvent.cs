using System.Buffers.Binary;
using System.Text;

namespace StreamEngine.SystemTests.Shop;

/// <summary>
/// A shop event with a codec of its own (Confluent wire format, schema id 1), written by hand so that the tests do not check the engine's
/// codec with itself.
/// </summary>
internal sealed record ShopEvent(string Id, string Customer, string Type, long Time, string Placement, double Value,
    IReadOnlyList<string> Consent)
{
    /// <summary>The symbols of the schema's enum.</summary>
    public static readonly IReadOnlyList<string> Types = ["page_view", "search", "cart_add", "cart_remove", "purchase", "email_open"];

    private const int SchemaId = 1;

    /// <summary>The record's value.</summary>
    public byte[] Encode(int schemaId = SchemaId)
    {
        using var bytes = new MemoryStream(256);
        Span<byte> header = stackalloc byte[5];
        BinaryPrimitives.WriteInt32BigEndian(header[1..], schemaId);
        bytes.Write(header);
        Text(bytes, Id);
        Text(bytes, Customer);
        Long(bytes, Types.ToList().IndexOf(Type));
        Long(bytes, Time);
        Text(bytes, Placement);
        Text(bytes, "https://shop.example/p/1?ref=home");
        Text(bytes, "Mozilla/5.0 (X11; Linux x86_64)");
        Text(bytes, "p1");
        Text(bytes, "cat1");
        bytes.Write(BitConverter.GetBytes(Value));
        Long(bytes, Value > 0 ? 1 : 0);
        Text(bytes, "EUR");
        if (Consent.Count > 0) Long(bytes, Consent.Count);
        foreach (var purpose in Consent) Text(bytes, purpose);
        Long(bytes, 0);
        return bytes.ToArray();
    }

    /// <summary>Reads a record's value; null with the dead letter's reason where it is none.</summary>
    public static ShopEvent? Decode(byte[] value, out string reason)
    {
        reason = "malformed";
        if (value.Length == 0) return null;
        if (value[0] != 0)
        {
            reason = "unknown-schema";
            return null;
        }
        if (value.Length < 5) return null;
        if (BinaryPrimitives.ReadInt32BigEndian(value.AsSpan(1)) != SchemaId)
        {
            reason = "unknown-schema";
            return null;
        }
        try
        {
            var reader = new AvroReader(value, 5);
            var (id, customer, type, time, placement) = (reader.Text(), reader.Text(), reader.Long(), reader.Long(), reader.Text());
            for (var skipped = 0; skipped < 4; skipped++) reader.Text();
            var price = reader.Double();
            reader.Long();
            reader.Text();
            var consent = reader.Array(static r => r.Text());
            if (!reader.AtEnd || type < 0 || type >= Types.Count) return null;
            if (customer.Length == 0) reason = "missing-customer";
            else if (id.Length == 0) reason = "missing-id";
            else return new ShopEvent(id, customer, Types[(int)type], time, placement, price, consent);
            return null;
        }
        catch (AvroException)
        {
            return null;
        }
    }

    private static void Text(Stream bytes, string text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        Long(bytes, utf8.Length);
        bytes.Write(utf8);
    }

    private static void Long(Stream bytes, long value)
    {
        var bits = (ulong)((value << 1) ^ (value >> 63));
        for (; bits >= 0x80; bits >>= 7) bytes.WriteByte((byte)(bits | 0x80));
        bytes.WriteByte((byte)bits);
    }
}
