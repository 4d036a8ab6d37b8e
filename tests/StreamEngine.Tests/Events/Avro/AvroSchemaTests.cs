using System.Text.Json.Nodes;
using StreamEngine.Events.Avro;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Events.Avro;

/// <summary>Schema parsing, canonical form and fingerprints: vectors of Avro's own schema-tests.txt.</summary>
public sealed class AvroSchemaTests
{
    [Theory]
    [InlineData("\"null\"", "\"null\"", 7195948357588979594)]
    [InlineData("{\"type\":\"boolean\"}", "\"boolean\"", -6970731678124411036)]
    [InlineData("\"int\"", "\"int\"", 8247732601305521295)]
    [InlineData("\"long\"", "\"long\"", -3434872931120570953)]
    [InlineData("\"float\"", "\"float\"", 5583340709985441680)]
    [InlineData("\"double\"", "\"double\"", -8181574048448539266)]
    [InlineData("\"bytes\"", "\"bytes\"", 5746618253357095269)]
    [InlineData("\"string\"", "\"string\"", -8142146995180207161)]
    [InlineData("[ \"int\"  ]", "[\"int\"]", -5232228896498058493)]
    [InlineData("[ \"int\" , {\"type\":\"boolean\"} ]", "[\"int\",\"boolean\"]", 5392556393470105090)]
    [InlineData("{\"fields\":[], \"type\":\"record\", \"name\":\"foo\"}", "{\"name\":\"foo\",\"type\":\"record\",\"fields\":[]}",
        -4824392279771201922)]
    [InlineData("{\"fields\":[], \"type\":\"record\", \"name\":\"foo\", \"namespace\":\"x.y\"}",
        "{\"name\":\"x.y.foo\",\"type\":\"record\",\"fields\":[]}", 5916914534497305771)]
    [InlineData("{\"fields\":[], \"type\":\"record\", \"name\":\"a.b.foo\", \"namespace\":\"x.y\"}",
        "{\"name\":\"a.b.foo\",\"type\":\"record\",\"fields\":[]}", -4616218487480524110)]
    [InlineData("{\"type\":\"record\",\"name\":\"foo\",\"doc\":\"Useful "
        + "info\",\"fields\":[{\"name\":\"f1\",\"type\":\"boolean\",\"default\":true}]}",
        "{\"name\":\"foo\",\"type\":\"record\",\"fields\":[{\"name\":\"f1\",\"type\":\"boolean\"}]}", 7843277075252814651)]
    public void CanonicalFormAndFingerprintAreThePublishedOnes(string json, string canonical, long fingerprint)
    {
        var schema = AvroSchema.Parse(json);
        Assert.Equal(canonical, schema.CanonicalForm);
        Assert.Equal((ulong)fingerprint, schema.Fingerprint);
    }

    [Fact]
    public void NamesAreFoundInTheEnclosingNamespaceAndTypesMayReferToThemselves()
    {
        var schema = AvroSchema.Parse("""
            { "type": "record", "name": "Node", "namespace": "a.b", "aliases": ["Old", "c.Older"], "fields": [
              { "name": "left", "type": ["null", "Node"], "default": null },
              { "name": "hash", "type": { "type": "fixed", "name": "other.Md5", "size": 16 } },
              { "name": "again", "type": "other.Md5" } ] }
            """);
        Assert.Equal("a.b.Node", schema.FullName);
        Assert.Equal(["a.b.Old", "c.Older"], schema.Aliases);
        Assert.Same(schema, schema.Field("left")!.Schema.Branches[1]);
        Assert.Same(schema.Field("hash")!.Schema, schema.Field("again")!.Schema);
    }

    [Fact]
    public void LogicalTypesAreReadAndInvalidOnesIgnored()
    {
        AvroSchema Of(string json) => AvroSchema.Parse(json);
        var price = Of("""{ "type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2 }""");
        Assert.Equal((AvroLogical.Decimal, 9, 2), (price.Logical, price.Precision, price.Scale));
        Assert.Equal(AvroLogical.None, Of("""{ "type": "bytes", "logicalType": "decimal", "precision": 2, "scale": 3 }""").Logical);
        Assert.Equal(AvroLogical.None, Of("""{ "type": "fixed", "name": "F", "size": 1, "logicalType": "decimal", "precision": 3 }""").Logical);
        Assert.Equal(AvroLogical.TimestampMicros, Of("""{ "type": "long", "logicalType": "timestamp-micros" }""").Logical);
        Assert.Equal(AvroLogical.None, Of("""{ "type": "int", "logicalType": "timestamp-micros" }""").Logical);
        Assert.Equal(AvroLogical.None, Of("""{ "type": "string", "logicalType": "something" }""").Logical);
    }

