using Avro.Generic;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Files;
using StreamEngine.Events;
using StreamEngine.Host.Cli;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Replay;

/// <summary>
/// Writes an engine's outputs as files: <c>actions.ndjson</c>, <c>decisions.ndjson</c>, <c>dead-letter.ndjson</c> and <c>late.ndjson</c>,
/// and <c>outcomes.ndjson</c> and <c>audiences.ndjson</c> where outcomes and segments are declared.
/// </summary>
internal sealed class OutputFiles : IDisposable
{
    private const int BufferLength = 1 << 17;

    private readonly OutputTopics _topics;
    private readonly EventFileSource _source;
    private readonly AvroJson _actions, _decisions, _deadLetters;
    private readonly AvroJson? _outcomes, _audiences;
    private readonly FileStream _late;

    /// <param name="directory">The folder.</param>
    /// <param name="topics">The topics that the outputs are for.</param>
    /// <param name="source">Knows in which file a record stood.</param>
    public OutputFiles(string directory, OutputTopics topics, EventFileSource source)
    {
        (_topics, _source) = (topics, source);
        _actions = new AvroJson("action", Create(directory, "actions.ndjson"));
        _decisions = new AvroJson("decision", Create(directory, "decisions.ndjson"));
        _deadLetters = new AvroJson("dead-letter", Create(directory, "dead-letter.ndjson"));
        if (topics.Outcomes >= 0) _outcomes = new AvroJson("outcome", Create(directory, "outcomes.ndjson"), asWritten: true);
        if (topics.Audiences >= 0) _audiences = new AvroJson("audience", Create(directory, "audiences.ndjson"));
        _late = Create(directory, "late.ndjson");
    }

    /// <summary>Writes all records of the buffer, in order.</summary>
    public void Write(OutputBuffer outputs)
    {
        for (var i = 0; i < outputs.Count; i++)
        {
            var topic = outputs[i].Topic;
            if (topic == _topics.Decisions) Decision(_decisions.Read(outputs.Value(i)));
            else if (topic == _topics.DeadLetter) DeadLetter(_deadLetters.Read(outputs.Value(i)));
            else if (topic == _topics.Late) AvroJson.WriteLate(_late, outputs[i].Timestamp, outputs.Value(i));
            else if (topic == _topics.Outcomes) _outcomes!.Write(_outcomes.Read(outputs.Value(i)));
            else if (topic == _topics.Audiences) _audiences!.Write(_audiences.Read(outputs.Value(i)));
            else _actions.Write(_actions.Read(outputs.Value(i)));
        }
    }

    public void Dispose()
    {
        _actions.Dispose();
        _decisions.Dispose();
        _deadLetters.Dispose();
        _outcomes?.Dispose();
        _audiences?.Dispose();
        _late.Dispose();
    }

    /// <summary>Marks are for recovery alone: they are left out.</summary>
    private void Decision(GenericRecord record)
    {
        if (record["kind"] is GenericEnum { Value: "decision" }) _decisions.Write(record);
    }

    /// <summary>With the place where the record is to be mended.</summary>
    private void DeadLetter(GenericRecord record) => _deadLetters.Write(record, json =>
    {
        var (file, number) = _source.PlaceOf((long)record["offset"]!);
        json.WriteString("file", file.Path);
        json.WriteNumber(file.Format == RecordFormat.Avro ? "record" : "line", number);
    });

    private static FileStream Create(string directory, string name) => ResultPath.Create(Path.Combine(directory, name), BufferLength);
}
