using StreamEngine.Events.Avro;
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
    [InlineData("{\n \"type\": \"record\", \"name\": \"R\",\n \"fields\": [ { \"name\": \"a\", \"type\": \"strng\" } ] }", 3, 37,
        "did you mean 'string'")]
    [InlineData("{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\",\"default\":\"x\"}]}", 1, 74,
        "does not fit")]
    [InlineData("[\"int\",\"int\"]", 1, 8, "twice")]
    [InlineData("[\"int\",[\"long\"]]", 1, 8, "union directly")]
    [InlineData("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"a\",\"a\"]}", 1, 42, "twice")]
    [InlineData("{\"type\":\"record\",\"name\":\"1R\",\"fields\":[]}", 1, 25, "no valid name")]
    [InlineData("{\"type\":\"array\"}", 1, 1, "'items' is missing")]
    [InlineData("{\"type\":\"record\",", 1, 17, "not valid JSON")]
    public void MistakesAreShownWhereTheyStand(string json, int line, int column, string reason)
    {
        var e = Assert.Throws<AvroSchemaException>(() => AvroSchema.Parse(json));
        Assert.Equal((line, column), (e.Line, e.Column));
        Assert.Contains(reason, e.Reason, StringComparison.Ordinal);
    }
}
