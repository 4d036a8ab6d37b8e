using StreamEngine.Connectors;

namespace StreamEngine.Decisions;

/// <summary>How records of one kind stand in their topics: Avro behind Confluent's header, or JSON. Allocates nothing per record.</summary>
public sealed class RecordFrame
{
    /// <summary>Confluent's header: byte 0 and the schema id.</summary>
    public const int HeaderBytes = 5;

    private readonly int _id;
    private readonly int[]? _ids;
    private readonly RecordJson? _json;

    private RecordFrame(int id, int[]? ids, RecordJson? json) => (_id, _ids, _json) = (id, ids, json);

    /// <summary>Avro with an id that does not change.</summary>
    public static RecordFrame Fixed(int id) => new(id, null, null);

    /// <summary>Avro with the ids that a registry has given.</summary>
    /// <param name="ids">By output topic; known before the first record is written.</param>
    public static RecordFrame Registered(int[] ids) => new(0, ids, null);

    /// <summary>One JSON object, in UTF-8.</summary>
    /// <param name="schema">The name of the records' schema.</param>
    public static RecordFrame Json(string schema) => new(0, null, new RecordJson(schema));

    /// <summary>The header of a record for that output topic.</summary>
    internal void Header(ref SpanWriter writer, int topic) => writer.Header(_ids is null ? _id : _ids[topic]);

    /// <summary>
    /// Brings what was written into the buffer's free space, header and Avro, into its form there; not yet taken as written.
    /// </summary>
    /// <returns>Its bytes now.</returns>
    internal int Form(OutputBuffer output, int length)
    {
        if (_json is null) return length;
        var text = _json.Write(output.Reserve(length)[HeaderBytes..length]);
        text.CopyTo(output.Reserve(text.Length));
        return text.Length;
    }

    /// <summary>Brings a record into its form and closes it.</summary>
    internal void Close(OutputBuffer output, int length)
    {
        output.Advance(Form(output, length));
        output.End();
    }
}
