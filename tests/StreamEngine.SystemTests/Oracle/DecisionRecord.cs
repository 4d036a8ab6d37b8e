using System.Text.Json;
using StreamEngine.SystemTests.Shop;

namespace StreamEngine.SystemTests.Oracle;

/// <summary>Records of the engine's outputs, read by the committed schemas into dictionaries.</summary>
internal sealed class OutputSchema(string path, int id)
{
    private readonly JsonElement _schema = JsonDocument.Parse(File.ReadAllText(path)).RootElement;

    /// <summary>Reads a value in Confluent wire format.</summary>
    public Dictionary<string, object?> Read(byte[] value)
    {
        if (value.Length < 5 || value[0] != 0 || value[4] != id) throw new AvroException($"no header with schema {id}");
        var reader = new AvroReader(value, 5);
        var record = (Dictionary<string, object?>)reader.Value(_schema)!;
        return reader.AtEnd ? record : throw new AvroException("bytes behind the end");
    }
}

/// <summary>One candidate of a decision.</summary>
internal sealed record CandidateRecord(string Offer, string Drop, double P, double C, double V, double L, double Priority, long Rank,
    string Source);

/// <summary>One decision or mark of the decision topic.</summary>
internal sealed class DecisionRecord(Dictionary<string, object?> fields, long logOffset)
{
    private readonly Dictionary<string, object?> _cause = (Dictionary<string, object?>)fields["cause"]!;
    private readonly Dictionary<string, object?>? _chosen = (Dictionary<string, object?>?)fields["chosen"];

    public long LogOffset => logOffset;
    public string DecisionId => (string)fields["decision_id"]!;
    public string Kind => (string)fields["kind"]!;
    public string Origin => (string)fields["origin"]!;
    public string EventId => (string)_cause["event_id"]!;
    public string Topic => (string)_cause["topic"]!;
    public long Partition => (long)_cause["partition"]!;
    public (long Offset, long Ordinal) Cause => ((long)_cause["offset"]!, (long)_cause["ordinal"]!);
    public string Customer => (string)fields["customer_id"]!;
    public long EventTime => (long)fields["event_time"]!;
    public long DecidedAt => (long)fields["decided_at"]!;
    public string Trigger => (string)fields["trigger"]!;
    public string Placement => (string)fields["placement"]!;
    public string Outcome => (string)fields["outcome"]!;
    public string? Offer => (string?)_chosen?["offer"];
    public double ChosenP => (double)_chosen!["p"]!;
    public double ChosenPriority => (double)_chosen!["priority"]!;
    public bool IsDefault => (bool?)_chosen?["is_default"] ?? false;
    public double SelectionProbability => (double)fields["selection_probability"]!;
    public string ConfigHash => (string)fields["config_hash"]!;
    public long Watermark => (long)fields["watermark"]!;
    public double[] Features { get; } = ((List<object?>)fields["features"]!).Cast<double>().ToArray();

    public CandidateRecord[] Candidates
    {
        get;
    } = ((List<object?>)fields["candidates"]!).Cast<Dictionary<string, object?>>().Select(c => new CandidateRecord(
        (string)c["offer"]!, (string)c["drop"]!, (double)c["p"]!, (double)c["c"]!, (double)c["v"]!, (double)c["l"]!, (double)c["priority"]!,
            (long)c["rank"]!, (string)c["p_source"]!)).ToArray();

    /// <summary>The version of a model; null where the record does not name it.</summary>
    public string? Version(string model) => ((List<object?>)fields["models"]!).Cast<Dictionary<string, object?>>()
        .Where(m => (string)m["name"]! == model).Select(m => (string)m["version"]!).SingleOrDefault();
}
