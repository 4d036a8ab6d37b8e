using System.Buffers;
using System.IO.Compression;
using StreamEngine.Events.Avro;

namespace StreamEngine.Tests.Events.Avro;

/// <summary>Container files by hand, with what no library would write.</summary>
internal static class AvroContainer
{
    /// <summary>A file with a block for each value.</summary>
    public static byte[] Of(string schema, IEnumerable<byte[]> values, bool deflate = false) =>
        Of(schema, deflate ? "deflate" : "null", [.. values.Select(v => (1L, deflate ? Deflate(v) : v))]);

    /// <summary>A file with these blocks: the count that each claims, and its bytes.</summary>
    public static byte[] Of(string schema, string codec, params (long Count, byte[] Bytes)[] blocks)
    {
        var bytes = new ArrayBufferWriter<byte>();
        var output = new AvroWriter(bytes);
        output.Raw("Obj\u0001"u8);
        output.Long(2);
        output.String("avro.codec");
        output.String(codec);
        output.String("avro.schema");
        output.String(schema);
        output.Long(0);
        output.Raw(new byte[16]);
        foreach (var (count, block) in blocks)
        {
            output.Long(count);
            output.Long(block.Length);
            output.Raw(block);
            output.Raw(new byte[16]);
        }
        return bytes.WrittenSpan.ToArray();
    }

    public static byte[] Deflate(byte[] bytes)
    {
        // .NET would write no stream at all, which other readers take for a truncated one.
        if (bytes.Length == 0) return [3, 0];
        var packed = new MemoryStream();
        using (var deflate = new DeflateStream(packed, CompressionLevel.Fastest, leaveOpen: true)) deflate.Write(bytes);
        return packed.ToArray();
    }
}
