using System.Buffers.Text;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Decisions.Audiences;
using StreamEngine.Events;

namespace StreamEngine.Decisions.Outcomes;

/// <summary>What an outcome record says of its decision. The names, in snake case, are the record's symbols.</summary>
internal enum OutcomeStatus : byte
{
    /// <summary>Nothing: never written.</summary>
    None,

    /// <summary>The outcome came within its window.</summary>
    Counted,

    /// <summary>It came behind its window.</summary>
    Late,

    /// <summary>All windows are over.</summary>
    Closed,

    /// <summary>Newer decisions took the room before that.</summary>
    Displaced,

    /// <summary>The windows are over, and the customer consents no more.</summary>
    Withdrawn,
}

/// <summary>How an outcome was found to belong to its decision. The names, in snake case, are the record's symbols.</summary>
internal enum Attribution : byte
{
    /// <summary>By nothing: the record closes the decision.</summary>
    None,

    /// <summary>The event names the decision.</summary>
    DecisionId,

    /// <summary>It names none, and this is the customer's last one of its offer and placement.</summary>
    LastDecision,
}

/// <summary>What became of an outcome event. The names, in snake case, are the metric's labels.</summary>
internal enum OutcomeFate : byte
{
    /// <summary>It counted for a decision.</summary>
    Matched,

    /// <summary>Its decision's window was over.</summary>
    Late,

    /// <summary>The decision has an outcome of that kind already.</summary>
    Duplicate,

    /// <summary>No open decision of the customer is the one that it names, or could be about.</summary>
    Unmatched,

    /// <summary>The customer does not consent to the purpose of decisions.</summary>
    NoConsent,
}

/// <summary>What is written of an open decision; its texts are slices of the batch.</summary>
internal ref struct OutcomeRecord
{
    public OutcomeKind Kind;
    public OutcomeStatus Status;
    public Attribution Attribution;
    public ReadOnlySpan<byte> Customer;
    public FieldValue EventId;      // absent where only the hash is known
    public ulong EventHash;
    public long Time;
    public double Value;
    public long Watermark;
    public ref readonly OpenDecision Decision;
    public ReadOnlySpan<ulong> Variations;
    public Span<byte> Profile;      // empty where nothing may be said of the customer
}

/// <summary>
/// Writes outcome records (<c>schemas/outcome.avsc</c>, and its first version where there are no identifiers). Allocates nothing.
/// </summary>
internal sealed class OutcomeRecordWriter
{
    private static readonly int Kinds = Enum.GetValues<OutcomeKind>().Length;

    private readonly EncodedPolicy _parts;
    private readonly RecordFrame _frame;
    private readonly IdentifierWriter? _identifiers;
    private readonly Dictionary<ulong, byte[]> _offers = [], _variations = [];
    private readonly byte[] _noName = SpanWriter.Encode("");
    private readonly byte[][] _endings, _lateEndings;
    private readonly byte[] _closed = "/closed"u8.ToArray();
    private readonly int _fixedBytes;

    /// <summary>Encodes what does not change.</summary>
    /// <param name="engine">The engine's name.</param>
    /// <param name="sourceTopics">The source topics, in the worker's order.</param>
    /// <param name="policy">The policy whose decisions they are of.</param>
    /// <param name="configHash">The config's hash.</param>
    /// <param name="set">By what partners know customers; null for nothing.</param>
    /// <param name="frame">How they stand in their topic; null for Avro with the fixed id.</param>
    public OutcomeRecordWriter(string engine, IReadOnlyList<string> sourceTopics, DecisionPolicy policy, string configHash,
        SegmentSet? set = null, RecordFrame? frame = null)
    {
        _identifiers = set is { Identifiers.Length: > 0 } ? new IdentifierWriter(set) : null;
        _frame = frame
            ?? RecordFrame.Fixed(_identifiers is null ? OutputSchemas.OutcomeWithoutIdentifiers : OutputSchemas.Outcome);
        _parts = new EncodedPolicy(engine, sourceTopics, policy, configHash);
        for (var i = 0; i < policy.Offers.Count; i++) _offers[Hash64.Of(policy.Offers[i].Utf8Name.AsSpan())] = _parts.Offers[i];
        foreach (var variation in _parts.Variations.SelectMany(v => v)) _variations[Hash64.Of(variation)] = variation;
        _endings = [.. Enum.GetNames<OutcomeKind>().Select(k => Utf8($"/{Spelling.Snake(k)}"))];
        _lateEndings = [.. Enum.GetNames<OutcomeKind>().Select(k => Utf8($"/{Spelling.Snake(k)}/late"))];
        _fixedBytes = 5 + 2 * _parts.IdPrefixes.Select(SpanWriter.MaxId).DefaultIfEmpty().Max() + _lateEndings.Max(e => e.Length)
            + 24 * SpanWriter.MaxLong + Kinds + 2 * 8 + _parts.MaxOffer + OpenDecision.PlacementBytes + _parts.MaxAssignments
            + _parts.ConfigHash.Length + (_identifiers?.MostBytes ?? 0);

        static byte[] Utf8(string text) => System.Text.Encoding.UTF8.GetBytes(text);
    }

