using StreamEngine.Events.Avro;
using StreamEngine.Testing;

namespace StreamEngine.Tests.Simulation;

/// <summary>A candidate as logged.</summary>
internal sealed record SimCandidate(string Offer, string Drop, double P, double Priority, long Rank);

/// <summary>An entry of the decision log, read by the committed schema.</summary>
internal sealed class SimDecision
{
    private static readonly AvroValueReader Reader = new(AvroSchema.Parse(File.ReadAllText(RepositoryRoot.At("schemas", "decision.avsc"))));
    private readonly AvroRecord _record;
    private readonly AvroRecord _cause;

    public SimDecision(byte[] value)
    {
        _record = (AvroRecord)Reader.Read(value.AsSpan(5))!;
        _cause = (AvroRecord)_record["cause"]!;
    }

    public string EventId => (string)_cause["event_id"]!;
    public string Origin => _record["origin"]!.ToString()!;
    public string Id => (string)_record["decision_id"]!;
    public string Kind => _record["kind"]!.ToString()!;
    public string Topic => (string)_cause["topic"]!;
    public long Offset => (long)_cause["offset"]!;
    public int Ordinal => (int)_cause["ordinal"]!;
    public string Customer => (string)_record["customer_id"]!;
    public long EventTime => (long)_record["event_time"]!;
    public long DecidedAt => (long)_record["decided_at"]!;
    public string Trigger => (string)_record["trigger"]!;
    public string Placement => (string)_record["placement"]!;
    public string Outcome => _record["outcome"]!.ToString()!;
    public string? Offer => (string?)(_record["chosen"] as AvroRecord)?["offer"];
    public long Watermark => (long)_record["watermark"]!;
    public double[] Features => [.. ((List<object?>)_record["features"]!).Cast<double>()];
    public int Version => int.Parse((string)((AvroRecord)((List<object?>)_record["models"]!)[0]!)["version"]!);

    public SimCandidate[] Candidates =>
        [.. ((List<object?>)_record["candidates"]!).Cast<AvroRecord>()
            .Select(c => new SimCandidate((string)c["offer"]!, (string)c["drop"]!, (double)c["p"]!, (double)c["priority"]!,
            Convert.ToInt64(c["rank"])))];

    public override string ToString() => $"{Kind} {Id} {Customer} {Trigger} {Outcome} {Offer}";
}
