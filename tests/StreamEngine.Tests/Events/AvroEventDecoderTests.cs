using System.Buffers;
using System.Text;
using StreamEngine.Events;
using StreamEngine.Events.Avro;
using StreamEngine.Events.Registry;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Events;

/// <summary>Avro records to events: the shop's event, frames, faults, and that nothing is allocated.</summary>
public sealed class AvroEventDecoderTests
{
    [Fact]
    public void AShopEventIsProjected()
    {
        var shop = ShopEvents.Decoder();
        Assert.Equal(RejectReason.None, shop.Decode(ShopEvents.Encode()));
        var e = shop.Event;
        Assert.Equal("e-0001-4d3c-99aa", Encoding.UTF8.GetString(e.Id.Text));
        Assert.Equal(Hash64.Of("e-0001-4d3c-99aa"u8), e.IdHash);
        Assert.Equal("customer-000017", Encoding.UTF8.GetString(e.Customer.Text));
        Assert.Equal("purchase", Encoding.UTF8.GetString(e.Type.Text));
        Assert.Equal(1_700_000_000_123, e.Time);
        Assert.Equal(1234, shop["value"].Bits);
        Assert.Equal(12.34, shop["amount"].Double);
        Assert.Equal("home-top", shop.Text("placement"));
        Assert.Same(e.Type.Buffer, shop["kind"].Buffer);
        Assert.Equal(0b11UL, e.Consent);
        Assert.Equal(0b10UL, shop.Catalog.Sources[0].RequiredConsent);
    }

    [Fact]
    public void EveryTruncationAndEveryTailIsMalformed()
    {
        var shop = ShopEvents.Decoder();
        var bytes = ShopEvents.Encode();
        for (var cut = 0; cut < bytes.Length; cut++) Assert.Equal(RejectReason.Malformed, shop.Decode(bytes.AsSpan(0, cut)));
        Assert.Equal(RejectReason.Malformed, shop.Decode([.. bytes, 0]));
        Assert.Equal(RejectReason.Malformed, shop.Decode(bytes, new Range32(0, -1), shop.Event));
    }

    [Fact]
    public void ReasonsComeInTheirOrder()
    {
        var shop = ShopEvents.Decoder();
        Assert.Equal(RejectReason.MissingId, shop.Decode(ShopEvents.Encode(id: "")));
        Assert.Equal(RejectReason.WrongType, shop.Decode(ShopEvents.Encode(id: "", value: 1e300)));
        Assert.Equal(RejectReason.WrongType, shop.Decode(ShopEvents.Encode(value: double.NaN)));
        Assert.Equal(RejectReason.None, shop.Decode(ShopEvents.Encode(value: -12.345)));
        Assert.Equal(-1234, shop["value"].Bits);
        Assert.Equal(RejectReason.Malformed, shop.Decode(ShopEvents.Encode(type: 6)));
        var broken = ShopEvents.Encode(value: double.NaN);
        broken[6] = 0xff;
        Assert.Equal(RejectReason.WrongType, shop.Decode(broken));
        broken = ShopEvents.Encode();
        broken[6] = 0xff;
        Assert.Equal(RejectReason.BadUtf8, shop.Decode(broken));
    }

    [Fact]
    public void BadUtf8IsFoundAtEveryPlaceOfEveryLength()
    {
        var shop = ShopEvents.Decoder();
        for (var length = 1; length < 80; length++)
        {
            var bytes = ShopEvents.Encode(id: new string('i', length));
            var start = bytes.AsSpan().IndexOf((byte)'i');
            for (var at = start; at < start + length; at++)
            {
                bytes[at] = 0xff;
                Assert.Equal(RejectReason.BadUtf8, shop.Decode(bytes));
                bytes[at] = (byte)'i';
            }
            Assert.Equal(RejectReason.None, shop.Decode(ShopEvents.Encode(id: new string('é', length))));
        }
    }

    [Theory]
    [InlineData("03 04 02 61 02 62 00", RejectReason.None)] // two items in a sized block
    [InlineData("03 C801 02 61 02 62 00", RejectReason.Malformed)] // the size is larger than the record
    [InlineData("03 01 02 61 02 62 00", RejectReason.Malformed)] // a size below zero
    [InlineData("FFFFFFFFFFFFFFFFFF01 00 00", RejectReason.Malformed)] // a count that has no opposite
    [InlineData("04 02 61 03 62 00", RejectReason.Malformed)] // a text of length below zero
    public void BlocksOfConsentsAreChecked(string hex, RejectReason reason)
    {
        var bytes = ShopEvents.Encode();
        var consents = bytes.AsSpan().IndexOf("EUR"u8) + 3;
        Assert.Equal(reason, ShopEvents.Decoder().Decode([.. bytes.AsSpan(0, consents), .. Convert.FromHexString(hex.Replace(" ", ""))]));
    }

