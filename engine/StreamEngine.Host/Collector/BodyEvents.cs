using System.Text.Json;

namespace StreamEngine.Host.Collector;

/// <summary>How a request's events are written.</summary>
internal enum BodyKind
{
    /// <summary>One JSON object, or an array of them.</summary>
    Json,

    /// <summary>One JSON object a line.</summary>
    Lines,

    /// <summary>One Avro record.</summary>
    Avro,
}

/// <summary>Finds the events in a request's body, without reading what is in them.</summary>
internal static class BodyEvents
{
    /// <summary>The places of the events; null, with what is wrong, where the body as a whole can't be read.</summary>
    /// <param name="body">The body.</param>
    /// <param name="kind">How it is written.</param>
    /// <param name="depth">How deep an event may be nested.</param>
    /// <param name="most">The most events; one more is found where there are too many.</param>
    /// <param name="fault">What is wrong.</param>
    public static List<Range>? Find(ReadOnlySpan<byte> body, BodyKind kind, int depth, int most, out string fault)
    {
        fault = "";
        return kind switch
        {
            BodyKind.Avro => [new Range(0, body.Length)],
            BodyKind.Lines => Lines(body, most),
            _ => Values(body, depth, most, out fault),
        };
    }

    /// <summary>Whether a line is JSON that is nested no deeper than this.</summary>
    public static bool IsWithin(ReadOnlySpan<byte> line, int depth)
    {
        try
        {
            var reader = new Utf8JsonReader(line, new JsonReaderOptions { MaxDepth = depth });
            while (reader.Read())
            {
            }
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static List<Range> Lines(ReadOnlySpan<byte> body, int most)
    {
        var found = new List<Range>();
        for (var at = 0; at < body.Length && found.Count <= most;)
        {
            var end = body[at..].IndexOf((byte)'\n');
            var next = end < 0 ? body.Length : at + end;
            if (body[at..next].ContainsAnyExcept(" \t\r"u8)) found.Add(at..next);
            at = next + 1;
        }
        return found;
    }

    private static List<Range>? Values(ReadOnlySpan<byte> body, int depth, int most, out string fault)
    {
        fault = "";
        var found = new List<Range>();
        // An array around the events is no level of theirs.
        var list = body.TrimStart(" \t\r\n"u8) is [(byte)'[', ..];
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = list ? depth + 1 : depth });
        try
        {
            while (reader.Read() && found.Count <= most)
            {
                if (list && reader is { CurrentDepth: 0, TokenType: JsonTokenType.StartArray or JsonTokenType.EndArray }) continue;
                var begin = (int)reader.TokenStartIndex;
                reader.Skip();
                found.Add(begin..(int)reader.BytesConsumed);
            }
            return found;
        }
        catch (JsonException)
        {
            fault = $"The body is no JSON from byte {reader.BytesConsumed + 1} on, or is nested deeper than {depth} levels. Events that "
                + "come one a line are application/x-ndjson.";
            return null;
        }
    }
}