    [Theory]
    [InlineData("{\n \"type\": \"record\", \"name\": \"R\",\n \"fields\": [ { \"name\": \"a\", \"type\": \"strng\" } ] }", 3,
        "did you mean 'string'")]
    [InlineData("{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\",\n\"default\":\"x\"}]}", 2,
        "the default of 'a' does not fit")]
    [InlineData("[\"int\",\n\"int\"]", 2, "Duplicate type in union: int")]
    [InlineData("[\"int\",\n[\"long\"]]", 2, "union directly")]
    [InlineData("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"a\",\"a\"]}", 1, "Duplicate symbol: a")]
    [InlineData("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"a\",\n\"a-b\"]}", 2, "no valid symbol")]
    [InlineData("{\"type\":\"record\",\n\"name\":\"1R\",\"fields\":[]}", 2, "no valid name")]
    [InlineData("{\"type\":\"record\",\"name\":\"R\",\n\"namespace\":\"a-b\",\"fields\":[]}", 2, "no valid namespace")]
    [InlineData("{\"type\":\"record\",\n\"name\":\"int\",\"fields\":[]}", 2, "primitive type")]
    [InlineData("{\"type\":\"fixed\",\"name\":\"F\",\"size\":\"4\"}", 1, "not an integer")]
    [InlineData("{\"type\":\"array\"}", 1, "'items' is missing")]
    [InlineData("\n{\"type\":\"foo\"}", 2, "unknown type 'foo'")]
    [InlineData("{\"type\":5}", 1, "a schema is a name")]
    [InlineData("{\"type\":\"record\",\"name\":\"R\",\"fields\":[\n\"a\"]}", 2, "a field is an object")]
    [InlineData("{\"type\":\"record\",", 1, "not valid JSON")]
    [InlineData("{\"type\":\"int\",\n\"type\":\"int\"}", 1, "Duplicate property 'type'")]
    public void Mistakes_are_shown_by_their_line(string json, int line, string reason)
    {
        var e = Assert.Throws<AvroSchemaException>(() => AvroSchema.Parse(json));
        Assert.Contains(reason, e.Reason, StringComparison.Ordinal);
        Assert.Equal(line, e.Line);
    }

    [Fact]
    public void A_type_within_type_is_taken_and_a_logical_type_around_it_too()
    {
        Assert.Equal("{\"type\":\"array\",\"items\":\"int\"}", AvroSchema.Parse("""{"type":{"type":"array","items":{"type":"int"}}}""").CanonicalForm);
        var price = AvroSchema.Parse("""{"type":{"type":"bytes"},"logicalType":"decimal","precision":9,"scale":2}""");
        Assert.Equal((AvroLogical.Decimal, 9, 2), (price.Logical, price.Precision, price.Scale));
    }

    [Theory]
    [InlineData("\"double\"", "0.1", "9A9999999999B93F")] // Apache's library makes a float of it
    [InlineData("\"double\"", "3000000000", "000000C00B5AE641")]
    [InlineData("\"double\"", "\"NaN\"", "000000000000F8FF")]
    [InlineData("\"float\"", "1", "0000803F")]
    [InlineData("\"string\"", "\"2020-01-01T00:00:00Z\"", "28323032302D30312D30315430303A30303A30305A")]
    [InlineData("[\"string\",\"null\"]", "null", "02")]
    [InlineData("[\"null\",\"string\"]", "\"x\"", "020278")]
    [InlineData("\"bytes\"", "\"\\u00ff\"", "02FF")]
    [InlineData("{\"type\":\"map\",\"values\":\"int\"}", "{\"a\":1}", "0202610200")]
    [InlineData("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}", "\"B\"", "02")]
    [InlineData("""{"type":"record","name":"S","fields":[{"name":"x","type":"int"},{"name":"y","type":"int","default":3}]}""", "{\"x\":1}", "0206")]
    public void Defaults_become_the_bytes_that_the_specification_says(string type, string json, string hex)
    {
        var schema = AvroSchema.Parse($$"""{"type":"record","name":"R","fields":[{"name":"a","type":{{type}},"default":{{json}}}]}""");
        Assert.Equal(hex.Replace(" ", ""), Convert.ToHexString(schema.Field("a")!.Default!));
    }