    [Fact]
    public void UnwantedTextIsNotJudged()
    {
        var bytes = ShopEvents.Encode();
        bytes[bytes.AsSpan().IndexOf("https"u8)] = 0xff;
        Assert.Equal(RejectReason.None, ShopEvents.Decoder().Decode(bytes));
    }

    [Fact]
    public void FramesTellTheSchema()
    {
        var bytes = ShopEvents.Encode();
        var single = new ArrayBufferWriter<byte>();
        new AvroWriter(single).SingleObjectHeader(ShopEvents.Schema.Fingerprint);
        single.Write(bytes.AsSpan(5));
        var shop = ShopEvents.Decoder();
        Assert.Equal(RejectReason.None, shop.Decode(single.WrittenSpan));
        Assert.Equal(RejectReason.UnknownSchema, shop.Decode([.. single.WrittenSpan[..9], 0, .. bytes.AsSpan(5)]));
        Assert.Equal(RejectReason.UnknownSchema, shop.Decode([0, 0, 0, 0, 2, .. bytes.AsSpan(5)]));
        Assert.Equal(RejectReason.UnknownSchema, shop.Decode(bytes.AsSpan(5)));
        var bare = ShopEvents.Decoder(ShopEvents.Source with { Framing = AvroFraming.Bare });
        Assert.Equal(RejectReason.None, bare.Decode(bytes.AsSpan(5)));
        var only = ShopEvents.Decoder(ShopEvents.Source with { Framing = AvroFraming.Confluent });
        Assert.Equal(RejectReason.None, only.Decode(bytes));
        Assert.Equal(RejectReason.Malformed, only.Decode(single.WrittenSpan));
    }

    [Theory]
    [InlineData("c301" + "f7f4876e23ad5342")] // single object: the fingerprint of the canonical form, little-endian
    [InlineData("00" + "00000001")] // Confluent: the schema id, big-endian
    public void RecordsThatAnotherImplementationFramedAreRead(string frame)
    {
        // The value by Apache Avro's Python library (1.11); the fingerprint over its canonical form by the specification's
        // algorithm, where a long with a logical type is plain "long", as Java's library has it (Python's keeps an object there).
        const string Value = "0c652d343731311e637573746f6d65722d30303030343204aad2e2cdbe63003068747470733a2f2f73686f702e6578616d70"
            + "6c652f702f311653747261c39f652f312e3006702d310a73686f65733333333333f34d40"
            + "03064555520412616e616c79746963731e706572736f6e616c697a6174696f6e00";
        var shop = ShopEvents.Decoder();
        Assert.Equal(RejectReason.None, shop.Decode(Convert.FromHexString(frame + Value)));
        Assert.Equal("e-4711", Encoding.UTF8.GetString(shop.Event.Id.Text));
        Assert.Equal("customer-000042", Encoding.UTF8.GetString(shop.Event.Customer.Text));
        Assert.Equal("cart_add", Encoding.UTF8.GetString(shop.Event.Type.Text));
        Assert.Equal(DateTimeOffset.Parse("2024-02-29T12:34:56.789Z").ToUnixTimeMilliseconds(), shop.Event.Time);
        Assert.Equal((5990L, 59.9, ""), (shop["value"].Bits, shop["amount"].Double, shop.Text("placement")));
        Assert.Equal(0b11UL, shop.Event.Consent);
    }

