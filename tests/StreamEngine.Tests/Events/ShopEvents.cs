using System.Buffers;
using StreamEngine.Events;
using StreamEngine.Events.Avro;
using StreamEngine.Tests.Configuration;

namespace StreamEngine.Tests.Events;

/// <summary>The shop's events: the schema of the checkout, its source, and encoded examples.</summary>
internal static class ShopEvents
{
    public static AvroSchema Schema { get; } = AvroSchema.Parse(File.ReadAllText(Repository.Path("schemas", "shop-event.avsc")));

    public static EventSourceOptions Source { get; } = new()
    {
        Name = "shop",
        Topic = "events",
        Type = "type",
        Consent = "consent",
        Requires = ["personalization"],
        Pii = ["url", "consent", "quantity"],
        Fields = [Decoding.Field("value", "decimal(2)"), Decoding.Field("placement", "string"), Decoding.Field("kind", "string", "type"),
            Decoding.Field("amount", "double", "value")],
    };

    public static Decoding Decoder(EventSourceOptions? source = null) =>
        new(source ?? Source, new Schemas((1, Schema)), "analytics", "personalization");

    public static byte[] Encode(string id = "e-0001-4d3c-99aa", double value = 12.34, int type = 4)
    {
        var bytes = new ArrayBufferWriter<byte>();
        var w = new AvroWriter(bytes);
        w.ConfluentHeader(1);
        w.String(id);
        w.String("customer-000017");
        w.Long(type);
        w.Long(1_700_000_000_123);
        foreach (var text in (string[])["home-top", "https://shop.example/p/4711?ref=mail", "Mozilla/5.0 (X11; Linux x86_64)",
            "product-4711", "shoes"]) w.String(text);
        w.Double(value);
        w.Long(2);
        w.String("EUR");
        w.Long(2);
        w.String("personalization");
        w.String("analytics");
        w.Long(0);
        return bytes.WrittenSpan.ToArray();
    }
}
