using StreamEngine.Events.Avro;
using Xunit;

namespace StreamEngine.Tests.Events.Avro;

/// <summary>Values to bytes and back, schema resolution, container files, and bytes that are wrong.</summary>
public sealed class AvroValueTests
{
    [Fact]
    public void RandomValuesComeBackFromTheirBytes()
    {
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new RandomAvro(seed);
            var schema = AvroSchema.Parse(random.Schema());
            var value = random.Value(schema);
            var bytes = RandomAvro.Encode(schema, value);
            Assert.Equal(RandomAvro.Show(value), RandomAvro.Show(new AvroValueReader(schema).Read(bytes)));
            var blocks = RandomAvro.EncodeInBlocks(schema, value);
            Assert.Equal(RandomAvro.Show(value), RandomAvro.Show(new AvroValueReader(schema).Read(blocks)));
            Assert.Equal(blocks.Length, AvroSkipper.Of(schema).Length(blocks));
            Assert.Equal(bytes.Length, AvroSkipper.Of(schema).Length(bytes));
            for (var cut = 0; cut < bytes.Length; cut++) Assert.Equal(-1, AvroSkipper.Of(schema).Length(bytes.AsSpan(0, cut)));
        }
    }

    [Theory]
    [InlineData(0, "00")]
    [InlineData(-1, "01")]
    [InlineData(1, "02")]
    [InlineData(-64, "7F")]
    [InlineData(64, "8001")]
    [InlineData(long.MinValue, "FFFFFFFFFFFFFFFFFF01")]
    [InlineData(long.MaxValue, "FEFFFFFFFFFFFFFFFF01")]
    public void LongsAreZigzagVarints(long value, string hex)
    {
        Assert.Equal(hex, Convert.ToHexString(RandomAvro.Encode(AvroSchema.Parse("\"long\""), value)));
        Assert.Equal(value, new AvroValueReader(AvroSchema.Parse("\"long\"")).Read(Convert.FromHexString(hex)));
    }

    [Fact]
    public void AReaderTakesAliasesDefaultsPromotionsAndUnknownSymbols()
    {
        var writer = AvroSchema.Parse("""
            { "type": "record", "name": "R", "fields": [
              { "name": "old", "type": "int" }, { "name": "gone", "type": { "type": "map", "values": "string" } },
              { "name": "u", "type": ["null", "string", "int"] },
              { "name": "e", "type": { "type": "enum", "name": "E", "symbols": ["A", "NEW"] } } ] }
            """);
        var reader = AvroSchema.Parse("""
            { "type": "record", "name": "R", "fields": [
              { "name": "e", "type": { "type": "enum", "name": "E", "symbols": ["OTHER", "A"], "default": "OTHER" } },
              { "name": "fresh", "type": ["null", "double"], "default": 1.5 },
              { "name": "new", "type": "double", "aliases": ["old"] },
              { "name": "u", "type": ["null", "long", "bytes"] },
              { "name": "list", "type": { "type": "array", "items": "long" }, "default": [1, 2] } ] }
            """);
        var record = new AvroRecord(writer);
        record.Values[0] = 7;
        record.Values[1] = new Dictionary<string, object?> { ["a"] = "b" };
        record.Values[2] = "hi";
        record.Values[3] = new AvroEnum(writer.Field("e")!.Schema, "NEW");
        var read = (AvroRecord)new AvroValueReader(writer, reader).Read(RandomAvro.Encode(writer, record))!;
        Assert.Equal("{e:OTHER,fresh:Double:1.5,new:Double:7,u:0x6869,list:[Int64:1,Int64:2]}", RandomAvro.Show(read));
    }

    [Fact]
    public void AReaderResolvesBelowTheTopToo()
    {
        var writer = AvroSchema.Parse("""
            { "type": "record", "name": "R", "fields": [
              { "name": "list", "type": { "type": "array", "items": { "type": "record", "name": "Item", "fields": [
                { "name": "sku", "type": "string" }, { "name": "n", "type": "int" }, { "name": "gone", "type": "bytes" },
                { "name": "kind", "type": { "type": "enum", "name": "Kind", "symbols": ["A", "NEW", "B"] } } ] } } },
              { "name": "by_shop", "type": { "type": "map", "values": ["null", "Item"] } } ] }
            """);
        var reader = AvroSchema.Parse("""
            { "type": "record", "name": "R", "fields": [
              { "name": "shops", "aliases": ["by_shop"], "type": { "type": "map", "values": ["null", { "type": "record", "name": "Line", "aliases": ["Item"], "fields": [
                { "name": "kind", "type": { "type": "enum", "name": "Kind", "symbols": ["B", "A", "OTHER"], "default": "OTHER" } },
                { "name": "count", "aliases": ["n"], "type": "double" }, { "name": "added", "type": { "type": "array", "items": "string" }, "default": ["x"] },
                { "name": "sku", "type": "string" } ] }] } },
              { "name": "list", "type": { "type": "array", "items": "Line" } } ] }
            """);
        var item = writer.Field("list")!.Schema.Element!;
        AvroRecord Item(string sku, int n, string kind) =>
            new(item) { ["sku"] = sku, ["n"] = n, ["gone"] = new byte[] { 1 }, ["kind"] = kind };
        var record = new AvroRecord(writer)
        {
            ["list"] = new List<object?> { Item("a", 1, "B"), Item("b", 2, "NEW") },
            ["by_shop"] = new Dictionary<string, object?> { ["x"] = null, ["y"] = Item("c", 3, "A") }
        };
        Assert.Equal(
            "{shops:<\"x\":null,\"y\":{kind:A,count:Double:3,added:[\"x\"],sku:\"c\"}>,"
            + "list:[{kind:B,count:Double:1,added:[\"x\"],sku:\"a\"},{kind:OTHER,count:Double:2,added:[\"x\"],sku:\"b\"}]}",
            RandomAvro.Show(new AvroValueReader(writer, reader).Read(RandomAvro.Encode(writer, record))));
    }

    [Theory]
    [InlineData("""["null", "bytes", "string"]""", "\"string\"", "\"text\"")] // not promoted to bytes, though those come first
    [InlineData("""["double", "long", "int"]""", "\"int\"", "Int32:5")]
    [InlineData("""["double", "long"]""", "\"int\"", "Double:5")]
    [InlineData("""[{"type":"enum","name":"a.E","symbols":["X","Y"]},{"type":"enum","name":"b.E","symbols":["Y","X"]}]""", """{"type":"enum","name":"b.E","symbols":["Y","X"]}""", "Y")]
    public void AUnionsBranchOfTheSameTypeGoesBeforeAPromotion(string union, string branch, string expected)
    {
        var writer = AvroSchema.Parse(branch);
        var reader = AvroSchema.Parse(union);
        object value = writer.Kind switch { AvroKind.Int => 5, AvroKind.Enum => new AvroEnum(writer, "Y"), _ => "text" };
        var read = new AvroValueReader(writer, reader).Read(RandomAvro.Encode(writer, value));
        Assert.Equal(expected, RandomAvro.Show(read));
        if (read is AvroEnum symbol) Assert.Equal(writer.FullName, symbol.Schema.FullName);
    }

    [Fact]
    public void PackedValuesOfNoBytesAreADeflateStreamToo()
    {
        var file = new MemoryStream();
        using (var writer = new AvroFileWriter(file, "\"null\"", deflate: true)) writer.Write(null);
        var bytes = file.ToArray();
        Assert.Equal("02040300", Convert.ToHexString(bytes.AsSpan(^20..^16)));
        Assert.Equal(["null"], ReadAll(bytes));
    }

    [Theory]
    [InlineData("\"int\"", "8080808010")] // 2^32: no int
    [InlineData("\"long\"", "FFFFFFFFFFFFFFFFFF02")] // 65 bits
    [InlineData("\"boolean\"", "02")]
    [InlineData("\"string\"", "01")] // length -1
    [InlineData("\"string\"", "02FF")] // no UTF-8
    [InlineData("[\"null\"]", "02")]
    [InlineData("{\"type\":\"array\",\"items\":\"null\"}", "FEFFFFFFFFFFFFFFFF0100")] // a claim of 2^63 nulls
    [InlineData("{\"type\":\"array\",\"items\":\"int\"}", "01FFFFFFFFFFFFFFFFFF01")] // a block of negative size
    [InlineData("\"null\"", "00")] // left over
    public void WrongBytesAreRefused(string schema, string hex) =>
        Assert.Throws<AvroException>(() => new AvroValueReader(AvroSchema.Parse(schema)).Read(Convert.FromHexString(hex)));

    [Fact]
    public void NestingIsBounded()
    {
        var schema = AvroSchema.Parse("""{ "type": "record", "name": "R", "fields": [ { "name": "next", "type": ["null", "R"] } ] }""");
        var deep = Enumerable.Repeat((byte)2, 1_000_000).ToArray();
        Assert.Throws<AvroException>(() => new AvroValueReader(schema).Read(deep));
        Assert.Equal(-1, AvroSkipper.Of(schema).Length(deep));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ContainerFilesComeBackAndDamageIsFound(bool deflate)
    {
        var random = new RandomAvro(5);
        var json = random.Schema();
        var schema = AvroSchema.Parse(json);
        var values = Enumerable.Range(0, 5000).Select(_ => random.Value(schema)).ToList();
        var file = new MemoryStream();
        using (var writer = new AvroFileWriter(file, json, deflate))
            foreach (var value in values) writer.Write(value);
        var bytes = file.ToArray();
        Assert.Equal(values.Select(RandomAvro.Show), ReadAll(bytes));
        Assert.Throws<AvroException>(() => ReadAll(bytes[..^1]).Count);
        bytes[^1] ^= 1;
        Assert.Throws<AvroException>(() => ReadAll(bytes).Count);
    }

    private static List<string> ReadAll(byte[] bytes)
    {
        using var reader = new AvroFileReader(new MemoryStream(bytes));
        var values = new AvroValueReader(reader.Schema);
        var all = new List<string>();
        while (reader.Next(out var value)) all.Add(RandomAvro.Show(values.Read(value.Span)));
        return all;
    }
}