    /// <summary>The most bytes of a record's Avro, without customer id and event id.</summary>
    public int MostBytes => _fixedBytes;

    /// <summary>Writes a record, with the customer id as key.</summary>
    /// <param name="output">The interval's outputs.</param>
    /// <param name="topic">Index of the outcome topic among the worker's outputs.</param>
    /// <param name="partition">The outcome topic's partition.</param>
    /// <param name="shard">The shard that writes it.</param>
    /// <param name="record">What is written.</param>
    public void Write(OutputBuffer output, int topic, int partition, int shard, in OutcomeRecord record)
    {
        ref readonly var decision = ref record.Decision;
        output.Begin(topic, partition, shard, Math.Max(0, record.Time), record.Customer);
        var writer = new SpanWriter(output.Reserve(_fixedBytes + record.Customer.Length + record.EventId.Length));
        _frame.Header(ref writer, topic);
        Span<byte> position = stackalloc byte[SpanWriter.MaxPosition];
        position = position[..SpanWriter.Position(position, shard, decision.Offset, decision.Ordinal)];
        var prefix = _parts.IdPrefixes[decision.Source];
        var ending = record.Kind == OutcomeKind.None ? _closed
            : (record.Status == OutcomeStatus.Late ? _lateEndings : _endings)[(int)record.Kind];
        writer.Long(prefix.Length + position.Length + ending.Length);
        writer.Raw(prefix);
        writer.Raw(position);
        writer.Raw(ending);
        writer.Long(prefix.Length + position.Length);
        writer.Raw(prefix);
        writer.Raw(position);
        writer.Long((int)record.Kind);
        writer.Long((int)record.Status);
        writer.Long((int)record.Attribution);
        writer.Bytes(record.Customer);
        if (record.Kind == OutcomeKind.None) writer.Bytes(default);
        else if (record.EventId.Present) writer.Bytes(record.EventId.Text);
        else writer.Hex(record.EventHash);
        writer.Long(record.Time);
        writer.Long(decision.DecidedAt);
        writer.Long(record.Time - decision.DecidedAt);
        writer.Raw(_offers.GetValueOrDefault(decision.Offer, _noName));
        writer.Bytes(decision.PlacementName);
        writer.Double(decision.Probability);
        writer.Double(record.Value);
        Outcomes(ref writer, decision);
        Assignments(ref writer, record.Variations);
        writer.Raw(_parts.ConfigHash);
        writer.Long(record.Watermark);
        if (record.Profile.IsEmpty && _identifiers is not null) IdentifierWriter.WriteNone(ref writer);
        else _identifiers?.Write(ref writer, record.Profile);
        _frame.Close(output, writer.Length);
    }

    /// <summary>The hashes under which variations are kept, by experiment and variation: of both names as records have them.</summary>
    public static ulong[][] HashVariations(DecisionPolicy policy) => [.. policy.Experiments.Select(e => e.Variations.Select(v =>
        Hash64.Of([.. SpanWriter.Encode(e.Name), .. SpanWriter.Encode(v.Name)])).ToArray())];

    /// <summary>Reads a decision's id: false where it is none of this engine's.</summary>
    /// <param name="id">The id, UTF-8.</param>
    /// <param name="partition">Its partition.</param>
    /// <param name="position">The rest of its position.</param>
    public bool TryParse(ReadOnlySpan<byte> id, out int partition, out DecisionPosition position)
    {
        for (var source = 0; source < _parts.IdPrefixes.Length; source++)
        {
            if (!id.StartsWith(_parts.IdPrefixes[source])) continue;
            var rest = id[_parts.IdPrefixes[source].Length..];
            if (!Utf8Parser.TryParse(rest, out partition, out int read) || !Slash(ref rest, read)
                || !Utf8Parser.TryParse(rest, out long offset, out read) || !Slash(ref rest, read)
                || !Utf8Parser.TryParse(rest, out int ordinal, out read) || read != rest.Length) break;
            position = new DecisionPosition(source, offset, ordinal);
            return true;
        }
        (partition, position) = (-1, default);
        return false;

        static bool Slash(ref ReadOnlySpan<byte> rest, int read)
        {
            if (read >= rest.Length || rest[read] != '/') return false;
            rest = rest[(read + 1)..];
            return true;
        }
    }

    private static void Outcomes(ref SpanWriter writer, in OpenDecision decision)
    {
        var count = System.Numerics.BitOperations.PopCount(decision.Kinds);
        if (count > 0) writer.Long(count);
        for (var kind = 0; kind < Kinds; kind++)
            if (decision.Has((OutcomeKind)kind)) writer.Long(kind);
        writer.Long(0);
    }

    /// <summary>Variations that the config has no more are left out.</summary>
    private void Assignments(ref SpanWriter writer, ReadOnlySpan<ulong> variations)
    {
        var count = 0;
        foreach (var hash in variations) count += _variations.ContainsKey(hash) ? 1 : 0;
        if (count > 0) writer.Long(count);
        foreach (var hash in variations)
            if (_variations.TryGetValue(hash, out var names)) writer.Raw(names);
        writer.Long(0);
    }
}
