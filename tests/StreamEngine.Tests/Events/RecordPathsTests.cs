using System.Buffers;
using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Events.Avro;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Events;

/// <summary>Where customer, id, time and consent come from: one of several fields, parts of the record itself, flags by purpose.</summary>
public sealed class RecordPathsTests
{
    private static readonly AvroSchema Schema = AvroSchema.Parse("""
        { "type": "record", "name": "E", "fields": [
          { "name": "userId", "type": ["null", "string"] }, { "name": "anonymousId", "type": ["null", "string"] },
          { "name": "id", "type": ["null", "string"] }, { "name": "messageId", "type": ["null", "string"] },
          { "name": "t", "type": ["null", "string"] }, { "name": "u", "type": ["null", "string"] } ] }
        """);

    private static readonly EventSourceOptions Source = new()
    {
        Name = "s",
        Topic = "s",
        Customer = Several("userId", "anonymousId"),
        Id = Several("id", "messageId"),
        Time = new TimeFieldOptions { Field = Several("t", "u") },
    };

    /// <summary>The values of userId, anonymousId, id, messageId, t and u; "-" is absent, "" an empty text.</summary>
    [Theory]
    [InlineData("ann anon 1 2 5 6", "ann 1 5")]
    [InlineData("- anon - 2 - 6", "anon 2 6")]
    [InlineData("'' anon '' 2 '' 6", "anon 2 6")]
    [InlineData("0 anon 0 2 0 6", "0 0 0")]
    [InlineData("'' - 1 2 5 6", "MissingCustomer: no value in 'userId' or 'anonymousId'")]
    [InlineData("a - '' '' 5 6", "MissingId: no value in 'id' or 'messageId'")]
    [InlineData("a - 1 - '' -", "MissingTime: no value in 't' or 'u'")]
    [InlineData("a - 1 - soon 5", "WrongType: field 't': 'soon' is not a time written as ISO 8601 or as milliseconds since 1970 (another "
        + "way needs a format)")]
    public void TheFirstThatHasAValueCountsInEveryFormat(string values, string expected)
    {
        var fields = values.Split(' ').Select(v => v == "-" ? null : v == "''" ? "" : v).ToArray();
        string[] names = ["userId", "anonymousId", "id", "messageId", "t", "u"];
        var json = "{" + string.Join(",", names.Zip(fields).Where(f => f.Second is not null).Select(f => $"\"{f.First}\":\"{f.Second}\""))
            + "}";
        Assert.Equal(expected, Read(new Decoding(Source with { Format = RecordFormat.Json }), Encoding.UTF8.GetBytes(json)));

        var csv = string.Join(",", fields.Select(f => f == "" ? "\"\"" : f));
        Assert.Equal(expected, Read(new Decoding(Source with { Format = RecordFormat.Csv, Columns = names }), Encoding.UTF8.GetBytes(csv)));

        var bytes = new ArrayBufferWriter<byte>();
        var avro = new AvroWriter(bytes);
        avro.ConfluentHeader(1);
        foreach (var field in fields)
        {
            avro.Long(field is null ? 0 : 1);
            if (field is not null) avro.String(field);
        }
        Assert.Equal(expected, Read(new Decoding(Source, new Schemas((1, Schema))), bytes.WrittenSpan));
    }

    [Fact]
    public void ARepeatedNameOfJsonTakesBackWhatItGave()
    {
        var d = new Decoding(Source with { Format = RecordFormat.Json });
        Assert.Equal("anon 1 5", Read(d, """{"userId":"ann","anonymousId":"anon","id":"1","t":5,"userId":null}"""u8));
    }

    [Fact]
    public void TheKeyMayStandInForTheCustomer_AndAHashForTheId()
    {
        var d = new Decoding(Source with
        {
            Format = RecordFormat.Json,
            Customer = Several("userId", "$key"),
            Id = Several("id", "hash(userId, t)"),
        });
        Assert.Equal("ann 1 5", Read(d, """{"userId":"ann","id":"1","t":5}"""u8, "k"));
        Assert.Equal("k 1 5", Read(d, """{"userId":"","id":"1","t":5}"""u8, "k"));
        Assert.Equal("MissingCustomer: no value in 'userId', and no key", Read(d, """{"id":"1","t":5}"""u8));
        Assert.Equal(RejectReason.None, d.Decode("""{"userId":"ann","t":5}"""));
        var hash = d.Event.IdHash;
        Assert.True(d.Event.Id.Length == 0 && hash != 0);
        d.Decode("""{"userId":"ann","t":6}""");
        Assert.NotEqual(hash, d.Event.IdHash);
        d.Decode("""{"userId":"ann","id":"1","t":6}""");
        Assert.Equal(Hash64.Of("1"u8), d.Event.IdHash);

        var keyed = new Decoding(Source with { Format = RecordFormat.Json, Customer = "$key" });
        Assert.Equal("k 1 5", Read(keyed, """{"id":"1","t":5}"""u8, "k"));
        Assert.Equal("MissingCustomer: the record has no key", Read(keyed, """{"id":"1","t":5}"""u8));
    }

