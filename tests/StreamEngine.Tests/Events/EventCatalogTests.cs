using System.Buffers;
using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Events.Avro;
using Xunit;

namespace StreamEngine.Tests.Events;

/// <summary>Compiling sources: every mistake at once; masks of dead letters.</summary>
public sealed class EventCatalogTests
{
    private static readonly EventSourceOptions Json = new() { Name = "j", Topic = "j", Format = RecordFormat.Json };

    [Fact]
    public void EveryMistakeIsReportedAtOnce()
    {
        var errors = Mistakes(
            [
                ShopEvents.Source with
                {
                    Id = "evnt_id",
                    Requires = ["personalisation"],
                    Pii = ["ulr"],
                    Fields = [Decoding.Field("value", "desimal(2)"), Decoding.Field("placement", "double"),
                        Decoding.Field("kind", "int", "type"), Decoding.Field("quantity", "int")],
                },
                Json with { Topic = "events", Time = new TimeFieldOptions { Field = "t", Format = "QQ" },
                    Fields = [Decoding.Field("quantity", "double")], Requires = ["ads"] },
                Json with { Format = RecordFormat.Avro, Schema = "no-such.avsc" , Id = "hash(a,)" },
                Json with { Name = "c", Topic = "c", Format = RecordFormat.Csv, Columns = ["customer", "event_id", "event_time"] },
            ],
            ["ads", "ads", "personalization"]);
        string[] expected =
        [
            "the purpose 'ads' is declared twice",
            "the source name 'j' is used twice",
            "the topic 'events' is used twice",
            "'desimal(2)' is no type (did you mean 'decimal(2)')",
            "the field 'quantity' has another type",
            "the field 'evnt_id' is not in the schema (did you mean 'event_id')",
            "the field 'type' is streamengine.events.EventType in the schema, which can't become int",
            "the purpose 'personalisation' is not declared (did you mean 'personalization')",
            "the field 'ulr' is not in the schema (did you mean 'url')",
            "the time format 'QQ' can't be used",
            "purposes are required, but no field has the consent",
            "the schema file 'no-such.avsc' can't be read",
            "'hash(a,)' is not well formed",
            "the column 'customer_id' is not in 'columns'",
        ];
        foreach (var text in expected)
            Assert.True(errors.Exists(e => e.Contains(text, StringComparison.Ordinal)), $"{text}\nin\n{string.Join("\n", errors)}");
        Assert.Equal(expected.Length, errors.Count);
    }

