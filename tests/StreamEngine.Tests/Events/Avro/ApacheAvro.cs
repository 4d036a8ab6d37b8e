using System.Text.RegularExpressions;
using Avro.Generic;
using Avro.IO;

namespace StreamEngine.Tests.Events.Avro;

/// <summary>Apache's own implementation, in this process: what our codec is held against.</summary>
internal static partial class ApacheAvro
{
    /// <summary>Reads a value to its last byte, and writes it again.</summary>
    public static byte[] Rewrite(string schema, byte[] bytes)
    {
        var parsed = global::Avro.Schema.Parse(Plain(schema));
        using var written = new MemoryStream();
        new GenericDatumWriter<object>(parsed).Write(Read(parsed, bytes), new BinaryEncoder(written));
        return written.ToArray();
    }

    /// <summary>Reads a record to its last byte.</summary>
    public static GenericRecord Record(string schema, ReadOnlySpan<byte> bytes) =>
        (GenericRecord)Read(global::Avro.Schema.Parse(Plain(schema)), bytes.ToArray());

    private static object Read(global::Avro.Schema schema, byte[] bytes)
    {
        using var stream = new MemoryStream(bytes);
        var value = new GenericDatumReader<object>(schema, schema).Read(null!, new BinaryDecoder(stream));
        return stream.Position == stream.Length ? value
            : throw new InvalidDataException($"{stream.Length - stream.Position} bytes were not read.");
    }

    /// <summary>Without logical types, which change no byte: .NET's dates hold less than Avro's do.</summary>
    private static string Plain(string schema) => Logical().Replace(schema, "");

    [GeneratedRegex(@",\s*""logicalType""\s*:\s*""[^""]*""")]
    private static partial Regex Logical();
}
