using System.Text.RegularExpressions;
using Avro.File;
using Avro.Generic;
using Avro.IO;
using StreamEngine.Testing;

namespace StreamEngine.Tests.Events.Avro;

/// <summary>Apache's own implementation, in this process: what our decoder and our writers are held against.</summary>
internal sealed partial class ApacheAvro(global::Avro.Schema writer, global::Avro.Schema reader)
{
    private readonly GenericDatumReader<object> _values = new(writer, reader);

    public ApacheAvro(string writer, string? reader = null) : this(Parse(writer), Parse(reader ?? writer)) { }

    /// <summary>Reads records of one of the repository's schemas, such as <c>decision</c>.</summary>
    public static ApacheAvro Of(string schema) => new(File.ReadAllText(RepositoryRoot.At("schemas", $"{schema}.avsc")));

    /// <summary>A schema without logical types, which change no byte: .NET's dates hold less than Avro's do.</summary>
    public static global::Avro.Schema Parse(string schema) => global::Avro.Schema.Parse(Logical().Replace(schema, ""));

    public static byte[] Encode(global::Avro.Schema schema, object? value)
    {
        using var written = new MemoryStream();
        new GenericDatumWriter<object>(schema).Write(value!, new BinaryEncoder(written));
        return written.ToArray();
    }

    /// <summary>A container file with a block every few values.</summary>
    public static byte[] Container(global::Avro.Schema schema, IEnumerable<object?> values, bool deflate)
    {
        var file = new MemoryStream();
        var codec = Codec.CreateCodec(deflate ? Codec.Type.Deflate : Codec.Type.Null);
        using (var writer = DataFileWriter<object>.OpenWriter(new GenericDatumWriter<object>(schema), file, codec, leaveOpen: true))
        {
            writer.SetSyncInterval(2_000);
            foreach (var value in values) writer.Append(value!);
        }
        return file.ToArray();
    }

    /// <summary>Reads a value to its last byte.</summary>
    public object? Value(ReadOnlySpan<byte> bytes)
    {
        using var stream = new MemoryStream(bytes.ToArray());
        var value = _values.Read(null!, new BinaryDecoder(stream));
        return stream.Position == stream.Length ? value
            : throw new InvalidDataException($"{stream.Length - stream.Position} bytes were not read.");
    }

    /// <summary>Reads a record to its last byte.</summary>
    public GenericRecord Record(ReadOnlySpan<byte> bytes) => (GenericRecord)Value(bytes)!;

    [GeneratedRegex(@",\s*""logicalType""\s*:\s*""[^""]*""")]
    private static partial Regex Logical();
}

internal static class GenericRecords
{
    /// <summary>A field as text; an enum's symbol.</summary>
    public static string Text(this GenericRecord record, string field) =>
        record[field] is GenericEnum e ? e.Value : record[field]?.ToString() ?? "";
}
