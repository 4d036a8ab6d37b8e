using StreamEngine.Connectors;

namespace StreamEngine.Decisions;

/// <summary>Writes action records (<c>schemas/action.avsc</c>) for served decisions. Allocates nothing.</summary>
public sealed class ActionRecordWriter
{
    private readonly EncodedPolicy _parts;
    private readonly RecordFrame _frame;
    private readonly int _fixedBytes;

    /// <summary>Encodes what does not change.</summary>
    /// <param name="engine">The engine's name.</param>
    /// <param name="sourceTopics">The source topics, in the worker's order.</param>
    /// <param name="policy">The policy whose decisions are written.</param>
    /// <param name="configHash">The config's hash.</param>
    /// <param name="frame">How they stand in their topics; null for Avro with the fixed id.</param>
    public ActionRecordWriter(string engine, IReadOnlyList<string> sourceTopics, DecisionPolicy policy, string configHash,
        RecordFrame? frame = null)
    {
        _frame = frame ?? RecordFrame.Fixed(OutputSchemas.Action);
        _parts = new EncodedPolicy(engine, sourceTopics, policy, configHash);
        _fixedBytes = 5 + _parts.IdPrefixes.Select(SpanWriter.MaxId).DefaultIfEmpty().Max() + 8 * SpanWriter.MaxLong + 3 * 8
            + _parts.MaxOffer + _parts.MaxAssignments
            + _parts.Triggers.Select(t => t.Length).DefaultIfEmpty().Max() + _parts.ConfigHash.Length;
    }

    /// <summary>The most bytes of an action's Avro, without the event's texts: customer id, event id and placement.</summary>
    public int MostBytes => _fixedBytes;

    /// <summary>Writes the action of a served decision, with the customer id as key.</summary>
    /// <param name="output">The interval's outputs.</param>
    /// <param name="topic">Index of the action topic among the worker's outputs.</param>
    /// <param name="partition">The action topic's partition.</param>
    /// <param name="request">Who, when, by what cause.</param>
    /// <param name="decision">The decision; its outcome is <see cref="Outcome.Served"/>.</param>
    public void Write(OutputBuffer output, int topic, int partition, in DecisionRequest request, Decision decision)
    {
        var customer = request.CustomerId;
        var offer = decision.Chosen;
        output.Begin(topic, partition, request.Partition, request.DecidedAt, customer);
        var writer = new SpanWriter(output.Reserve(_fixedBytes + customer.Length + request.EventId.Length + decision.Placement.Length));
        _frame.Header(ref writer, topic);
        writer.Id(_parts.IdPrefixes[request.Topic], request.Partition, request.Offset, request.Ordinal);
        if (request.EventId.Present) writer.Bytes(request.EventId.Text);
        else writer.Hex(request.EventHash);
        writer.Bytes(customer);
        writer.Long(request.EventTime);
        writer.Raw(_parts.Channels[offer]);
        writer.Bytes(decision.Placement);
        writer.Raw(_parts.Offers[offer]);
        writer.Raw(_parts.Treatments[offer][decision.Treatments[offer]]);
        writer.Double(decision.Priority[offer]);
        writer.Double(decision.P[offer]);
        writer.Raw(_parts.Triggers[request.Trigger]);
        writer.Raw(_parts.ConfigHash);
        _parts.Assignments(ref writer, decision);
        writer.Double(decision.SelectionProbability);
        _frame.Close(output, writer.Length);
    }

    /// <summary>Writes the action of a logged decision again, byte for byte: nothing of the present config goes into it.</summary>
    /// <param name="output">The interval's outputs.</param>
    /// <param name="topic">Index of the action topic among the worker's outputs.</param>
    /// <param name="partition">The action topic's partition.</param>
    /// <param name="decision">The logged decision; its outcome is <see cref="Outcome.Served"/>.</param>
    /// <param name="value">The logged record's bytes, which the decision's texts are slices of.</param>
    public void Rewrite(OutputBuffer output, int topic, int partition, in LoggedDecision decision, ReadOnlySpan<byte> value)
    {
        var factors = decision.Factors.Of(value);
        output.Begin(topic, partition, decision.Partition, decision.DecidedAt, decision.Customer.Of(value));
        var writer = new SpanWriter(output.Reserve(value.Length + 16 * SpanWriter.MaxLong));
        _frame.Header(ref writer, topic);
        writer.Bytes(decision.Id.Of(value));
        writer.Bytes(decision.EventId.Of(value));
        writer.Bytes(decision.Customer.Of(value));
        writer.Long(decision.EventTime);
        writer.Bytes(decision.Channel.Of(value));
        writer.Bytes(decision.Placement.Of(value));
        writer.Bytes(decision.Offer.Of(value));
        writer.Bytes(decision.Treatment.Of(value));
        writer.Raw(factors[32..]);
        writer.Raw(factors[..8]);
        writer.Bytes(decision.Trigger.Of(value));
        writer.Bytes(decision.ConfigHash.Of(value));
        if (decision.Assignments.Length > 0) writer.Raw(decision.Assignments.Of(value));
        else writer.Long(0); // a record of a version that knew no experiments
        writer.Double(decision.SelectionProbability);
        _frame.Close(output, writer.Length);
    }
}
