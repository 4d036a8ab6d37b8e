using StreamEngine.Events.Avro;
using Xunit;

namespace StreamEngine.Tests.Events.Avro;

/// <summary>Our codec against Apache's, in both directions.</summary>
public sealed class ApacheAvroTests
{
    [Fact]
    public void What_we_write_Apache_reads_and_what_Apache_writes_we_read()
    {
        var compared = 0;
        for (var seed = 0; seed < 400; seed++)
        {
            var random = new RandomAvro(seed);
            var text = random.Schema();
            if (text.Contains("\"size\":0", StringComparison.Ordinal)) continue; // Apache's allows no fixed without bytes
            var schema = AvroSchema.Parse(text);
            var value = random.Value(schema);
            var rewritten = ApacheAvro.Rewrite(text, RandomAvro.Encode(schema, value));
            Assert.Equal(RandomAvro.Show(value), RandomAvro.Show(new AvroValueReader(schema).Read(rewritten)));
            Assert.Equal(rewritten.Length, AvroSkipper.Of(schema).Length(rewritten));
            compared++;
        }
        Assert.True(compared > 200, $"only {compared} schemas were compared");
    }
}