    [Theory]
    [InlineData("\"int\"", "3000000000")]
    [InlineData("\"long\"", "9223372036854775808")]
    [InlineData("\"long\"", "1.0")]
    [InlineData("\"boolean\"", "0")]
    [InlineData("\"bytes\"", "\"\\u0100\"")]
    [InlineData("{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}", "\"a\"")]
    [InlineData("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"]}", "\"B\"")]
    [InlineData("[\"null\",\"int\"]", "\"x\"")]
    [InlineData("\"R\"", "{}")] // which would hold itself without end
    public void Unfit_defaults_are_refused_in_a_readers_schema_only(string type, string json)
    {
        var schema = $$"""{"type":"record","name":"R","fields":[{"name":"a","type":{{type}},"default":{{json}}}]}""";
        Assert.Contains("the default of 'a' ", Assert.Throws<AvroSchemaException>(() => AvroSchema.Parse(schema)).Reason);
        Assert.False(AvroSchema.ParseWriter(schema).Field("a")!.HasDefault);
    }

    [Theory]
    [InlineData("""{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}""", """{"type":"bytes","logicalType":"decimal","precision":9,"scale":4}""")]
    [InlineData("""{"type":"long","logicalType":"timestamp-millis"}""", """{"type":"long","logicalType":"timestamp-micros"}""")]
    [InlineData("""{"type":"record","name":"R","fields":[{"name":"a","type":"int","default":1}]}""", """{"type":"record","name":"R","fields":[{"name":"a","type":"int","default":2}]}""")]
    [InlineData("""{"type":"record","name":"R","fields":[{"name":"a","type":"int","aliases":["b"]}]}""", """{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}""")]
    [InlineData("""{"type":"record","name":"R","aliases":["b"],"fields":[]}""", """{"type":"record","name":"R","fields":[]}""")]
    public void Schemas_of_one_canonical_form_are_told_apart_by_what_they_mean(string one, string other)
    {
        Assert.Equal(AvroSchema.Parse(one).CanonicalForm, AvroSchema.Parse(other).CanonicalForm);
        Assert.NotEqual(AvroSchema.Parse(one).Identity, AvroSchema.Parse(other).Identity);
        var writersDiffer = one.Contains("logicalType");
        Assert.Equal(writersDiffer, AvroSchema.ParseWriter(one).Identity != AvroSchema.ParseWriter(other).Identity);
        var documented = one.Insert(1, "\"doc\":\"text\", \"x\":{\"y\":1}, ");
        Assert.Equal(AvroSchema.Parse(one).Identity, AvroSchema.Parse(documented).Identity);
    }

    [Fact]
    public void A_writers_schema_keeps_the_names_that_the_specification_does_not_allow()
    {
        const string json = """
            {"type":"record","name":"1-R","namespace":"my-shop","aliases":["-"],"fields":[
              {"name":"order-id","type":"string"},{"name":"","type":["null","my-shop.1-R"],"default":7},
              {"name":"e","type":{"type":"enum","name":"E","symbols":["a-b"],"default":"z"}},{"name":"again","type":"E"}]}
            """;
        var schema = AvroSchema.ParseWriter(json);
        Assert.Equal("my-shop.1-R", schema.FullName);
        Assert.Equal(["order-id", "", "e", "again"], schema.Fields.Select(f => f.Name));
        Assert.Same(schema, schema.Field("")!.Schema.Branches[1]);
        Assert.Equal("""{"name":"my-shop.1-R","type":"record","fields":[{"name":"order-id","type":"string"},{"name":"","type":["null","my-shop.1-R"]},"""
            + """{"name":"e","type":{"name":"my-shop.E","type":"enum","symbols":["a-b"]}},{"name":"again","type":"my-shop.E"}]}""", schema.CanonicalForm);
        Assert.NotEqual(schema.Identity, AvroSchema.ParseWriter(json.Replace("order-id", "order+id")).Identity);
        Assert.Throws<AvroSchemaException>(() => AvroSchema.Parse(json));
    }

    [Fact]
    public void Large_and_deep_schemas_are_read_in_time_or_refused() =>
        Assert.InRange(ThreadTime.Of(ReadLargeAndDeep).TotalSeconds, 0, 20);

    private static void ReadLargeAndDeep()
    {
        static string Of(int n, Func<int, string> part) => string.Join(',', Enumerable.Range(0, n).Select(part));
        var symbols = AvroSchema.Parse($$"""{"type":"enum","name":"E","symbols":[{{Of(80_000, i => $"\"S{i}\"")}}]}""");
        Assert.Empty(AvroCompatibility.Check(symbols, symbols));
        Assert.Equal(80_000, symbols.Symbols.Count(s => AvroResolution.Symbol(symbols, s) == s));
        var fields = AvroSchema.Parse($$"""{"type":"record","name":"R","fields":[{{Of(9_000, i => $$"""{"name":"f{{i}}","aliases":["g{{i}}"],"type":"int"}""")}}]}""");
        Assert.Empty(AvroCompatibility.Check(fields, fields));
        Assert.All(fields.Fields, f => Assert.Same(f, AvroResolution.ReaderField(fields, fields, f)));
        var nullable = AvroSchema.Parse(
            $$"""{"type":"record","name":"R","fields":[{{Of(6_000, i => $$"""{"name":"f{{i}}","type":["null","int"]}""")}}]}""");
        Assert.Empty(AvroCompatibility.Check(nullable, nullable));
        Assert.Equal(6_000, AvroSkipper.Of(nullable).Length(new byte[6_000]));
        string[] refused =
        [
            $$"""{"type":"record","name":"R","fields":[{{Of(30_000, i => $$"""{"name":"f{{i}}","type":"int"}""")}}]}""",
            string.Concat(Enumerable.Repeat("{\"type\":\"array\",\"items\":", 100_000)) + "\"int\"" + new string('}', 100_000),
            string.Concat(Enumerable.Repeat("{\"type\":", 100_000)) + "\"int\"" + new string('}', 100_000),
            new string(' ', 5 << 20) + "\"int\"",
            "\"" + new string('x', 3 << 20) + "\"",
            $$"""{"type":"record","name":"R","fields":[{"name":"a","type":"int","default":{{new string('9', 1 << 20)}}}]}""",
        ];
        foreach (var json in refused)
            Assert.InRange(Assert.Throws<AvroSchemaException>(() => AvroSchema.ParseWriter(json)).Message.Length, 1, 3_000);
    }

    [Fact]
    public void A_long_chain_of_types_takes_no_stack()
    {
        var chain = AvroSchema.ParseWriter("""{"type":"record","name":"T","fields":[{"name":"first","type":["null",""" + string.Join(',',
            Enumerable.Range(0, 4_000).Select(i => $$"""{"type":"record","name":"R{{i}}","fields":[{"name":"n","type":["null","R{{Math.Max(0, i - 1)}}"]}]}"""))
            + """]},{"name":"last","type":"R3999"}]}""");
        // As for a field that is stepped over: from the chain's end, on a stack that would not hold it.
        var length = 0;
        var thread = new Thread(() => length = AvroSkipper.Of(chain.Field("last")!.Schema).Length([2, 2, 0]), 128 << 10);
        thread.Start();
        thread.Join();
        Assert.Equal(3, length);
    }

    [Fact]
    public void Whatever_is_wrong_with_a_schema_it_is_refused_by_the_one_exception()
    {
        string[] parts =
        [
            "null", "5", "\"int\"", "\"x\"", "[]", "{}", "[\"int\"]", "\"record\"", "\"enum\"", "-1", "\"\"", "true", "1.5",
            "{\"type\":\"fixed\"}",
        ];
        var (refused, taken) = (0, 0);
        for (var seed = 0; seed < 4_000; seed++)
        {
            var random = new Random(seed);
            var json = JsonNode.Parse(new RandomAvro(seed % 100).Schema())!;
            var values = json.AsObject().Descendants().ToList();
            for (var n = random.Next(1, 3); n > 0; n--)
            {
                var at = values[random.Next(values.Count)];
                var part = JsonNode.Parse(parts[random.Next(parts.Length)]);
                if (at.Parent is JsonObject o && random.Next(4) == 0) o.Remove(at.GetPropertyName());
                else if (at.Parent is not null) at.ReplaceWith(part);
            }
            try
            {
                _ = AvroSchema.ParseWriter(json.ToJsonString()).Identity;
                _ = AvroSchema.Parse(json.ToJsonString()).Identity;
                taken++;
            }
            catch (AvroSchemaException)
            {
                refused++;
            }
        }
        Assert.True(taken > 100 && refused > 100, $"{taken} taken, {refused} refused");
    }
}

file static class Nodes
{
    /// <summary>Everything below a node.</summary>
    public static IEnumerable<JsonNode> Descendants(this JsonNode node)
    {
        var children = node switch
        {
            JsonObject o => o.Select(e => e.Value),
            JsonArray a => a,
            _ => [],
        };
        return children.OfType<JsonNode>().SelectMany(c => new[] { c }.Concat(c.Descendants()));
    }
}
