using StreamEngine.Connectors;

namespace StreamEngine.Decisions;

/// <summary>
/// Writes decision records (<c>schemas/decision.avsc</c>, Confluent wire format) straight into the interval's outputs. A decision goes to
/// the decision topic's partition of its shard's number, so that recovery finds it there. Allocates nothing.
/// </summary>
public sealed class DecisionRecordWriter
{
    /// <summary>The most bytes of a rank, an int.</summary>
    private const int MaxRank = 5;

    private readonly EncodedPolicy _parts;
    private readonly RecordFrame _frame;
    private readonly int _offers;
    private readonly int _fixedBytes;
    private readonly int _markBytes;
    private readonly int _mostSwitched;

    /// <summary>Encodes what does not change.</summary>
    /// <param name="engine">The engine's name.</param>
    /// <param name="sourceTopics">The source topics, in the worker's order.</param>
    /// <param name="policy">The policy whose decisions are written.</param>
    /// <param name="configHash">The config's hash.</param>
    /// <param name="frame">The schema id; null for the fixed one.</param>
    public DecisionRecordWriter(string engine, IReadOnlyList<string> sourceTopics, DecisionPolicy policy, string configHash,
        RecordFrame? frame = null)
    {
        _frame = frame ?? RecordFrame.Fixed(OutputSchemas.Decision);
        _parts = new EncodedPolicy(engine, sourceTopics, policy, configHash);
        _offers = policy.Offers.Count;
        _markBytes = 5 + sourceTopics.Select((_, t) => SpanWriter.MaxId(_parts.IdPrefixes[t]) + _parts.Topics[t].Length).DefaultIfEmpty()
            .Max()
            + 26 * SpanWriter.MaxLong + _parts.Triggers.Select(t => t.Length).DefaultIfEmpty().Max()
            + _parts.MaxOffer + 6 * 8 + _parts.MaxAssignments + policy.Experiments.Count * SpanWriter.MaxLong + _parts.MaxModels
            + _parts.ConfigHash.Length;
        _fixedBytes = _markBytes + _parts.MaxCandidates + _offers * (5 * 8 + MaxRank + 1 + (policy.Explorations.Count > 0 ? 8 : 0));
        _mostSwitched = new Switches(policy, [SwitchTarget.All, .. policy.Offers.Select(o => new SwitchTarget(SwitchKind.Offer, o.Name)),
            .. policy.Offers.Select(o => new SwitchTarget(SwitchKind.Channel, o.Channel)),
            .. policy.Models.Select(m => new SwitchTarget(SwitchKind.Model, m.Name)),
            .. policy.Budgets.Select(b => new SwitchTarget(SwitchKind.Budget, b.Name))], 0).Encoded.Length;
    }

    /// <summary>The most bytes of a value, without the event's texts: customer id, event id and placement.</summary>
    /// <param name="features">Length of the feature vector.</param>
    public long MostBytes(int features) => Math.Max(_fixedBytes + 8L * features, (long)_markBytes + _mostSwitched);

    /// <summary>Writes a decision.</summary>
    /// <param name="output">The interval's outputs.</param>
    /// <param name="topic">Index of the decision topic among the worker's outputs.</param>
    /// <param name="request">Who, when, by what cause.</param>
    /// <param name="decision">What was decided.</param>
    /// <param name="features">The feature vector that was scored.</param>
    public void Write(OutputBuffer output, int topic, in DecisionRequest request, Decision decision, ReadOnlySpan<double> features)
    {
        var customer = request.CustomerId;
        var consented = decision.Outcome != Outcome.NoConsent;
        var size = _fixedBytes + customer.Length + request.EventId.Length + decision.Placement.Length + 8 * features.Length;
        output.Begin(topic, request.Partition, request.Partition, request.DecidedAt, customer);
        var writer = new SpanWriter(output.Reserve(size));
        Cause(ref writer, topic, DecisionKind.Decision, request);
        writer.Bytes(customer);
        writer.Long(request.EventTime);
        writer.Long(request.DecidedAt);
        writer.Raw(_parts.Triggers[request.Trigger]);
        writer.Bytes(decision.Placement);
        writer.Long((int)decision.Outcome);
        Chosen(ref writer, decision);
        writer.Double(decision.SelectionProbability);
        Candidates(ref writer, decision, consented ? _offers : 0);
        Doubles(ref writer, consented ? features : default);
        _parts.Models(ref writer, decision);
        writer.Raw(_parts.ConfigHash);
        writer.Long(request.Watermark);
        writer.Long((int)request.Origin);
        writer.Long(0); // switches: null
        _parts.Assignments(ref writer, decision);
        Doubles(ref writer, decision.Exploration >= 0 ? decision.Probability : default);
        writer.Long(0); // shared: null
        writer.Long(decision.DeferredUntil > 0 ? 1 : 0);
        if (decision.DeferredUntil > 0) writer.Long(decision.DeferredUntil);
        _parts.BucketVersions(ref writer, decision);
        _frame.Close(output, writer.Length);
    }

