using StreamEngine.Events;

namespace StreamEngine.Decisions;

/// <summary>What a record in the decision log is.</summary>
public enum DecisionKind : byte
{
    /// <summary>A decision.</summary>
    Decision,

    /// <summary>The partition's watermark was advanced by idleness.</summary>
    Watermark,

    /// <summary>A source was processed up to an offset, then another source followed.</summary>
    Order,

    /// <summary>The record at the offset was refused because of the clock, which a restore can't ask again.</summary>
    Refused,

    /// <summary>
    /// What is switched off for all decisions behind it, and as of which versions all events behind it look up in tables that are topics.
    /// </summary>
    Switches,

    /// <summary>Numbers that all shards share, for all decisions behind it: those that differ from the marks before it.</summary>
    Shared,
}

/// <summary>What recovery needs of a record of the decision log. Texts are slices of the record's value.</summary>
public struct LoggedDecision
{
    /// <summary>What it is.</summary>
    public DecisionKind Kind;

    /// <summary>The decision's id.</summary>
    public Range32 Id;

    /// <summary>What opened it; <see cref="DecisionOrigin.Event"/> in records of a version that did not say.</summary>
    public DecisionOrigin Origin;

    /// <summary>The id of the event that caused it, or of the request.</summary>
    public Range32 EventId;

    /// <summary>The source topic's name.</summary>
    public Range32 Topic;

    /// <summary>The partition.</summary>
    public int Partition;

    /// <summary>The offset of the cause.</summary>
    public long Offset;

    /// <summary>Counts the decisions of one offset from 0.</summary>
    public int Ordinal;

    /// <summary>The customer id; empty for a mark.</summary>
    public Range32 Customer;

    /// <summary>Time of the event, ms.</summary>
    public long EventTime;

    /// <summary>The event time at which it was decided, ms.</summary>
    public long DecidedAt;

    /// <summary>The trigger's name.</summary>
    public Range32 Trigger;

    /// <summary>The placement.</summary>
    public Range32 Placement;

    /// <summary>How it ended; <see cref="Outcome.None"/> for a mark.</summary>
    public Outcome Outcome;

    /// <summary>The chosen offer's name; empty where none was.</summary>
    public Range32 Offer;

    /// <summary>The chosen offer's treatment.</summary>
    public Range32 Treatment;

    /// <summary>The chosen offer's channel.</summary>
    public Range32 Channel;

    /// <summary>Whether the default offer was taken instead of arbitration's best.</summary>
    public bool IsDefault;

    /// <summary>All candidates, as an Avro array.</summary>
    public Range32 Candidates;

    /// <summary>The chosen offer's P, C, V, L and priority, 8 bytes each.</summary>
    public Range32 Factors;

    /// <summary>The probability with which it had to come out so.</summary>
    public double SelectionProbability;

    /// <summary>The hash of the config that decided.</summary>
    public Range32 ConfigHash;

    /// <summary>The partition's watermark, ms.</summary>
    public long Watermark;

    /// <summary>What is switched off from here on, as <see cref="Switches.Encoded"/>; empty for what is no such mark.</summary>
    public Range32 SwitchedOff;

    /// <summary>The version of that; 0 for what is no such mark.</summary>
    public long SwitchVersion;

    /// <summary>
    /// As of which versions events behind it look up in tables that are topics, as an Avro array; empty for what is no mark of switches.
    /// </summary>
    public Range32 Tables;

    /// <summary>The customer's variations, as an Avro array; empty in records of a version that knew no experiments.</summary>
    public Range32 Assignments;

    /// <summary>The shared numbers that have changed, as an Avro array; empty for what is no mark of them.</summary>
    public Range32 Shared;

    /// <summary>The version of the snapshot that they are of; 0 for what is no such mark.</summary>
    public long SharedVersion;

    /// <summary>The end of the quiet hours that it waits for, ms; 0 where it waits for none.</summary>
    public long DeferredUntil;

    /// <summary>The bucket versions of the variations, as an Avro array; empty where no experiment was sticky.</summary>
    public Range32 BucketVersions;

    /// <summary>What is wrong with the record and at which byte; null where it was read.</summary>
    public string? Error;