    [Fact]
    public void PersonalDataIsNoFieldAndPurposesAreBounded()
    {
        var errors = Mistakes([Json with { Pii = ["user"], Fields = [Decoding.Field("mail", "string", "user.mail")] }],
            [.. Enumerable.Range(0, 65).Select(i => $"p{i}")]);
        Assert.Equal(2, errors.Count);
        Assert.Contains(errors, e => e.Contains("personal data", StringComparison.Ordinal));
        Assert.Contains(errors, e => e.Contains("At most 64", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("email", "user.id", "event_id", "email")]
    [InlineData("user.id", "kind", "user.mail", "user")]
    [InlineData("$key", "kind", "hash(a, user.mail)", "user.mail")]
    [InlineData("$key", "kind", "hash(kind)", "kind")]
    [InlineData("person", "kind", "event_id", "person.mail")]
    [InlineData("$key", "kind", "hash(person)", "person.mail")]
    [InlineData("$key", "kind", "hash(users.0.mail)", "users.mail")]
    [InlineData("$key", "users.kind", "event_id", "users.1.kind.name")]
    public void PersonalDataIsNotWhatARecordIsKnownBy(string customer, string type, string id, string pii)
    {
        var source = Json with { Customer = customer, Type = type, Id = id, Pii = [pii] };
        var errors = Mistakes([source], []);
        Assert.NotEmpty(errors);
        Assert.All(errors, e => Assert.Matches("personal data by 'pii: .*Let the producer send a hash", e));
        Assert.Empty(Mistakes([source with { Pii = ["use", "mail", "user.mailing", "kinds", "users.2.name"] }], []));
    }

    [Theory]
    [InlineData("user", "user.email")]
    [InlineData("user.email.domain", "user.email")]
    [InlineData("users.0.email", "users.email")]
    [InlineData("users.email", "users.0")]
    [InlineData("users.0", "users.email")]
    [InlineData("tags.0", "tags")]
    public void WhatLiesAboveOrBelowPersonalDataIsNoFieldAndNoTime(string from, string pii)
    {
        var field = Assert.Single(Mistakes([Json with { Pii = [pii], Fields = [Decoding.Field("v", "string", from)] }], []));
        Assert.Contains($"personal data by 'pii: {pii}' ((code)), which is never kept", field, StringComparison.Ordinal);
        var time = Assert.Single(Mistakes([Json with { Pii = [pii], Time = new TimeFieldOptions { Field = from } }], []));
        Assert.Contains($"personal data by 'pii: {pii}', but the time ((code))", time, StringComparison.Ordinal);
        // Of consent nothing is kept but a yes or a no for each purpose.
        Assert.Empty(Mistakes([Json with { Pii = [pii], Consent = from }], []));
        // A column lies in no other.
        Assert.Empty(Mistakes([Json with { Format = RecordFormat.Csv, Pii = [pii], Fields = [Decoding.Field("v", "string", from)] }], []));
    }

    [Fact]
    public void APathThatIsNoneIsNoPersonalData() =>
        Assert.Contains("'a..b' is no path", Assert.Single(Mistakes([Json with { Pii = ["a..b"] }], [])), StringComparison.Ordinal);

    /// <summary>A value where the path steps further down may be what was meant.</summary>
    [Fact]
    public void ASingleValueAbovePersonalDataIsMasked()
    {
        var d = new Decoding(Json with { Pii = ["user.email", "tuple.1", "list.mail"] });
        Assert.Equal("""{"user":"***","tuple":["a","***"],"list":["***",{"mail":"***","n":1},0]}""",
            Mask(d, """{"user":"ann@x","tuple":["a","b"],"list":["ann@x",{"mail":"m","n":1},4912]}"""));
        Assert.Equal("\"***\"", Mask(d, "\"ann@x\""));

        var schema = AvroSchema.Parse("""
            { "type": "record", "name": "E", "fields": [ { "name": "n", "type": "string" }, { "name": "user", "type": ["string", "int",
              { "type": "record", "name": "U", "fields": [ { "name": "email", "type": "string" }, { "name": "age", "type": "int" } ] }] } ] }
            """);
        var avro = new Decoding(new()
        {
            Name = "a",
            Topic = "a",
            Customer = "n",
            Id = "hash(n)",
            Time = new() { Field = "$timestamp" },
            Pii = ["user.email"]
        }, new Schemas((1, schema)));
        var output = new ArrayBufferWriter<byte>();
        foreach (var (record, masked) in new (byte[], byte[])[]
        {
            ([2, 65, 0, 10, .. "ann@x"u8], [2, 65, 0, 6, .. "***"u8]),
            ([2, 65, 2, 50], [2, 65, 2, 0]),
            ([2, 65, 4, 10, .. "ann@x"u8, 60], [2, 65, 4, 6, .. "***"u8, 60]),
        })
        {
            output.ResetWrittenCount();
            Assert.True(avro.Catalog.TryMask(0, [0, 0, 0, 0, 1, .. record], output));
            Assert.Equal([0, 0, 0, 0, 1, .. masked], output.WrittenSpan.ToArray());
        }
    }

    [Fact]
    public void MistakesNameTheLine()
    {
        var node = new ConfigNode(new ConfigLocation("shop.yaml", 12, 5, "events.shop.fields.value"));
        var error =
            Assert.Single(Mistakes([Json with { Fields = [new FieldOptions { Name = "value", Type = "number", Node = node }] }], []));
        Assert.StartsWith("shop.yaml:12:5", error, StringComparison.Ordinal);
    }

    [Fact]
    public void SourcesShareFields()
    {
        var errors = new ConfigErrors();
        var catalog = EventCatalog.Compile(
            [Json with { Fields = [Decoding.Field("a", "int"), Decoding.Field("b", "decimal(2)")] },
                Json with { Name = "k", Topic = "k", Fields = [Decoding.Field("b", "decimal(2)", "x.y")] }],
            [], new Schemas(), "", errors);
        Assert.Empty(errors.All);
        Assert.Equal(["a", "b"], catalog.Fields.Fields.Select(f => f.Name));
        Assert.Equal(1, catalog.Sources[1].Index);
    }

    [Fact]
    public void AvroIsMaskedInItsFrame()
    {
        var shop = ShopEvents.Decoder();
        var bytes = ShopEvents.Encode();
        var output = new ArrayBufferWriter<byte>();
        Assert.True(shop.Catalog.TryMask(0, bytes, output));
        Assert.Equal(-1, output.WrittenSpan.IndexOf("shop.example"u8));
        Assert.True(output.WrittenSpan.IndexOf("\u0006***"u8) > 0);
        Assert.Equal(RejectReason.None, shop.Decode(output.WrittenSpan));
        Assert.Equal(1234, shop["value"].Bits);
        Assert.Equal(0UL, shop.Event.Consent);
        for (var cut = 0; cut < bytes.Length; cut++)
        {
            output.ResetWrittenCount();
            Assert.False(shop.Catalog.TryMask(0, bytes.AsSpan(0, cut), output));
            Assert.Equal(0, output.WrittenCount);
        }
    }

    [Theory]
    [InlineData("""{"mail":"x@y","n":[1,"é"],"user":{"phone":49123,"name":"Ann","ok":true},"list":[{"mail":"a"},{"mail":"b","c":1.50}]}""",
        """{"mail":"***","n":[1,"é"],"user":{"phone":0,"name":"***","ok":false},"list":[{"mail":"***"},{"mail":"***","c":1.50}]}""")]
    [InlineData("""{"mail":{"a":1},"user":null}""", """{"mail":"***","user":null}""")]
    [InlineData("""{"mail":"x@y" """, null)]
    [InlineData("""{"mail":"x@y"} {}""", null)]
    public void JsonIsMasked(string json, string? masked)
    {
        var d = new Decoding(Json with { Pii = ["mail", "user.phone", "user.name", "user.ok", "list.mail"] });
        Assert.Equal(masked, Mask(d, json));
    }

    [Theory]
    [InlineData("\"a,\"\"b\",ann@x,\"49, 12\",1", "\"a,\"\"b\",***,***,1")]
    [InlineData("a,,4912,1", "a,,0,1")]
    [InlineData("a,b,c", null)]
    public void CsvIsMasked(string line, string? masked)
    {
        var d = new Decoding(Json with
        {
            Format = RecordFormat.Csv,
            Columns = ["id", "mail", "phone", "t"],
            Customer = "id",
            Id = "hash(id)",
            Time = new TimeFieldOptions { Field = "t" },
            Pii = ["mail", "phone"],
        });
        Assert.Equal(masked, Mask(d, line));
    }

    [Fact]
    public void ATextThatIsNotReadIsNotChecked()
    {
        byte[] bad = [0xc3, 0x28, 0xff];
        var json = new Decoding(Json with { Customer = "c", Id = "hash(c)", Time = new TimeFieldOptions { Field = "t" }, Pii = ["mail"] });
        byte[] record = [.. """{"c":"a","t":5,"x":" """u8, .. bad, .. "\"}"u8];
        Assert.Equal(RejectReason.None, json.Decode(record));
        var output = new ArrayBufferWriter<byte>();
        Assert.False(json.Catalog.TryMask(0, record, output));
        Assert.Equal(RejectReason.BadUtf8, json.Decode((byte[])[.. "{\"t\":5,\"c\":\""u8, .. bad, .. "\"}"u8]));

        var csv = new Decoding(Json with
        {
            Format = RecordFormat.Csv,
            Columns = ["c", "t", "x"],
            Customer = "c",
            Id = "hash(c)",
            Time = new TimeFieldOptions { Field = "t" }
        });
        Assert.Equal(RejectReason.None, csv.Decode((byte[])[.. "a,5,"u8, .. bad]));
        Assert.Equal(RejectReason.BadUtf8, csv.Decode((byte[])[.. bad, .. ",5,x"u8]));

        var shop = ShopEvents.Decoder(ShopEvents.Source with { Pii = [] });
        var bytes = ShopEvents.Encode();
        bytes[bytes.AsSpan().IndexOf("Mozilla"u8)] = 0xff;
        Assert.Equal(RejectReason.None, shop.Decode(bytes));
        bytes[bytes.AsSpan().IndexOf("home-top"u8)] = 0xff;
        Assert.Equal(RejectReason.BadUtf8, shop.Decode(bytes));
    }

    private static string? Mask(Decoding d, string value)
    {
        var output = new ArrayBufferWriter<byte>();
        return d.Catalog.TryMask(0, Encoding.UTF8.GetBytes(value), output) ? Encoding.UTF8.GetString(output.WrittenSpan) : null;
    }

    private static List<string> Mistakes(IReadOnlyList<EventSourceOptions> sources, IReadOnlyList<string> purposes)
    {
        var errors = new ConfigErrors();
        EventCatalog.Compile(sources, purposes, new Schemas((1, ShopEvents.Schema)), AppContext.BaseDirectory, errors);
        return [.. errors.All.Select(e => e.ToString())];
    }
}
