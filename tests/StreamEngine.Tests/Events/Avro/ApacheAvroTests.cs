using System.Buffers;
using Avro.Generic;
using StreamEngine.Events;
using StreamEngine.Events.Avro;
using Xunit;

namespace StreamEngine.Tests.Events.Avro;

/// <summary>
/// The masker against Apache's reader and writer. (The decoder is held against them by <see cref="ProjectionProperties"/>, the records that
/// the engine writes by <see cref="Decisions.RecordTests"/>.)
/// </summary>
public sealed class ApacheAvroTests
{
    [Fact]
    public void Of_a_masked_record_Apache_reads_every_other_field_as_it_was()
    {
        var masked = 0;
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new RandomAvro(seed);
            var schema = AvroSchema.Parse(random.Schema());
            var secret = schema.Fields[^1].Name;
            var source = new EventSourceOptions
            {
                Name = "s",
                Topic = "t",
                Customer = "$key",
                Id = "hash(none)",
                Time = new TimeFieldOptions { Field = "$timestamp" },
                Pii = [secret],
            };
            var decoding = new Decoding(source, new Schemas((1, schema)));
            var value = (GenericRecord)random.Value(schema)!;
            foreach (var bytes in new[] { RandomAvro.Encode(schema, value), RandomAvro.EncodeInBlocks(schema, value) })
            {
                var output = new ArrayBufferWriter<byte>();
                Assert.True(decoding.Catalog.TryMask(0, [0, 0, 0, 0, 1, .. bytes], output));
                var read = new ApacheAvro(schema.Apache, schema.Apache).Record(output.WrittenSpan[5..]);
                foreach (var field in schema.Fields.Where(f => f.Name != secret))
                    Assert.Equal(RandomAvro.Show(value[field.Name]), RandomAvro.Show(read[field.Name]));
                if (RandomAvro.Show(value[secret]) != RandomAvro.Show(read[secret])) masked++;
            }
        }
        Assert.True(masked > 200, $"only {masked} values were masked");
    }
}
