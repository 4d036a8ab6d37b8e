using System.Text;
using System.Text.Json;

namespace StreamEngine.Events.Avro;

/// <summary>A JSON value that knows its line and column, so that a schema's mistake can be shown where it stands.</summary>
internal sealed class LocatedJson
{
    public required JsonTokenType Kind { get; init; }

    public required int Line { get; init; }

    public required int Column { get; init; }

    /// <summary>A string's text, or a number as it is written.</summary>
    public string Text { get; init; } = "";

    /// <summary>An array's items.</summary>
    public List<LocatedJson> Items { get; } = [];

    /// <summary>An object's entries in the text's order.</summary>
    public List<KeyValuePair<string, LocatedJson>> Entries { get; } = [];

    /// <summary>The object's entry of that name, or null.</summary>
    public LocatedJson? this[string name]
    {
        get
        {
            foreach (var (key, value) in Entries)
                if (key == name) return value;
            return null;
        }
    }

    /// <summary>Parses a JSON text.</summary>
    /// <exception cref="AvroSchemaException">The text is no JSON.</exception>
    public static LocatedJson Parse(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var reader =
            new Utf8JsonReader(bytes, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = false });
        var place = new Place(bytes);
        try
        {
            reader.Read();
            var root = Value(ref reader, place);
            if (reader.Read()) throw place.Error(reader.TokenStartIndex, "text after the end of the schema");
            return root;
        }
        catch (JsonException e)
        {
            throw new AvroSchemaException("not valid JSON: " + e.Message.Split(" LineNumber")[0], (int)(e.LineNumber ?? 0) + 1,
                (int)(e.BytePositionInLine ?? 0) + 1);
        }
    }

    private static LocatedJson Value(ref Utf8JsonReader reader, Place place)
    {
        var (line, column) = place.Of(reader.TokenStartIndex);
        var kind = reader.TokenType;
        var node = new LocatedJson
        {
            Kind = kind,
            Line = line,
            Column = column,
            Text = kind switch
            {
                JsonTokenType.String => reader.GetString()!,
                JsonTokenType.Number => Encoding.UTF8.GetString(reader.ValueSpan),
                _ => "",
            },
        };
        if (kind == JsonTokenType.StartArray)
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                node.Items.Add(Value(ref reader, place));
        if (kind == JsonTokenType.StartObject)
            while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
            {
                var name = reader.GetString()!;
                if (node[name] is not null) throw place.Error(reader.TokenStartIndex, $"'{name}' is given twice");
                reader.Read();
                node.Entries.Add(new(name, Value(ref reader, place)));
            }
        return node;
    }

    public AvroSchemaException Error(string message) => new(message, Line, Column);

    /// <summary>Byte offsets to lines and columns; asked in rising order.</summary>
    private sealed class Place(byte[] bytes)
    {
        private int _at;
        private int _line = 1;
        private int _lineStart;

        public (int Line, int Column) Of(long offset)
        {
            for (; _at < offset; _at++)
                if (bytes[_at] == '\n')
                {
                    _line++;
                    _lineStart = _at + 1;
                }
            return (_line, (int)offset - _lineStart + 1);
        }

        public AvroSchemaException Error(long offset, string message)
        {
            var (line, column) = Of(offset);
            return new AvroSchemaException(message, line, column);
        }
    }
}
