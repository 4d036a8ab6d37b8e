using System.Buffers;
using Avro.IO;
using StreamEngine.Events.Avro;
using Xunit;

namespace StreamEngine.Tests.Events.Avro;

/// <summary>Our own reading and writing of bytes against Apache's, and bytes that are wrong.</summary>
public sealed class AvroBytesTests
{
    [Fact]
    public void The_length_of_whatever_Apache_writes_is_found_and_of_nothing_that_is_cut()
    {
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new RandomAvro(seed);
            var schema = AvroSchema.Parse(random.Schema());
            var skipper = AvroSkipper.Of(schema);
            var value = random.Value(schema);
            var bytes = RandomAvro.Encode(schema, value);
            Assert.Equal(bytes.Length, skipper.Length([.. bytes, 1, 2, 3]));
            for (var cut = 0; cut < bytes.Length; cut++) Assert.Equal(-1, skipper.Length(bytes.AsSpan(0, cut)));
            // Blocks with their sizes written: what Apache's writers in other languages do, and its reader here takes.
            var blocks = RandomAvro.EncodeInBlocks(schema, value);
            Assert.Equal(blocks.Length, skipper.Length(blocks));
            Assert.Equal(RandomAvro.Show(value), RandomAvro.Show(new ApacheAvro(schema.Apache, schema.Apache).Value(blocks)));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(1)]
    [InlineData(-64)]
    [InlineData(64)]
    [InlineData(int.MinValue)]
    [InlineData(long.MinValue)]
    [InlineData(long.MaxValue)]
    public void What_the_writer_writes_Apache_reads_and_the_reader_too(long number)
    {
        var bytes = new ArrayBufferWriter<byte>();
        var output = new AvroWriter(bytes);
        output.Long(number);
        output.Boolean(number > 0);
        output.Float(number / 3f);
        output.Double(number / 3.0);
        output.String($"é€😀 {number}");
        output.Bytes([1, 2, (byte)number]);
        output.Raw([7, 8]);

        var apache = new BinaryDecoder(new MemoryStream(bytes.WrittenSpan.ToArray()));
        Assert.Equal((number, number > 0, number / 3f, number / 3.0),
            (apache.ReadLong(), apache.ReadBoolean(), apache.ReadFloat(), apache.ReadDouble()));
        Assert.Equal($"é€😀 {number}", apache.ReadString());
        Assert.Equal([1, 2, (byte)number], apache.ReadBytes());

        var reader = new AvroReader(bytes.WrittenSpan);
        Assert.True(reader.TryLong(out var l) & reader.TryBoolean(out var b) & reader.TryFloat(out var f) & reader.TryDouble(out var d));
        Assert.Equal((number, number > 0, number / 3f, number / 3.0), (l, b, f, d));
        Assert.True(reader.TryBytes(out var text) & reader.TryBytes(out var raw));
        Assert.Equal($"é€😀 {number}", System.Text.Encoding.UTF8.GetString(text));
        Assert.Equal([1, 2, (byte)number], raw.ToArray());
        Assert.True(reader.TryFixed(2, out _));
        Assert.Equal(0, reader.Left);
    }

    [Theory]
    [InlineData("\"long\"", "FFFFFFFFFFFFFFFFFF02")] // 65 bits
    [InlineData("\"string\"", "01")] // length -1
    [InlineData("[\"null\"]", "02")]
    [InlineData("{\"type\":\"array\",\"items\":\"int\"}", "FEFFFFFFFFFFFFFFFF0100")] // a claim of 2^63 numbers
    [InlineData("{\"type\":\"array\",\"items\":\"int\"}", "01FFFFFFFFFFFFFFFFFF01")] // a block of negative size
    public void Wrong_bytes_have_no_length(string schema, string hex) =>
        Assert.Equal(-1, AvroSkipper.Of(AvroSchema.Parse(schema)).Length(Convert.FromHexString(hex)));

    [Fact]
    public void Numbers_out_of_range_are_not_read()
    {
        Assert.False(new AvroReader(Convert.FromHexString("8080808010")).TryInt(out _)); // 2^32
        Assert.False(new AvroReader([2]).TryBoolean(out _));
    }

    [Fact]
    public void Nesting_is_bounded()
    {
        var schema = AvroSchema.Parse("""{ "type": "record", "name": "R", "fields": [ { "name": "next", "type": ["null", "R"] } ] }""");
        Assert.Equal(-1, AvroSkipper.Of(schema).Length(Enumerable.Repeat((byte)2, 1_000_000).ToArray()));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Container_files_that_Apache_writes_are_read_and_damage_is_found(bool deflate)
    {
        var random = new RandomAvro(5);
        var schema = AvroSchema.Parse(random.Schema());
        var values = Enumerable.Range(0, 5000).Select(_ => random.Value(schema)).ToList();
        var bytes = ApacheAvro.Container(schema.Apache, values, deflate);
        Assert.Equal(values.Select(v => Convert.ToHexString(RandomAvro.Encode(schema, v))), ReadAll(bytes));
        Assert.Throws<AvroException>(() => ReadAll(bytes[..^1]).Count);
        bytes[^1] ^= 1;
        Assert.Throws<AvroException>(() => ReadAll(bytes).Count);
    }

    [Fact]
    public void A_larger_block_after_smaller_ones_is_unpacked()
    {
        byte[][] values = [.. new[] { 10, 100_000, 5, 70_000 }.Select(n => RandomAvro.Encode(AvroSchema.Parse("\"bytes\""), new byte[n]))];
        Assert.Equal(values.Select(Convert.ToHexString), ReadAll(AvroContainer.Of("\"bytes\"", values, deflate: true)));
    }

    private static List<string> ReadAll(byte[] bytes)
    {
        using var reader = new AvroFileReader(new MemoryStream(bytes));
        var all = new List<string>();
        while (reader.Next(out var value)) all.Add(Convert.ToHexString(value.Span));
        return all;
    }
}
