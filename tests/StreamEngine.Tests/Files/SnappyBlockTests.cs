using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using StreamEngine.Connectors.Files;
using StreamEngine.Events.Avro;
using StreamEngine.Tests.Events.Avro;
using Xunit;

namespace StreamEngine.Tests.Files;

/// <summary>Container files with the codec snappy, by another implementation and by hand; what can't be read is refused by name.</summary>
public sealed class SnappyBlockTests
{
    /// <summary>
    /// Records { id: string, n: long }, event-event-00 and 0 to event-event-39 and 39000: written by Apache Avro's Python library (1.11)
    /// with Google's snappy.
    /// </summary>
    private const string ByPython = """
        4f626a0104146176726f2e636f6465630c736e61707079166176726f2e736368656d61d8017b2274797065223a20227265636f7264222c20226e616d65223a202245222c20226669656c6473223a205b
        7b2274797065223a2022737472696e67222c20226e616d65223a20226964227d2c207b2274797065223a20226c6f6e67222c20226e616d65223a20226e227d5d7d00d118c8dd8d4b0ff99b531e27c6fa
        aa5550de04c605181c6576656e742d0906083030003610000831d00f3611000832a01f3611000833f02e3611000834c03e3611000835904e3611000836e05d3611000837b06d3611000838807d361100
        0c39d08c013212000c3130a09c3a12000831f0ab3a12000832c0bb3a1200083390cb3a12000834e0da3a12000835b0ea3a1200083680fa3a12000c37d089023690000838a0993a12000839f0a8361200
        0c3230c0b83a1200083190c83a12000832e0d73a12000833b0e73a1200083480f73a12000c35d086033290000c3236a0963a12000837f0a53a12000838c0b53a1200083990c53612000c3330e0d43a12
        000831b0e43a1200083280f43a12000c33d083043290000c3334a0933a12000835f0a23a12000836c0b23a1200083790c23a12000838e0d13a12000c39b0e104656a344dd118c8dd8d4b0ff99b531e27
        c6faaa55
        """;

    private static byte[] Golden => Convert.FromHexString(string.Concat(ByPython.Split('\n').Select(l => l.Trim())));

    [Fact]
    public void AnotherImplementationsFileIsRead()
    {
        using var file = new AvroFile(new MemoryStream(Golden), "golden.avro");
        var values = new ApacheAvro(file.Schema.Apache, file.Schema.Apache);
        for (var i = 0; i < 40; i++)
        {
            Assert.True(file.Read());
            var record = values.Record(file.Record);
            Assert.Equal(($"event-event-{i:00}", i * 1000L), (record["id"], record["n"]));
        }
        Assert.False(file.Read());
    }

    [Fact]
    public void DamageNeverGoesUnseen()
    {
        static string All(byte[] bytes)
        {
            using var file = new AvroFile(new MemoryStream(bytes), "damaged.avro");
            var all = new StringBuilder();
            while (file.Read()) all.Append(Convert.ToHexString(file.Record)).Append(' ');
            return all.ToString();
        }
        var golden = Golden;
        var expected = All(golden);
        var found = 0;
        for (var at = golden.AsSpan().IndexOf(golden.AsSpan(^16..)) + 16; at < golden.Length; at++)
        {
            var damaged = golden.ToArray();
            damaged[at] ^= 0x55;
            try
            {
                // A copy from another place may bring the same bytes.
                Assert.Equal(expected, All(damaged));
            }
            catch (InvalidDataException e)
            {
                Assert.StartsWith("damaged.avro: ", e.Message, StringComparison.Ordinal);
                found++;
            }
        }
        Assert.InRange(found, 300, golden.Length);
    }

    [Theory]
    [InlineData("0A 24 61 62 63 64 65 66 67 68 69 6A", "abcdefghij")] // a literal of ten
    [InlineData("08 04 61 62 09 02", "abababab")] // "ab", then six from two back: a copy that overlaps itself
    [InlineData("0C 0C 61 62 63 64 1E 04 00", "abcdabcdabcd")] // "abcd", then eight from four back, offset in two bytes
    [InlineData("00", "")]
    public void ElementsOfTheFormatAreUnpacked(string hex, string text)
    {
        byte[] block = [];
        Assert.Equal(text.Length, SnappyBlock.Unpack(Packed(hex, text), ref block));
        Assert.Equal(text, Encoding.ASCII.GetString(block, 0, text.Length));
    }

    [Theory]
    [InlineData("0A 24 61 62 63", "abc", "can't be unpacked")] // ends early
    [InlineData("04 09 02", "abab", "can't be unpacked")] // copies from before the start
    [InlineData("FF FF FF FF 07 00 61", "a", "claims more bytes")]
    [InlineData("02 04 61 62", "ax", "checksum")]
    public void DamageIsTold(string hex, string text, string message)
    {
        byte[] block = [];
        Assert.Contains(message, Assert.Throws<AvroException>(() => SnappyBlock.Unpack(Packed(hex, text), ref block)).Message,
            StringComparison.Ordinal);
        Assert.Throws<AvroException>(() => SnappyBlock.Unpack([1, 2, 3], ref block));
    }

    [Theory]
    [InlineData("zstandard")]
    [InlineData("bzip2")]
    public void AnotherCodecIsRefusedByItsName(string codec)
    {
        var bytes = new ArrayBufferWriter<byte>();
        var head = new AvroWriter(bytes);
        head.Raw("Obj\u0001"u8);
        head.Long(2);
        head.String("avro.codec");
        head.String(codec);
        head.String("avro.schema");
        head.String("\"int\"");
        head.Long(0);
        head.Raw(new byte[16]);
        var error = Assert.Throws<InvalidDataException>(() => new AvroFile(new MemoryStream(bytes.WrittenSpan.ToArray()), "e.avro"));
        Assert.Equal($"e.avro: the file's codec '{codec}' can't be read, only null, deflate, snappy; write it with one of those",
            error.Message);
    }

    private static byte[] Packed(string hex, string text)
    {
        var crc = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(crc, Crc32.HashToUInt32(Encoding.ASCII.GetBytes(text)));
        return [.. Convert.FromHexString(hex.Replace(" ", "")), .. crc];
    }
}
