using System.Text;
using StreamEngine.Events;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Events;

/// <summary>JSON records to events.</summary>
public sealed class JsonEventDecoderTests
{
    private static readonly EventSourceOptions Source = new()
    {
        Name = "click",
        Topic = "clicks",
        Format = RecordFormat.Json,
        Customer = "user.id",
        Time = new TimeFieldOptions { Field = "ts" },
        Consent = "consent",
        Fields =
        [
            Decoding.Field("title", "string"), Decoding.Field("price", "decimal(2)"), Decoding.Field("count", "int"),
                Decoding.Field("ok", "bool"),
            Decoding.Field("rate", "double"), Decoding.Field("sku", "string", "items.1.sku"), Decoding.Field("seen", "timestamp(seconds)"),
        ],
    };

    private static Decoding Decoder() => new(Source, null, "ads", "mail");

    [Fact]
    public void DeclaredPathsAreRead()
    {
        var d = Decoder();
        Assert.Equal(RejectReason.None, d.Decode("""
            { "event_id": "e1", "user": { "x": [1, {}], "id": 17 }, "ts": "2024-02-29T12:00:00.5+01:00", "consent": ["mail", "other"],
              "title": "a\"b\u00e9\ud83d\ude00\n", "price": -12.345, "count": 1e3, "ok": true, "rate": "0.25", "items": [ {}, { "sku": "S1" } ], "seen": 1.5, "more": { "a": null } }
            """));
        Assert.Equal("17", Encoding.UTF8.GetString(d.Event.Customer.Text));
        Assert.Equal("click", Encoding.UTF8.GetString(d.Event.Type.Text));
        Assert.Equal(DateTimeOffset.Parse("2024-02-29T11:00:00.5Z").ToUnixTimeMilliseconds(), d.Event.Time);
        Assert.Equal(0b10UL, d.Event.Consent);
        Assert.Equal("a\"bé😀\n", d.Text("title"));
        Assert.Equal(-1234, d["price"].Bits);
        Assert.Equal(1000, d["count"].Bits);
        Assert.Equal(1, d["ok"].Bits);
        Assert.Equal(0.25, d["rate"].Double);
        Assert.Equal("S1", d.Text("sku"));
        Assert.Equal(1500, d["seen"].Bits);
    }

    [Theory]
    [InlineData("""{ "event_id": "e", "user": { "id": "c" }, "ts": 5 }""", RejectReason.None)]
    [InlineData("""{ "event_id": "e", "user": { "id": "c" }, "ts": 5, "title": null, "count": null }""", RejectReason.None)]
    [InlineData("""{ "event_id": "e", "\u0075ser": { "id": "c" }, "ts": 5 }""", RejectReason.None)]
    [InlineData("""{ "event_id": "e", "user": { "id": null }, "ts": 5 }""", RejectReason.MissingCustomer)]
    [InlineData("""{ "user": { "id": "c" }, "ts": 5 }""", RejectReason.MissingId)]
    [InlineData("""{ "event_id": "e", "user": { "id": "c" } }""", RejectReason.MissingTime)]
    [InlineData("""{ "event_id": "e", "user": { "id": "c" }, "ts": "soon" }""", RejectReason.WrongType)]
    [InlineData("""{ "event_id": "e", "user": "c", "ts": 5 }""", RejectReason.WrongType)]
    [InlineData("""{ "event_id": "e", "user": { "id": "c" }, "ts": 5, "count": 1.5 }""", RejectReason.WrongType)]
    [InlineData("""{ "event_id": "e", "user": { "id": "c" }, "ts": 5, "count": 9223372036854775808 }""", RejectReason.WrongType)]
    [InlineData("""{ "event_id": "e", "user": { "id": "c" }, "ts": 5, "title": {} }""", RejectReason.WrongType)]
    [InlineData("""{ "event_id": "e", "user": { "id": "c" }, "ts": 5, "title": "\ud800" }""", RejectReason.BadUtf8)]
    [InlineData("""{ "event_id": "e", "user": { "id": "c" }, "ts": 5 } {}""", RejectReason.Malformed)]
    [InlineData("""[]""", RejectReason.Malformed)]
    [InlineData("", RejectReason.Malformed)]
    public void FaultsHaveReasons(string json, RejectReason reason) => Assert.Equal(reason, Decoder().Decode(json));

