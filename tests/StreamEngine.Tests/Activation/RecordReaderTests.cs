using System.Text.Json;
using Avro;
using Avro.Generic;
using Avro.IO;
using StreamEngine.Activation.Records;
using StreamEngine.Decisions;
using Xunit;

namespace StreamEngine.Tests.Activation;

/// <summary>The engine's records are read as Avro and as JSON, written here by Apache's own library.</summary>
public sealed class RecordReaderTests
{
    [Fact]
    public void An_action_in_avro_has_the_fields_of_its_json()
    {
        var bytes = Action("action");
        var json = JsonDocument.Parse(new RecordReader(RecordKind.Action).Read(bytes)!).RootElement;
        Assert.Equal("2026-03-01T11:00:00.000Z", json.GetProperty("event_time").GetString());
        Assert.Equal("the offer", json.GetProperty("offer").GetString());
        Assert.Equal(0.25, json.GetProperty("probability").GetDouble());
        Assert.Throws<InvalidDataException>(() => new RecordReader(RecordKind.Action).Read(bytes[..20]));
        Assert.Throws<InvalidDataException>(() => new RecordReader(RecordKind.Action).Read("no record"u8));
    }

    [Fact]
    public void Actions_of_an_earlier_version_are_read_among_those_of_this_one()
    {
        var reader = new RecordReader(RecordKind.Action);
        foreach (var version in new[] { "action", "action-1", "action-2", "action-1", "action" })
        {
            var json = JsonDocument.Parse(reader.Read(Action(version))!).RootElement;
            Assert.Equal("the offer", json.GetProperty("offer").GetString());
            Assert.Equal(version != "action-1", json.TryGetProperty("assignments", out _));
            Assert.Equal(version == "action", json.TryGetProperty("selection_probability", out _));
        }
    }

    [Fact]
    public void Marks_among_decisions_and_tombstones_are_nothing_to_deliver()
    {
        var reader = new RecordReader(RecordKind.Decision);
        Assert.Null(reader.Read("""{"decision_id":"","kind":"watermark"}"""u8));
        Assert.NotNull(reader.Read("""{"decision_id":"a","kind":"decision"}"""u8));
        Assert.Null(reader.Read(default));
    }

    /// <summary>A record of that version. Its id is a registry's, which tells no version.</summary>
    private static byte[] Action(string version)
    {
        var schema = (RecordSchema)Schema.Parse(OutputSchemas.Text(version));
        var action = new GenericRecord(schema);
        foreach (var field in schema.Fields)
            action.Add(field.Pos, field.Name switch
            {
                "event_time" => new DateTime(2026, 3, 1, 11, 0, 0, DateTimeKind.Utc),
                "priority" => 0.5,
                "probability" => 0.25,
                "selection_probability" => 0.75,
                _ when field.Schema is ArraySchema => Array.Empty<object>(),
                _ => $"the {field.Name}",
            });
        using var bytes = new MemoryStream();
        bytes.Write([0, 0, 0, 0, 9]);
        new GenericDatumWriter<GenericRecord>(schema).Write(action, new BinaryEncoder(bytes));
        return bytes.ToArray();
    }
}
