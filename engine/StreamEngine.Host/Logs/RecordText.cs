using System.Globalization;
using System.Text;
using System.Text.Json;
using Avro;
using StreamEngine.Configuration;
using StreamEngine.Host.Replay;

namespace StreamEngine.Host.Logs;

/// <summary>A part of a shown line.</summary>
/// <param name="Text">The text, fit for a terminal.</param>
/// <param name="Style">How a terminal shows it; empty for as it is.</param>
internal readonly record struct Cell(string Text, string Style = "");

/// <summary>Writes output records as JSON, as <c>replay</c> does, or as lines for people.</summary>
internal sealed class RecordText : IDisposable
{
    private const int MostShown = 160;

    private readonly OutputKind _kind;
    private readonly MemoryStream _line = new();
    private readonly AvroJson? _avro;

    public RecordText(OutputKind kind)
    {
        _kind = kind;
        var schema = kind switch
        {
            OutputKind.Action => "action",
            OutputKind.Decision => "decision",
            OutputKind.Outcome => "outcome",
            OutputKind.Audience => "audience",
            _ => "dead-letter",
        };
        if (kind != OutputKind.Late) _avro = new AvroJson(schema, _line, asWritten: kind == OutputKind.Outcome);
    }

    /// <summary>Reads the record: <see cref="TailRecord.Json"/> stays null where its value is neither Avro of this kind nor JSON.</summary>
    public void Read(TailRecord record)
    {
        _line.SetLength(0);
        try
        {
            if (_kind == OutputKind.Late) AvroJson.WriteLate(_line, record.Timestamp, record.Value);
            else if (record.Value is [(byte)'{', ..]) _line.Write(record.Value);
            else _avro!.Write(_avro.Read(record.Value));
        }
        catch (Exception e) when (e is AvroException or IOException or ArgumentException or IndexOutOfRangeException or OverflowException)
        {
            return;
        }
        record.Json = Encoding.UTF8.GetString(_line.GetBuffer(), 0, (int)_line.Length).TrimEnd('\n');
    }

    /// <summary>Whether the record is shown: of this channel, and no mark, which only recovery reads.</summary>
    public bool Shows(TailRecord record, string? channel)
    {
        if (record.Json is null || _kind is OutputKind.Late or OutputKind.DeadLetter or OutputKind.Outcome or OutputKind.Audience
            || _kind == OutputKind.Action && channel is null)
            return true;
        using var json = JsonDocument.Parse(record.Json);
        return _kind == OutputKind.Decision ? Text(json.RootElement, "kind") is "decision" or ""
            : Text(json.RootElement, "channel") == channel;
    }

    /// <summary>The record as a line for people.</summary>
    public IReadOnlyList<Cell> Cells(TailRecord record)
    {
        var time = DateTimeOffset.FromUnixTimeMilliseconds(record.Timestamp)
            .ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        var key = Printable.Text(Encoding.UTF8.GetString(record.Key)).PadRight(12);
        if (record.Json is null)
            return [new(time, "grey"), new(key), new($"{record.From.Topic}[{record.From.Partition}]@{record.Offset}: "
                + $"{record.Value.Length} bytes that can't be read", "red")];
        using var document = JsonDocument.Parse(record.Json);
        var r = document.RootElement;
        return _kind switch
        {
            OutputKind.Action => [new(Text(r, "event_time"), "grey"), Column(r, "customer_id"), Column(r, "offer", "green"),
                Column(r, "treatment"), Column(r, "channel"), Column(r, "placement"), new($"p {Number(r, "probability")}"),
                new($"priority {Number(r, "priority")}"), Column(r, "trigger", "grey")],
            OutputKind.Decision => [new(Text(r, "event_time"), "grey"), Column(r, "customer_id"), Column(r, "trigger"),
                Column(r, "placement"), Column(r, "outcome", Text(r, "outcome") == "served" ? "green" : "yellow"), .. Chosen(r)],
            OutputKind.Outcome => [new(Text(r, "event_time"), "grey"), Column(r, "customer_id"), Column(r, "kind", "green"),
                Column(r, "status"), Column(r, "offer"), Column(r, "placement"), new($"value {Number(r, "value")}"),
                new(Text(r, "decision_id"), "grey")],
            OutputKind.Audience => [new(Text(r, "changed_at"), "grey"), Column(r, "customer_id"),
                Column(r, "change", Text(r, "change") == "enter" ? "green" : "yellow"), Column(r, "segment"), Column(r, "cause", "grey")],
            OutputKind.DeadLetter => [new(Text(r, "timestamp"), "grey"), Column(r, "reason", "red", 16),
                new($"{Text(r, "topic")}[{Number(r, "partition")}]@{Number(r, "offset")}"), .. Optional(Text(r, "detail")),
                .. Optional(Cut(Text(r, "bytes")), "grey")],
            _ => [new(time, "grey"), new(key), new(Cut(Text(r, "record")))],
        };
    }

    public void Dispose()
    {
        _avro?.Dispose();
        _line.Dispose();
    }

    /// <summary>What was chosen, and why the others were not.</summary>
    private static IEnumerable<Cell> Chosen(JsonElement r)
    {
        if (r.TryGetProperty("chosen", out var chosen) && chosen.ValueKind == JsonValueKind.Object)
        {
            yield return Column(chosen, "offer", "green");
            yield return new($"priority {Number(chosen, "priority")}");
        }
        if (!r.TryGetProperty("candidates", out var candidates) || candidates.ValueKind != JsonValueKind.Array) yield break;
        var dropped = candidates.EnumerateArray().Where(c => Text(c, "drop").Length > 0)
            .Select(c => $"{Text(c, "offer")} {Text(c, "drop")}").ToList();
        if (dropped.Count > 0) yield return new($"dropped: {string.Join(", ", dropped)}", "grey");
    }

    private static IEnumerable<Cell> Optional(string text, string style = "")
    {
        if (text.Length > 0) yield return new(text, style);
    }

    private static Cell Column(JsonElement record, string name, string style = "", int width = 12) =>
        new(Text(record, name).PadRight(width), style);

    /// <summary>A field as text; of bytes that are none, and of what is not there, what JSON has for it.</summary>
    private static string Text(JsonElement record, string name) => !record.TryGetProperty(name, out var value) ? ""
        : value.ValueKind switch
        {
            JsonValueKind.String => Printable.Text(value.GetString()!),
            JsonValueKind.Null => "",
            _ => value.GetRawText(),
        };

    private static string Number(JsonElement record, string name) => record.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.Number ? value.GetDouble().ToString("G6", CultureInfo.InvariantCulture) : Text(record, name);

    private static string Cut(string text) => text.Length <= MostShown ? text : text[..MostShown] + " ...";
}