    [Theory]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("{ \"id\": null }")]
    public void OfARepeatedNameTheLastOneCountsAlsoWhereItHasNothing(string last)
    {
        var d = Decoder();
        Assert.Equal(RejectReason.MissingCustomer, d.Decode($$"""{ "event_id": "e", "user": { "id": "c" }, "ts": 5, "user": {{last}} }"""));
        Assert.Equal(RejectReason.None, d.Decode($$"""{ "event_id": "e", "user": {{last}}, "ts": 5, "user": { "id": "c" } }"""));
    }

    [Theory]
    [InlineData("""["ads"], "consent": null""", 0UL)]
    [InlineData("""["ads"], "consent": {}""", 0UL)]
    [InlineData("""{ "ads": true, "ads": false }""", 0UL)]
    [InlineData("""{ "ads": false, "ads": true }""", 1UL)]
    [InlineData("""{ "\u0061ds": true, "d\u006f it": true }""", 5UL)]
    [InlineData("""["do it", "mail"]""", 6UL)]
    [InlineData("""["d\u006f it"]""", 4UL)]
    [InlineData("\"ads,mail\"", 3UL)]
    public void ConsentIsReadByItsNamesAsTheyAreMeant(string consent, ulong bits)
    {
        var d = new Decoding(Source, null, "ads", "mail", "do it");
        Assert.Equal(RejectReason.None, d.Decode($$"""{ "event_id": "e", "user": { "id": "c" }, "ts": 5, "consent": {{consent}} }"""));
        Assert.Equal(bits, d.Event.Consent);
    }

    [Fact]
    public void AHashTellsAnAbsentFieldFromEveryText()
    {
        var d = new Decoding(Source with { Id = "hash(a, b, c)" });
        string[] records = ["", "absent", "b", "null"];
        var fields = records.Select(text => $"\"b\": \"{text}\",").Append("").Append("\"c\": \"\",").Append("\"c\": \"absent\",");
        var hashes = fields.Select(b =>
        {
            Assert.Equal(RejectReason.None, d.Decode($$"""{ "a": "x", {{b}} "user": { "id": "c" }, "ts": 5 }"""));
            return d.Event.IdHash;
        }).ToList();
        Assert.Equal(hashes.Count, hashes.Distinct().Count());
    }

    [Fact]
    public void EveryTruncationIsMalformedAndBadUtf8IsFoundWhereItIsKept()
    {
        var d = Decoder();
        var json = """{"event_id":"e","user":{"id":"c"},"ts":5,"title":"é\u00e9","free":"x"}"""u8.ToArray();
        Assert.Equal(RejectReason.None, d.Decode(json));
        for (var cut = 0; cut < json.Length; cut++) Assert.Equal(RejectReason.Malformed, d.Decode(json.AsSpan(0, cut)));
        json[json.AsSpan().IndexOf("é"u8)] = 0xff;
        Assert.Equal(RejectReason.BadUtf8, d.Decode(json));
    }

    [Fact]
    public void NothingIsAllocatedPerEvent()
    {
        var d = Decoder();
        var json = """{"event_id":"e1","user":{"id":"customer-1"},"ts":1700000000000,"consent":["ads"],"title":"a\u00e9\"b","price":12.34,"rate":0.5,"free":{"a":[1,2,3]}}"""u8.ToArray();
        void Run()
        {
            for (var i = 0; i < 1_000; i++)
            {
                d.Event.BeginBatch();
                d.Event.Clear();
                Assert.True(d.Decode(json, new Range32(0, json.Length), d.Event) == RejectReason.None);
            }
        }
        Run();
        Assert.Equal(0, Allocations.Least(Run));
    }
}