    [Fact]
    public void AfterTheRegistryWasAwayTheRecordIsReadWithItsOwnSchema()
    {
        static AvroSchema Of(string first, string second) => AvroSchema.Parse($$"""{ "type": "record", "name": "V", "fields": [ { "name": "{{first}}", "type": "string" }, { "name": "{{second}}", "type": "string" } ] }""");
        var (older, newer) = (Of("event_id", "customer_id"), Of("customer_id", "event_id"));
        var registry = new Interrupted(new Schemas((1, older), (2, newer)));
        var d = new Decoding(new EventSourceOptions { Name = "v", Topic = "v", Time = new TimeFieldOptions { Field = "$timestamp" } },
            registry);
        byte[] value = [2, (byte)'a', 2, (byte)'b'];
        byte[][][] frames =
        [
            [[0, 0, 0, 0, 1], [0, 0, 0, 0, 2]],
            [.. new[] { older, newer }.Select(s => (byte[])[0xc3, 1, .. BitConverter.GetBytes(s.Fingerprint)])],
        ];
        foreach (var frame in frames)
        {
            Assert.Equal(RejectReason.None, d.Decode([.. frame[0], .. value]));
            Assert.Equal("b", Encoding.UTF8.GetString(d.Event.Customer.Text));
            registry.Away = true;
            Assert.Throws<SchemaRegistryException>(() => d.Decode([.. frame[1], .. value]));
            registry.Away = false;
            Assert.Equal(RejectReason.None, d.Decode([.. frame[1], .. value]));
            Assert.Equal("a", Encoding.UTF8.GetString(d.Event.Customer.Text));
        }
    }

    [Fact]
    public void RandomBytesNeverThrowNorReadOutside()
    {
        var random = new Random(7);
        var shop = ShopEvents.Decoder();
        var good = ShopEvents.Encode();
        var outcomes = new HashSet<RejectReason>();
        for (var i = 0; i < 60_000; i++)
        {
            var bytes = good.ToArray();
            for (var n = random.Next(1, 5); n > 0; n--) bytes[random.Next(5, bytes.Length)] = (byte)random.Next(256);
            outcomes.Add(shop.Decode(bytes));
            foreach (var field in shop.Event.Fields)
                if (field.Buffer is { } b) Assert.InRange(field.Start + field.Length, 0, b.Length);
        }
        Assert.Superset(new HashSet<RejectReason> { RejectReason.None, RejectReason.Malformed, RejectReason.BadUtf8,
            RejectReason.WrongType }, outcomes);
    }

    [Fact]
    public void CustomerMayBeTheKeyTimeTheRecordsAndTheIdAHash()
    {
        var shop = ShopEvents.Decoder(ShopEvents.Source with
        {
            Customer = "$key",
            Time = new TimeFieldOptions { Field = "$timestamp" },
            Id = "hash(type, customer_id, event_time)"
        });
        Assert.True(shop.Catalog.Sources[0].TimeIsRecordTimestamp);
        Assert.Equal(RejectReason.None, shop.Decode(ShopEvents.Encode(), "k-1"));
        var hash = shop.Event.IdHash;
        Assert.Equal("k-1", Encoding.UTF8.GetString(shop.Event.Customer.Text));
        Assert.False(shop.Event.Id.Present);
        Assert.Equal(RejectReason.None, shop.Decode(ShopEvents.Encode(id: "another"), "k-1"));
        Assert.Equal(hash, shop.Event.IdHash);
        Assert.Equal(RejectReason.None, shop.Decode(ShopEvents.Encode(type: 0), "k-1"));
        Assert.NotEqual(hash, shop.Event.IdHash);
        Assert.Equal(RejectReason.MissingCustomer, shop.Decode(ShopEvents.Encode()));
    }