    [Fact]
    public void AFieldMayBeCalledLikeAPartOfTheRecord()
    {
        var d = new Decoding(Source with
        {
            Format = RecordFormat.Json,
            Customer = "\\$key",
            Time = new TimeFieldOptions { Field = "timestamp" },
            Fields = [Decoding.Field("url", "string", "properties.$url")],
        });
        Assert.Equal("ann 1 1709287200000",
            Read(d, """{"$key":"ann","id":"1","timestamp":"2024-03-01T10:00:00Z","properties":{"$url":"/x"}}"""u8, "k"));
        Assert.Equal("/x", d.Text("url"));
        var csv = new Decoding(Source with
        {
            Format = RecordFormat.Csv,
            Columns = ["$key", "id", "t"],
            Customer = "\\$key",
            Id = "id",
            Time = new TimeFieldOptions { Field = "t" }
        });
        Assert.Equal("ann 1 5", Read(csv, "ann,1,5"u8, "k"));
    }

    [Fact]
    public void TheRecordsOwnTimeCountsWhereNoFieldHasOne()
    {
        var options = Scenario.Options();
        options = options with
        {
            Events = [options.Events[0] with { Time = new TimeFieldOptions { Field = Several("time", "$timestamp") }, Consent = null }],
        };
        using var engine = Scenario.Compile(options, new LinearModels(1));
        using var driver = new ShardDriver(engine);
        const long minute = 60_000;
        driver.Add("a", $$"""{"id":"1","customer":"a","type":"purchase","time":{{Scenario.Start}},"value":1}""", Scenario.Start + 5 * minute);
        driver.Add("b", """{"id":"2","customer":"b","type":"purchase","value":1}""", Scenario.Start + 3 * minute);
        driver.Process();
        var recency = engine.Features.Names.ToList().IndexOf("recency");
        Assert.Equal(10, driver.Features("a", Scenario.Start + 10 * minute)[recency]);
        Assert.Equal(7, driver.Features("b", Scenario.Start + 10 * minute)[recency]);
    }

    [Fact]
    public void WordsThatMeantAPartOfTheRecordAreFieldsNow_AndThatIsSaid()
    {
        Assert.Equal(["(code): events.s.customer: 'key' is read as the field of that name. It meant the record's key once, which is now "
            + "written $key; write [key] where the field is meant, and this is said no more"], Said(Json("key", "t")));
        Assert.Contains("$timestamp", Assert.Single(Said(Json("c", "timestamp"))), StringComparison.Ordinal);
        Assert.Empty(Said(Json("$key", "$timestamp")));
        Assert.Empty(Said(Json(Several("key"), Several("timestamp"))));
        Assert.Empty(Said(Json("c", "timestamp") with { Time = new TimeFieldOptions { Field = "timestamp", Format = "iso" } }));

        static EventSourceOptions Json(OneOrMore customer, OneOrMore time) => Source with
        {
            Format = RecordFormat.Json,
            Customer = customer,
            Time = new TimeFieldOptions { Field = time },
        };

        static List<string> Said(EventSourceOptions source) => new Decoding(source).Problems;
    }

    [Theory]
    [InlineData("$timestamp", "id", "t", "'$timestamp' is the record's own time, which can't stand here. A field that is called so is "
        + "written '\\$timestamp'")]
    [InlineData("c", "$key", "t", "'$key' is the record's key, which can't stand here")]
    [InlineData("c", "id", "$time", "'$time' is no part of a record: there are $key and $timestamp")]
    [InlineData("c", "id", "$timestamp|t", "what stands behind '$timestamp' is never read")]
    [InlineData("c", "hash(a)|id", "t", "what stands behind 'hash(a)' is never read")]
    [InlineData("c|", "id", "t", "'' is no path")]
    public void WhatCannotBeMeantIsRefused(string customer, string id, string time, string expected)
    {
        var errors = new ConfigErrors();
        EventCatalog.Compile([Source with { Format = RecordFormat.Json, Customer = One(customer), Id = One(id),
            Time = new TimeFieldOptions { Field = One(time) } }], [], new Schemas(), "", errors);
        Assert.Contains(expected, Assert.Single(errors.All).ToString(), StringComparison.Ordinal);

        static OneOrMore One(string paths) => paths.Contains('|') ? Several(paths.Split('|')) : paths;
    }

