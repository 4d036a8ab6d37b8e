using StreamEngine.Events;

namespace StreamEngine.Connectors.Files;

/// <summary>What a file is by its first bytes: a format that is read, or something that is not, with what to do about it.</summary>
/// <param name="Format">The format; null where the file has none that is read, or holds nothing.</param>
/// <param name="Fault">What the file is instead; null where it is read or holds nothing but blanks.</param>
/// <param name="Remedy">What to do about it.</param>
/// <param name="OfTable">What to do about it where it is the file of a table; null where that is the same.</param>
internal readonly record struct FileKind(RecordFormat? Format, string? Fault = null, string Remedy = "", string? OfTable = null)
{
    private const string Export = "Export it as CSV, NDJSON or an Avro container";
    private const int HeadLength = 4_096;

    /// <summary>The magic numbers of files that people take for text.</summary>
    private static readonly (byte[] Magic, string Name, string Remedy)[] Known =
    [
        ("PK\u0003\u0004"u8.ToArray(), "a zip archive (or an Excel workbook)", "Unpack it, or export it as CSV"),
        ("PAR1"u8.ToArray(), "Parquet", Export),
        ("ORC"u8.ToArray(), "ORC", Export),
        ("SQLite format 3"u8.ToArray(), "an SQLite database", "Export its table as CSV"),
        ("%PDF"u8.ToArray(), "a PDF", "Export its table as CSV"),
        ("BZh"u8.ToArray(), "packed by bzip2", "Unpack it, or pack it with gzip"),
        ([0x28, 0xB5, 0x2F, 0xFD], "packed by zstd", "Unpack it, or pack it with gzip"),
        ([0xFD, 0x37, 0x7A, 0x58, 0x5A], "packed by xz", "Unpack it, or pack it with gzip"),
        ([0x04, 0x22, 0x4D, 0x18], "packed by lz4", "Unpack it, or pack it with gzip"),
        ([0x1F, 0x8B], "packed by gzip twice", "Unpack it once"),
        ([0xD0, 0xCF, 0x11, 0xE0], "an old Excel workbook", "Export it as CSV"),
    ];

    /// <summary>Looks at a file's first bytes (of a gzip file, at what is in it).</summary>
    /// <param name="bytes">The file.</param>
    /// <param name="encoding">How its text is said to be encoded.</param>
    public static FileKind Of(ByteSource bytes, TextEncoding encoding = TextEncoding.Utf8)
    {
        var head = Head(bytes, TextEncoding.Utf8);
        if (encoding == TextEncoding.Utf16)
        {
            if (head.Length > 0 && !IsUtf16(head))
                return new(null, "no UTF-16 text", "Take the source's 'encoding' out, or set what it is",
                    "Take the table's 'encoding' out, or set what it is");
            head = Head(bytes, encoding);
        }
        if (head.StartsWith("Obj\u0001"u8)) return new(RecordFormat.Avro);
        foreach (var (magic, name, remedy) in Known)
            if (head.StartsWith(magic))
                return new(null, name, remedy, remedy == Export ? "Export it as CSV or NDJSON" : null);
        if (IsUtf16(head)) return new(null, "UTF-16 text",
            "Set the source's encoding: utf16 (and write SOURCE=PATH where there are several), or save it as UTF-8",
            "Set the table's encoding: utf16, or save it as UTF-8");
        if (head.StartsWith("\uFEFF"u8)) head = head[3..];
        if (!IsText(head)) return new(null, "no text", "Name files of CSV, NDJSON or Avro containers", "Name a file of CSV or NDJSON");
        var text = head.TrimStart(" \t\r\n"u8);
        if (text.Length == 0) return default;
        if (text[0] == '[' && text[1..].TrimStart(" \t\r\n"u8) is var item && (item.Length == 0 || item[0] is (byte)'{' or (byte)']'))
            return new(null, "one JSON array", "Write one object a line: jq -c '.[]' turns it into that");
        if (text[0] != '{') return new(RecordFormat.Csv);
        var end = text.IndexOfAny("\r\n"u8);
        return text[1..].TrimStart(" \t"u8) is [(byte)'\r' or (byte)'\n', ..] && end > 0
            ? new(null, "JSON whose objects go over several lines", "Write one object a line: jq -c . turns it into that")
            : new(RecordFormat.Json);
    }

    private static ReadOnlySpan<byte> Head(ByteSource bytes, TextEncoding encoding)
    {
        using var stream = bytes.Open(encoding: encoding);
        var buffer = new byte[HeadLength];
        var (length, read) = (0, 1);
        // Of a pipe that is written to slowly the first line has to do.
        while (read > 0 && length < HeadLength && !buffer.AsSpan(0, length).TrimStart(" \t\r\n"u8).Contains((byte)'\n'))
            length += read = stream.Read(buffer, length, HeadLength - length);
        return buffer.AsSpan(0, length);
    }

    /// <summary>
    /// A few control characters make no other file of a text, only bad records in it; of random bytes they are more than three in a
    /// hundred.
    /// </summary>
    private static bool IsText(ReadOnlySpan<byte> head)
    {
        var controls = 0;
        foreach (var value in head) controls += value <= 8 ? 1 : 0;
        return 100 * controls <= head.Length;
    }

    /// <summary>By its mark, or by every other of the first bytes being 0, as in ASCII text.</summary>
    private static bool IsUtf16(ReadOnlySpan<byte> head) =>
        head.Length >= 4 && (head[..2] is [0xFF, 0xFE] or [0xFE, 0xFF] || head[..4] is [0, not 0, 0, not 0] or [not 0, 0, not 0, 0]);
}