    [Fact]
    public void AReadersSchemaBringsAliasesDefaultsAndRefusesWhatItCannotRead()
    {
        var writer = AvroSchema.Parse("""{ "type": "record", "name": "V", "fields": [ { "name": "id", "type": "string" }, { "name": "who", "type": "int" }, { "name": "at", "type": "long" }, { "name": "x", "type": ["null", "float"] } ] }""");
        var lacking = AvroSchema.Parse("""{ "type": "record", "name": "V", "fields": [ { "name": "id", "type": "string" } ] }""");
        var path = Path.Combine(AppContext.BaseDirectory, "reader.avsc");
        File.WriteAllText(path, """
            { "type": "record", "name": "V", "fields": [
              { "name": "event_id", "aliases": ["id"], "type": "string" },
              { "name": "customer_id", "aliases": ["who"], "type": "long" },
              { "name": "at", "type": { "type": "long", "logicalType": "timestamp-micros" } },
              { "name": "x", "type": ["null", "double"], "default": null },
              { "name": "place", "type": { "type": "record", "name": "P", "fields": [ { "name": "city", "type": "string" } ] }, "default": { "city": "Köln" } } ] }
            """);
        var source = new EventSourceOptions
        {
            Name = "v",
            Topic = "v",
            Schema = path,
            Time = new TimeFieldOptions { Field = "at" },
            Fields = [Decoding.Field("x", "double"), Decoding.Field("city", "string", "place.city")],
        };
        var decoding = new Decoding(source, new Schemas((1, writer), (2, lacking)));
        byte[] record = [4, .. "e1"u8, 33, 1, 2, .. BitConverter.GetBytes(1.5f)];
        Assert.Equal(RejectReason.None, decoding.Decode([0, 0, 0, 0, 1, .. record]));
        Assert.Equal("-17", Encoding.UTF8.GetString(decoding.Event.Customer.Text));
        Assert.Equal(-1, decoding.Event.Time);
        Assert.Equal(1.5, decoding["x"].Double);
        Assert.Equal("Köln", decoding.Text("city"));
        Assert.Equal(RejectReason.UnknownSchema, decoding.Decode([0, 0, 0, 0, 2, 2, 65]));
        Assert.Contains("customer_id", Assert.Single(decoding.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void AFilesSchemaIsTheWritersAndOldNamesAreMaskedToo()
    {
        var path = Path.Combine(AppContext.BaseDirectory, "mailed.avsc");
        File.WriteAllText(path, """
            { "type": "record", "name": "M", "fields": [
              { "name": "event_id", "type": "string" }, { "name": "customer_id", "type": "string" }, { "name": "event_time", "type": "long" },
              { "name": "contact", "aliases": ["person"], "type": { "type": "record", "name": "C", "fields": [ { "name": "email", "aliases": ["mail"], "type": "string" } ] } } ] }
            """);
        var writer = AvroSchema.Parse(File.ReadAllText(path).Replace("contact", "person").Replace("\"email\"", "\"mail\""));
        var source = new EventSourceOptions { Name = "m", Topic = "m", Schema = path, Pii = ["contact.email"] };
        var decoding = new Decoding(source, new Schemas((4, writer)));
        byte[] bytes = [2, 65, 2, 66, 10, 10, .. "a@b.c"u8];
        var output = new ArrayBufferWriter<byte>();
        Assert.True(decoding.Catalog.TryMask(0, [0, 0, 0, 0, 4, .. bytes], output));
        Assert.Equal([0, 0, 0, 0, 4, 2, 65, 2, 66, 10, 6, .. "***"u8], output.WrittenSpan.ToArray());

        var files = new Decoding(source.WithFileSchemas([new("a.avro", AvroSchema.Parse("\"int\"")), new("b.avro", writer)]));
        Assert.Equal(RejectReason.None, files.Decode([0, 0, 0, 0, 2, .. bytes]));
        Assert.Equal("B"u8.ToArray(), files.Event.Customer.Text.ToArray());
        output.ResetWrittenCount();
        Assert.True(files.Catalog.TryMask(0, [0, 0, 0, 0, 2, .. bytes], output));
        Assert.Equal([0, 0, 0, 0, 2, 2, 65, 2, 66, 10, 6, .. "***"u8], output.WrittenSpan.ToArray());
    }

    [Fact]
    public void WhatCanNotBeMaskedBecauseTheRegistryIsAwayIsNotKept()
    {
        var registry = new Interrupted(new Schemas((1, ShopEvents.Schema))) { Away = true };
        var d = new Decoding(ShopEvents.Source, registry, "analytics", "personalization");
        var output = new ArrayBufferWriter<byte>();
        Assert.False(d.Catalog.TryMask(0, ShopEvents.Encode(), output));
        Assert.Equal(0, output.WrittenCount);
        registry.Away = false;
        Assert.True(d.Catalog.TryMask(0, ShopEvents.Encode(), output));
    }

    [Fact]
    public void NothingIsAllocatedPerEvent()
    {
        var shop = ShopEvents.Decoder();
        var bytes = ShopEvents.Encode();
        var range = new Range32(0, bytes.Length);
        void Run(int events)
        {
            for (var i = 0; i < events; i++)
            {
                shop.Event.Clear();
                if (shop.Decode(bytes, range, shop.Event) != RejectReason.None) throw new InvalidOperationException();
            }
        }
        Run(1_000);
        Assert.Equal(0, Allocations.Least(() => Run(10_000)));
    }

    /// <summary>A registry that can be away.</summary>
    private sealed class Interrupted(ISchemaRegistry inner) : ISchemaRegistry
    {
        public bool Away;

        public AvroSchema? ById(int id) => Away ? throw new SchemaRegistryException("away") : inner.ById(id);

        public AvroSchema? ByFingerprint(ulong fingerprint) => Away ? throw new SchemaRegistryException("away")
            : inner.ByFingerprint(fingerprint);

        public RegisteredSchema? Latest(string subject) => inner.Latest(subject);
    }
}