    /// <summary>
    /// Reads a record's value. Nothing is tolerated: an id that names another cause, an unknown symbol, an early end or bytes behind the
    /// end make it false, and <see cref="Error"/> says what and at which byte. The schema id is not looked at: it comes from a registry
    /// that may have been another one when the record was written, and that a restore should not need, so it can be any version's. The
    /// version is told by where the record ends.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> value, ref LoggedDecision d)
    {
        d = default;
        var reader = new AvroCursor(value);
        reader.Header();
        d.Id = reader.Bytes("decision_id");
        d.Kind = reader.Symbol<DecisionKind>("kind");
        d.EventId = reader.Bytes("cause.event_id");
        d.Topic = reader.Bytes("cause.topic");
        reader.Int("cause.source");
        d.Partition = reader.Int("cause.partition");
        d.Offset = reader.Long("cause.offset");
        d.Ordinal = reader.Int("cause.ordinal");
        d.Customer = reader.Bytes("customer_id");
        d.EventTime = reader.Long("event_time");
        d.DecidedAt = reader.Long("decided_at");
        d.Trigger = reader.Bytes("trigger");
        d.Placement = reader.Bytes("placement");
        d.Outcome = reader.Symbol<Outcome>("outcome");
        if (reader.Branch(2, "chosen") == 1) Chosen(ref reader, ref d);
        d.SelectionProbability = reader.Double("selection_probability");
        var candidates = reader.At;
        for (var left = reader.Items("candidates"); left > 0; left = left > 1 ? left - 1 : reader.Items("candidates"))
            Candidate(ref reader);
        d.Candidates = new Range32(candidates, reader.At - candidates);
        Doubles(ref reader, "features");
        var models = reader.At;
        for (var left = reader.Items("models"); left > 0; left = left > 1 ? left - 1 : reader.Items("models")) Model(ref reader);
        if (d.Kind == DecisionKind.Switches) d.Tables = new Range32(models, reader.At - models);
        d.ConfigHash = reader.Bytes("config_hash");
        d.Watermark = reader.Long("watermark");
        // Each version added one field behind all others: a record that ends before one of these is of an earlier version.
        if (reader.HasMore) d.Origin = reader.Symbol<DecisionOrigin>("origin");
        var told = reader.HasMore && reader.Branch(2, "switches") == 1;
        if (told) Switched(ref reader, ref d);
        if (reader.HasMore) Assigned(ref reader, ref d);
        if (reader.HasMore) Doubles(ref reader, "candidate_probabilities");
        var isNewest = reader.HasMore; // the rest came with one version
        var shares = isNewest && reader.Branch(2, "shared") == 1;
        if (shares) Shares(ref reader, ref d);
        if (isNewest && reader.Branch(2, "deferred_until") == 1) d.DeferredUntil = reader.Long("deferred_until");
        if (isNewest) Versions(ref reader, ref d);
        reader.End();
        if (reader.Error is null && told != (d.Kind == DecisionKind.Switches)) reader.Fail("switches", "does not fit the kind");
        if (reader.Error is null && shares != (d.Kind == DecisionKind.Shared)) reader.Fail("shared", "does not fit the kind");
        if (reader.Error is null && !NamesItsCause(value, d)) reader.Fail("decision_id", "names another cause");
        if (reader.Error is null && (d.Outcome == Outcome.Served) != (d.Offer.Length > 0))
            reader.Fail("chosen", "does not fit the outcome");
        if (reader.Error is null && d.DeferredUntil != 0 && d.Outcome != Outcome.NoOffer)
            reader.Fail("deferred_until", "does not fit the outcome");
        d.Error = reader.Error;
        return d.Error is null;
    }

    /// <summary>Whether the id ends with the cause's topic and position, as the writer makes it.</summary>
    private static bool NamesItsCause(ReadOnlySpan<byte> value, in LoggedDecision d)
    {
        Span<byte> position = stackalloc byte[SpanWriter.MaxPosition];
        position = position[..SpanWriter.Position(position, d.Partition, d.Offset, d.Ordinal)];
        var id = d.Id.Of(value);
        return id.EndsWith(position) && id[..^position.Length] is [.., (byte)'/'] head && head[..^1].EndsWith(d.Topic.Of(value));
    }

    private static void Chosen(ref AvroCursor reader, ref LoggedDecision d)
    {
        d.Offer = reader.Bytes("chosen.offer");
        d.Treatment = reader.Bytes("chosen.treatment");
        d.Channel = reader.Bytes("chosen.channel");
        d.Factors = reader.Take(5 * 8, "chosen");
        d.IsDefault = reader.Bool("chosen.is_default");
    }

    private static void Doubles(ref AvroCursor reader, string what)
    {
        for (var left = reader.Items(what); left > 0; left = reader.Items(what)) reader.Skip(8 * left, what);
    }

    private static void Switched(ref AvroCursor reader, ref LoggedDecision d)
    {
        d.SwitchVersion = reader.Long("switches.version");
        var start = reader.At;
        for (var left = reader.Items("switches.off"); left > 0; left = left > 1 ? left - 1 : reader.Items("switches.off"))
            reader.Bytes("switches.off");
        d.SwitchedOff = new Range32(start, reader.At - start);
    }

    private static void Assigned(ref AvroCursor reader, ref LoggedDecision d)
    {
        var start = reader.At;
        for (var left = reader.Items("assignments"); left > 0; left = left > 1 ? left - 1 : reader.Items("assignments"))
        {
            reader.Bytes("assignments.experiment");
            reader.Bytes("assignments.variation");
        }
        d.Assignments = new Range32(start, reader.At - start);
    }

    private static void Shares(ref AvroCursor reader, ref LoggedDecision d)
    {
        d.SharedVersion = reader.Long("shared.version");
        var start = reader.At;
        for (var left = reader.Items("shared.numbers"); left > 0; left = left > 1 ? left - 1 : reader.Items("shared.numbers"))
        {
            reader.Bytes("shared.numbers.name");
            Doubles(ref reader, "shared.numbers.values");
        }
        d.Shared = new Range32(start, reader.At - start);
    }

    private static void Versions(ref AvroCursor reader, ref LoggedDecision d)
    {
        var (start, count) = (reader.At, 0);
        for (var left = reader.Items("bucket_versions"); left > 0; left = left > 1 ? left - 1 : reader.Items("bucket_versions"))
        {
            reader.Int("bucket_versions");
            count++;
        }
        if (count > 0) d.BucketVersions = new Range32(start, reader.At - start);
    }

    private static void Candidate(ref AvroCursor reader)
    {
        reader.Bytes("candidates.offer");
        reader.Bytes("candidates.drop");
        reader.Skip(5 * 8, "candidates");
        reader.Int("candidates.rank");
        reader.Symbol<PropensitySource>("candidates.p_source");
    }

    private static void Model(ref AvroCursor reader)
    {
        reader.Bytes("models.name");
        reader.Bytes("models.version");
        reader.Bytes("models.provider");
    }
}
