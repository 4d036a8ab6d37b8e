using System.Globalization;
using System.Text.Json;
using Avro.Generic;

namespace StreamEngine.Host.Evaluation.Experiments;

/// <summary>
/// Fields of a decision or outcome record, in Avro as the engine writes it or as the JSON object that <c>replay</c> makes of it.
/// </summary>
internal readonly struct LoggedRecord
{
    private readonly GenericRecord? _avro;
    private readonly JsonElement _json;

    /// <summary>A record in Avro.</summary>
    public LoggedRecord(GenericRecord record) => _avro = record;

    /// <summary>A record as a JSON object.</summary>
    public LoggedRecord(JsonElement record) => _json = record;

    /// <summary>A text, or an enum's symbol; empty where there is none.</summary>
    public string Text(string field) => _avro is null
        ? _json.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : ""
        : Value(field) switch { string text => text, GenericEnum symbol => symbol.Value, _ => "" };

    /// <summary>A number; 0 where there is none.</summary>
    public double Number(string field) => _avro is null
        ? _json.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : 0
        : Value(field) is double number ? number : 0;

    /// <summary>
    /// A number that may be none, such as a factor that could not be computed: JSON has null for NaN, and texts for what is infinite. 0
    /// where the record has no such field.
    /// </summary>
    public double Factor(string field) => _avro is not null ? Number(field) : _json.TryGetProperty(field, out var value) ? Of(value) : 0;

    /// <summary>A whole number; 0 where there is none.</summary>
    public int Whole(string field) => _avro is null
        ? _json.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetInt32() : 0
        : Value(field) is int number ? number : 0;

    /// <summary>A time; null where there is none.</summary>
    public DateTimeOffset? Time(string field) => _avro is null
        ? DateTimeOffset.TryParse(Text(field), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null
        : Value(field) is DateTime at ? new DateTimeOffset(DateTime.SpecifyKind(at, DateTimeKind.Utc)) : null;

    /// <summary>Whether a field is true.</summary>
    public bool Flag(string field) => _avro is null
        ? _json.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.True : Value(field) is true;

    /// <summary>A record within; null where there is none.</summary>
    public LoggedRecord? Record(string field) => _avro is null
        ? _json.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.Object ? new LoggedRecord(value) : null
        : Value(field) is GenericRecord record ? new LoggedRecord(record) : null;

    /// <summary>An array of records.</summary>
    public IEnumerable<LoggedRecord> Records(string field) => _avro is null
        ? Elements(field).Select(e => new LoggedRecord(e))
        : Value(field) is Array all ? all.OfType<GenericRecord>().Select(r => new LoggedRecord(r)) : [];

    /// <summary>An array of numbers.</summary>
    public IEnumerable<double> Numbers(string field) => _avro is null
        ? Elements(field).Select(e => e.ValueKind == JsonValueKind.Number ? e.GetDouble() : 0)
        : Value(field) is Array all ? all.OfType<double>() : [];

    /// <summary>An array of numbers, among them those that are none, as of <see cref="Factor"/>.</summary>
    public double[] Vector(string field) => _avro is not null ? [.. Numbers(field)] : [.. Elements(field).Select(Of)];

    /// <summary>An array of texts, or of enum symbols.</summary>
    public IEnumerable<string> Texts(string field) => _avro is null
        ? Elements(field).Select(e => e.GetString()!)
        : Value(field) is Array all ? all.Cast<object>().Select(e => e is GenericEnum symbol ? symbol.Value : (string)e) : [];

    /// <summary>The experiments that the customer was in, each with the variation.</summary>
    public IEnumerable<(string Experiment, string Variation)> Assignments()
    {
        if (_avro is not null)
            return Value("assignments") is not Array all ? []
                : all.OfType<GenericRecord>().Select(a => ((string)a["experiment"], (string)a["variation"]));
        return Elements("assignments")
            .Select(a => (a.GetProperty("experiment").GetString()!, a.GetProperty("variation").GetString()!));
    }

    private static double Of(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => value.GetDouble(),
        JsonValueKind.String => double.Parse(value.GetString()!, CultureInfo.InvariantCulture),
        _ => double.NaN,
    };

    private IEnumerable<JsonElement> Elements(string field) =>
        _json.TryGetProperty(field, out var list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : [];

    private object? Value(string field) => _avro!.TryGetValue(field, out var value) ? value : null;
}