    /// <summary>Writes the mark that a partition's watermark was advanced without a record, before timers act on it.</summary>
    /// <param name="output">The interval's outputs.</param>
    /// <param name="topic">Index of the decision topic among the worker's outputs.</param>
    /// <param name="sourceTopic">Index of the source topic whose position it stands at.</param>
    /// <param name="partition">The partition, which is the shard.</param>
    /// <param name="offset">The offset of the newest record when it happened.</param>
    /// <param name="ordinal">Counts marks and decisions of that offset.</param>
    /// <param name="at">When it happened, ms: the record's timestamp.</param>
    /// <param name="watermark">The watermark it was advanced to, ms.</param>
    public void WriteWatermark(OutputBuffer output, int topic, int sourceTopic, int partition, long offset, int ordinal, long at,
        long watermark) =>
        Mark(output, topic, DecisionKind.Watermark, Position(sourceTopic, partition, offset, ordinal, at, watermark));

    /// <summary>Writes the mark that a source was processed up to an offset before another source followed.</summary>
    /// <param name="output">The interval's outputs.</param>
    /// <param name="topic">Index of the decision topic among the worker's outputs.</param>
    /// <param name="sourceTopic">Index of the source topic that was processed.</param>
    /// <param name="partition">The partition, which is the shard.</param>
    /// <param name="offset">The offset of that source's newest record.</param>
    /// <param name="ordinal">Counts marks of that offset.</param>
    /// <param name="at">When it happened, ms: the record's timestamp.</param>
    /// <param name="watermark">The partition's watermark, ms.</param>
    public void WriteOrder(OutputBuffer output, int topic, int sourceTopic, int partition, long offset, int ordinal, long at,
        long watermark) =>
        Mark(output, topic, DecisionKind.Order, Position(sourceTopic, partition, offset, ordinal, at, watermark));

    /// <summary>Writes the mark that a record was refused because of the clock.</summary>
    /// <param name="output">The interval's outputs.</param>
    /// <param name="topic">Index of the decision topic among the worker's outputs.</param>
    /// <param name="sourceTopic">Index of the source topic.</param>
    /// <param name="partition">The partition, which is the shard.</param>
    /// <param name="offset">The refused record's offset.</param>
    /// <param name="ordinal">Counts marks of that offset.</param>
    /// <param name="at">When it happened, ms: the record's timestamp.</param>
    /// <param name="watermark">The partition's watermark, ms.</param>
    public void WriteRefused(OutputBuffer output, int topic, int sourceTopic, int partition, long offset, int ordinal, long at,
        long watermark) =>
        Mark(output, topic, DecisionKind.Refused, Position(sourceTopic, partition, offset, ordinal, at, watermark));

    /// <summary>
    /// Writes the mark of what is switched off and of the tables' versions, before the first decision or event that follows it.
    /// </summary>
    /// <param name="output">The interval's outputs.</param>
    /// <param name="topic">Index of the decision topic among the worker's outputs.</param>
    /// <param name="sourceTopic">Index of the source topic whose position it stands at.</param>
    /// <param name="partition">The partition, which is the shard.</param>
    /// <param name="offset">The offset of the newest record when it happened.</param>
    /// <param name="ordinal">Counts marks and decisions of that offset.</param>
    /// <param name="at">When it happened, ms: the record's timestamp.</param>
    /// <param name="watermark">The partition's watermark, ms.</param>
    /// <param name="switches">What is off from here on.</param>
    /// <param name="tables">
    /// The versions of tables that are topics from here on: an Avro array of name, version and sum. Empty where there are no such tables.
    /// </param>
    public void WriteSwitches(OutputBuffer output, int topic, int sourceTopic, int partition, long offset, int ordinal, long at,
        long watermark, Switches switches, ReadOnlySpan<byte> tables = default) =>
        Mark(output, topic, DecisionKind.Switches, Position(sourceTopic, partition, offset, ordinal, at, watermark), switches, tables);

    /// <summary>Writes the mark of shared numbers that have changed, before the first decision that follows them.</summary>
    /// <param name="output">The interval's outputs.</param>
    /// <param name="topic">Index of the decision topic among the worker's outputs.</param>
    /// <param name="sourceTopic">Index of the source topic whose position it stands at.</param>
    /// <param name="partition">The partition, which is the shard.</param>
    /// <param name="offset">The offset of the newest record when it happened.</param>
    /// <param name="ordinal">Counts marks and decisions of that offset.</param>
    /// <param name="at">When it happened, ms: the record's timestamp.</param>
    /// <param name="watermark">The partition's watermark, ms.</param>
    /// <param name="version">The version of the snapshot that they are of.</param>
    /// <param name="numbers">Those that differ from the marks before it: an Avro array of name and values.</param>
    public void WriteShared(OutputBuffer output, int topic, int sourceTopic, int partition, long offset, int ordinal, long at,
        long watermark, long version, ReadOnlySpan<byte> numbers) =>
        Mark(output, topic, DecisionKind.Shared, Position(sourceTopic, partition, offset, ordinal, at, watermark), version: version,
            numbers: numbers);