    /// <summary>What a field may say of one purpose, and whether that is a yes.</summary>
    [Theory]
    [InlineData("true", true)]
    [InlineData("TRUE", true)]
    [InlineData("1", true)]
    [InlineData("yes", true)]
    [InlineData(" Granted ", true)]
    [InlineData("false", false)]
    [InlineData("0", false)]
    [InlineData("no", false)]
    [InlineData("denied", false)]
    [InlineData("opted in", false)]
    [InlineData("", false)]
    [InlineData("2", false)]
    public void AFlagIsAYesOrElseANo(string text, bool given)
    {
        var source = Source with
        {
            Format = RecordFormat.Json,
            Customer = "c",
            Id = "hash(c)",
            Time = new TimeFieldOptions { Field = "t" },
            Consent = new OneOrNamed([new("ads", "consent.ads"), new("email", "consent.mail"), new("sms", "consent.mail")]),
            Requires = ["ads"],
        };
        var json = new Decoding(source, null, "ads", "email", "sms");
        Assert.Equal(given ? 1UL : 0, Consent(json, $$$"""{"c":"a","t":5,"consent":{"ads":"{{{text}}}"}}"""));
        Assert.Equal(given ? 6UL : 0, Consent(json, $$$"""{"c":"a","t":5,"consent":{"mail":"{{{text}}}"}}"""));
        if (text.ToLowerInvariant() is "true" or "false" or "1" or "0" or "2")
            Assert.Equal(given ? 1UL : 0, Consent(json, $$$"""{"c":"a","t":5,"consent":{"ads":{{{text.ToLowerInvariant()}}}}}"""));
        Assert.Equal(0UL, Consent(json, $$$"""{"c":"a","t":5,"consent":{"ads":true,"ads":["{{{text}}}"]}}"""));

        var csv = new Decoding(source with { Format = RecordFormat.Csv, Columns = ["c", "t", "consent.ads", "consent.mail"] }, null,
            "ads", "email", "sms");
        Assert.Equal(given ? 1UL : 0, Consent(csv, $"a,5,{text},"));
        Assert.Equal(given ? 7UL : 6, Consent(csv, $"a,5,{text},true"));

        var avro = new Decoding(source with { Format = RecordFormat.Avro }, new Schemas((1, AvroSchema.Parse("""
            { "type": "record", "name": "E", "fields": [ { "name": "c", "type": "string" }, { "name": "t", "type": "long" },
              { "name": "consent", "type": { "type": "record", "name": "C", "fields": [
                { "name": "ads", "type": ["null", "boolean", "int", "string", { "type": "enum", "name": "G", "symbols": ["denied", "GRANTED"] }] },
                { "name": "mail", "type": "boolean" } ] } } ] }
            """))), "ads", "email", "sms");
        byte[] head = [0, 0, 0, 0, 1, 2, (byte)'a', 10];
        Assert.Equal(given ? 7UL : 6, Bits(avro, [.. head, 6, (byte)(text.Length * 2), .. Encoding.UTF8.GetBytes(text), 1]));
        Assert.Equal(0UL, Bits(avro, [.. head, 0, 0]));
        Assert.Equal(1UL, Bits(avro, [.. head, 2, 1, 0]));
        Assert.Equal(0UL, Bits(avro, [.. head, 2, 0, 0]));
        Assert.Equal(1UL, Bits(avro, [.. head, 4, 2, 0]));
        Assert.Equal(0UL, Bits(avro, [.. head, 4, 4, 0]));
        Assert.Equal(1UL, Bits(avro, [.. head, 8, 2, 0]));
        Assert.Equal(0UL, Bits(avro, [.. head, 8, 0, 0]));
        Assert.Equal(RejectReason.Malformed, avro.Decode([.. head, 2, 2, 0]));

        static ulong Consent(Decoding d, string record) => Bits(d, Encoding.UTF8.GetBytes(record));

        static ulong Bits(Decoding d, ReadOnlySpan<byte> record)
        {
            Assert.Equal(RejectReason.None, d.Decode(record));
            return d.Event.Consent;
        }
    }

    [Fact]
    public void ConsentByPurposeNamesDeclaredPurposesAndAllThatAreRequired()
    {
        var errors = new ConfigErrors();
        EventCatalog.Compile([Source with { Format = RecordFormat.Json, Consent = new OneOrNamed([new("adds", "a"), new("email", "")]),
            Requires = ["ads"] }], ["ads", "email"], new Schemas(), "", errors);
        Assert.Equal(["the purpose 'adds' is not declared (did you mean 'ads')", "'' is no path",
            "the purpose 'ads' is required, but 'consent' names no field for it"], errors.All.Select(e => e.Message));
    }

    [Fact]
    public void ChoosingAllocatesNothing()
    {
        var d = new Decoding(Source with { Format = RecordFormat.Json, Consent = new OneOrNamed([new("ads", "ok")]) }, null, "ads");
        var bytes = """{"anonymousId":"anon","messageId":"2","u":6,"ok":"granted"}"""u8.ToArray();
        Assert.Equal("anon 2 6", Read(d, bytes));
        Assert.Equal(0, Allocations.Least(() =>
        {
            for (var i = 0; i < 1_000; i++)
            {
                d.Event.BeginBatch();
                d.Event.Clear();
                d.Decode(bytes, new Range32(0, bytes.Length), d.Event);
            }
        }));
    }

    private static OneOrMore Several(params string[] paths) => new(paths);

    private static string Read(Decoding d, ReadOnlySpan<byte> record, string? key = null)
    {
        var reason = d.Decode(record, key);
        var detail = new byte[512];
        return reason == RejectReason.None
            ? $"{Encoding.UTF8.GetString(d.Event.Customer.Text)} {Encoding.UTF8.GetString(d.Event.Id.Text)} {d.Event.Time}"
            : $"{reason}: {Encoding.UTF8.GetString(detail, 0, d.Catalog.Sources[0].Explain(d.Event, reason, detail))}";
    }
}
