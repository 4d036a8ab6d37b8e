using StreamEngine.Events;

namespace StreamEngine.Decisions;

/// <summary>What opened a decision. The names, in snake case, are the record's symbols.</summary>
public enum DecisionOrigin : byte
{
    /// <summary>An event that a trigger matches.</summary>
    Event,

    /// <summary>A timer that was due.</summary>
    Timer,

    /// <summary>Somebody asked for it.</summary>
    Request,
}

/// <summary>
/// One decision to make: who, when, and by what cause. Kept from the event's update until the batch is scored, so its slices live as long
/// as the batch.
/// </summary>
public struct DecisionRequest
{
    /// <summary>The buffer that holds the customer id.</summary>
    public byte[] Buffer;

    /// <summary>Where the customer id (the profile's key) stands in <see cref="Buffer"/>.</summary>
    public Range32 Customer;

    /// <summary>
    /// The event's id, or the request's; absent for a timer and where ids are hashes: then <see cref="EventHash"/> is written, as 16 hex
    /// digits.
    /// </summary>
    public FieldValue EventId;

    /// <summary>The event id's hash.</summary>
    public ulong EventHash;

    /// <summary>Time of the event, or the time at which the timer was due; ms.</summary>
    public long EventTime;

    /// <summary>The event time at which the decision is evaluated, ms: caps count back from here.</summary>
    public long DecidedAt;

    /// <summary>What opened it.</summary>
    public DecisionOrigin Origin;

    /// <summary>The trigger's index; the number of triggers for a request, which has none.</summary>
    public int Trigger;

    /// <summary>
    /// Where the offer of a decision that was requested, or that waited, will be shown, UTF-8; null where the trigger says so.
    /// </summary>
    public byte[]? Placement;

    /// <summary>Index of the event source, in config order.</summary>
    public int Source;

    /// <summary>Index of the source topic, in the worker's list.</summary>
    public int Topic;

    /// <summary>The partition, which is the shard.</summary>
    public int Partition;

    /// <summary>The offset of the record that caused it; for a timer, of the record before which it fired.</summary>
    public long Offset;

    /// <summary>Counts the decisions of one offset from 0.</summary>
    public int Ordinal;

    /// <summary>Where the feature vector begins in the batch's array.</summary>
    public int VectorBase;

    /// <summary>The partition's watermark at the decision, ms.</summary>
    public long Watermark;

    /// <summary>Nothing was known of the customer before this event: the default offer goes first.</summary>
    public bool ColdStart;

    /// <summary>It was waiting for the end of quiet hours, and is made anew: it waits no second time.</summary>
    public bool IsDeferred;

    /// <summary>Whether it may wait for the end of quiet hours: whoever asks is given an answer now.</summary>
    public readonly bool MayWait => Origin != DecisionOrigin.Request && !IsDeferred;

    /// <summary>The customer id, UTF-8.</summary>
    public readonly ReadOnlySpan<byte> CustomerId => Buffer.AsSpan(Customer.Start, Customer.Length);
}