    /// <summary>Where a mark stands, and when it happened.</summary>
    private static DecisionRequest Position(int sourceTopic, int partition, long offset, int ordinal, long at, long watermark) => new()
    {
        Topic = sourceTopic,
        Partition = partition,
        Offset = offset,
        Ordinal = ordinal,
        DecidedAt = at,
        Watermark = watermark
    };

    private void Mark(OutputBuffer output, int topic, DecisionKind kind, in DecisionRequest position, Switches? switches = null,
        ReadOnlySpan<byte> tables = default, long version = 0, ReadOnlySpan<byte> numbers = default)
    {
        output.Begin(topic, position.Partition, position.Partition, position.DecidedAt, default);
        var writer = new SpanWriter(output.Reserve(_markBytes + tables.Length + numbers.Length + (switches?.Encoded.Length ?? 0)));
        Cause(ref writer, topic, kind, position);
        writer.Bytes(default); // customer_id
        writer.Long(0); // event_time
        writer.Long(position.DecidedAt);
        writer.Bytes(default); // trigger
        writer.Bytes(default); // placement
        writer.Long((int)Outcome.None);
        writer.Long(0); // chosen: null
        writer.Double(1);
        writer.Long(0); // candidates
        writer.Long(0); // features
        if (tables.IsEmpty) writer.Long(0); // models
        else writer.Raw(tables);
        writer.Raw(_parts.ConfigHash);
        writer.Long(position.Watermark);
        writer.Long((int)DecisionOrigin.Event);
        writer.Long(switches is null ? 0 : 1);
        if (switches is not null)
        {
            writer.Long(switches.Version);
            writer.Raw(switches.Encoded);
        }
        writer.Long(0); // assignments
        writer.Long(0); // candidate_probabilities
        writer.Long(kind == DecisionKind.Shared ? 1 : 0);
        if (kind == DecisionKind.Shared)
        {
            writer.Long(version);
            writer.Raw(numbers);
        }
        writer.Long(0); // deferred_until: null
        writer.Long(0); // bucket_versions
        _frame.Close(output, writer.Length);
    }

    private void Cause(ref SpanWriter writer, int topic, DecisionKind kind, in DecisionRequest request)
    {
        _frame.Header(ref writer, topic);
        writer.Id(_parts.IdPrefixes[request.Topic], request.Partition, request.Offset, request.Ordinal);
        writer.Long((int)kind);
        if (kind != DecisionKind.Decision) writer.Bytes(default);
        else if (request.EventId.Present) writer.Bytes(request.EventId.Text);
        else writer.Hex(request.EventHash);
        writer.Raw(_parts.Topics[request.Topic]);
        writer.Long(request.Source);
        writer.Long(request.Partition);
        writer.Long(request.Offset);
        writer.Long(request.Ordinal);
    }

    private void Chosen(ref SpanWriter writer, Decision decision)
    {
        var offer = decision.Chosen;
        writer.Long(offer < 0 ? 0 : 1);
        if (offer < 0) return;
        writer.Raw(_parts.Offers[offer]);
        writer.Raw(_parts.Treatments[offer][decision.Treatments[offer]]);
        writer.Raw(_parts.Channels[offer]);
        Factors(ref writer, decision, offer);
        writer.Bool(decision.IsDefault);
    }

    private void Candidates(ref SpanWriter writer, Decision decision, int count)
    {
        if (count > 0) writer.Long(count);
        for (var offer = 0; offer < count; offer++)
        {
            writer.Raw(_parts.Offers[offer]);
            writer.Raw(_parts.Drop(decision, offer));
            Factors(ref writer, decision, offer);
            writer.Long(decision.Rank[offer]);
            writer.Long((int)decision.Source[offer]);
        }
        writer.Long(0);
    }

    private static void Factors(ref SpanWriter writer, Decision decision, int offer)
    {
        writer.Double(decision.P[offer]);
        writer.Double(decision.C[offer]);
        writer.Double(decision.V[offer]);
        writer.Double(decision.L[offer]);
        writer.Double(decision.Priority[offer]);
    }

    private static void Doubles(ref SpanWriter writer, ReadOnlySpan<double> numbers)
    {
        if (numbers.Length > 0) writer.Long(numbers.Length);
        foreach (var number in numbers) writer.Double(number);
        writer.Long(0);
    }
}
