using Avro.Generic;
using StreamEngine.Tests.Events.Avro;

namespace StreamEngine.Tests.Simulation;

/// <summary>A candidate as logged.</summary>
internal sealed record SimCandidate(string Offer, string Drop, double P, double Priority, long Rank);

/// <summary>An entry of the decision log, read by the committed schema.</summary>
internal sealed class SimDecision
{
    private static readonly ApacheAvro Reader = ApacheAvro.Of("decision");
    private readonly GenericRecord _record;
    private readonly GenericRecord _cause;

    public SimDecision(byte[] value)
    {
        _record = Reader.Record(value.AsSpan(5));
        _cause = (GenericRecord)_record["cause"]!;
    }

    public string EventId => (string)_cause["event_id"]!;
    public string Origin => _record.Text("origin");
    public string Id => (string)_record["decision_id"]!;
    public string Kind => _record.Text("kind");
    public string Topic => (string)_cause["topic"]!;
    public long Offset => (long)_cause["offset"]!;
    public int Ordinal => (int)_cause["ordinal"]!;
    public string Customer => (string)_record["customer_id"]!;
    public long EventTime => (long)_record["event_time"]!;
    public long DecidedAt => (long)_record["decided_at"]!;
    public string Trigger => (string)_record["trigger"]!;
    public string Placement => (string)_record["placement"]!;
    public string Outcome => _record.Text("outcome");
    public string? Offer => (string?)(_record["chosen"] as GenericRecord)?["offer"];
    public long Watermark => (long)_record["watermark"]!;
    public double[] Features => [.. ((object[])_record["features"]!).Cast<double>()];
    public double SelectionProbability => (double)_record["selection_probability"]!;
    public double[] Probabilities => [.. ((object[])_record["candidate_probabilities"]!).Cast<double>()];
    public string? Variation => ((object[])_record["assignments"]!).Cast<GenericRecord>().Select(a => (string)a["variation"]!)
        .SingleOrDefault();
    public long? DeferredUntil => (long?)_record["deferred_until"];
    public int Version => int.Parse((string)((GenericRecord)((object[])_record["models"]!)[0]!)["version"]!);

    /// <summary>What a mark says to be off, and of which version that is; null for what is no such mark.</summary>
    public (long Version, HashSet<string> Off)? Switches => _record["switches"] is GenericRecord s
        ? ((long)s["version"]!, [.. ((object[])s["off"]!).Cast<string>()]) : null;

    /// <summary>As of which version events behind such a mark look up in the table, and the sum over its rows.</summary>
    public (long Version, string Sum) Table => (object[])_record["models"]! is [GenericRecord t, ..]
        ? (long.Parse((string)t["version"]!), (string)t["provider"]!) : (0, new string('0', 16));

    /// <summary>What a mark says of shared numbers, and of which version that is; null for what is no such mark.</summary>
    public (long Version, List<(string Name, double[] Values)> Numbers)? Shared => _record["shared"] is GenericRecord s
        ? ((long)s["version"]!, [.. ((object[])s["numbers"]!).Cast<GenericRecord>()
            .Select(n => ((string)n["name"]!, ((object[])n["values"]!).Cast<double>().ToArray()))]) : null;

    public SimCandidate[] Candidates =>
        [.. ((object[])_record["candidates"]!).Cast<GenericRecord>()
            .Select(c => new SimCandidate((string)c["offer"]!, (string)c["drop"]!, (double)c["p"]!, (double)c["priority"]!,
            Convert.ToInt64(c["rank"])))];

    public override string ToString() => $"{Kind} {Id} {Customer} {Trigger} {Outcome} {Offer}";
}
