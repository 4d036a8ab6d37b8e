using StreamEngine.Events.Avro;
using Xunit;

namespace StreamEngine.Tests.Events.Avro;

/// <summary>The specification's rules of resolution, rule by rule, and against Apache's implementation.</summary>
public sealed class AvroCompatibilityTests
{
    private static readonly string[] Types = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"];

    [Fact]
    public void Promotions_are_those_of_the_specification()
    {
        foreach (var reader in Types)
            foreach (var writer in Types)
            {
                var expected = global::Avro.Schema.Parse($"\"{reader}\"").CanRead(global::Avro.Schema.Parse($"\"{writer}\""));
                // Apache's C# reads no bytes as a string and no string as bytes, which the specification allows.
                if ((reader, writer) is ("string", "bytes") or ("bytes", "string")) expected = true;
                Assert.True(expected == Faults($"\"{reader}\"", $"\"{writer}\"").Count is 0, $"{writer} read as {reader}");
            }
    }

    [Theory]
    [InlineData("""{"name":"a","type":"int"}""", """{"name":"a","type":"int"},{"name":"b","type":"int"}""", "b: the writer has no such field")]
    [InlineData("""{"name":"a","type":"int"}""", """{"name":"a","type":"int"},{"name":"b","type":"int","default":1}""", "")]
    [InlineData("""{"name":"a","type":"int"},{"name":"b","type":"int"}""", """{"name":"a","type":"long"}""", "")]
    [InlineData("""{"name":"a","type":"long"}""", """{"name":"a","type":"int"}""", "a: long can't be read as int")]
    [InlineData("""{"name":"old","type":"int"}""", """{"name":"new","type":"int","aliases":["old"]}""", "")]
    [InlineData("""{"name":"a","type":"int"}""", """{"name":"a","type":["null","long"]}""", "")]
    [InlineData("""{"name":"a","type":["null","string"]}""", """{"name":"a","type":"string"}""", "a|null: null can't be read as string")]
    [InlineData("""{"name":"a","type":{"type":"array","items":"string"}}""", """{"name":"a","type":{"type":"array","items":"int"}}""", "a[]: string can't be read as int")]
    [InlineData("""{"name":"a","type":{"type":"enum","name":"E","symbols":["X","Y"]}}""", """{"name":"a","type":{"type":"enum","name":"E","symbols":["X"]}}""", "does not know Y")]
    [InlineData("""{"name":"a","type":{"type":"enum","name":"E","symbols":["X","Y"]}}""", """{"name":"a","type":{"type":"enum","name":"E","symbols":["X"],"default":"X"}}""", "")]
    [InlineData("""{"name":"a","type":{"type":"fixed","name":"F","size":4}}""", """{"name":"a","type":{"type":"fixed","name":"F","size":8}}""", "4 bytes")]
    [InlineData("""{"name":"a","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}}""",
        """{"name":"a","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":4}}""", "a decimal(9,2) would be read as a decimal(9,4)")]
    [InlineData("""{"name":"a","type":{"type":"long","logicalType":"timestamp-millis"}}""", """{"name":"a","type":{"type":"long","logicalType":"timestamp-micros"}}""", "TimestampMillis")]
    public void A_new_version_reads_the_old_ones_records_or_says_why_not(string old, string next, string expected)
    {
        var (writer, reader) = (Record(old), Record(next));
        var faults = Faults(reader, writer);
        if (expected.Length == 0) Assert.Empty(faults);
        else Assert.Contains(expected, $"{Assert.Single(faults).Path}: {faults[0].Message}");
        // Apache's says the same, but for what it does not look at: logical types, an enum's symbols, and all branches of a writer's union.
        if (!old.Contains("logicalType") && !expected.Contains("does not know") && !expected.Contains("|null"))
            Assert.Equal(expected.Length == 0, global::Avro.Schema.Parse(reader).CanRead(global::Avro.Schema.Parse(writer)));
    }

    [Fact]
    public void A_schema_that_refers_to_itself_is_checked_once()
    {
        var list = """{"type":"record","name":"L","fields":[{"name":"v","type":"int"},{"name":"next","type":["null","L"]}]}""";
        Assert.Empty(Faults(list, list));
        Assert.Equal("v", Assert.Single(Faults(list.Replace("\"int\"", "\"string\""), list)).Path);
    }

    [Fact]
    public void Every_schema_reads_itself()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var schema = AvroSchema.Parse(new RandomAvro(seed).Schema());
            Assert.Empty(AvroCompatibility.Check(schema, schema));
        }
    }

    private static string Record(string fields) => $$"""{"type":"record","name":"R","fields":[{{fields}}]}""";

    private static IReadOnlyList<AvroIncompatibility> Faults(string reader, string writer) =>
        AvroCompatibility.Check(AvroSchema.Parse(reader), AvroSchema.Parse(writer));
}
