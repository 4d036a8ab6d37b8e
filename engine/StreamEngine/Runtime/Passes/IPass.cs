using StreamEngine.Connectors;
using StreamEngine.Events;

namespace StreamEngine.Runtime;

/// <summary>
/// What a pass over the log adds to the fold of an event (<see cref="EventFold"/>): what the log does not tell about the event, and what
/// follows from it. A struct implements it, so that the fold is compiled for each pass by itself and calls it directly. The members are in
/// the order in which the fold comes to them.
/// </summary>
internal interface IPass
{
    /// <summary>Whether a record whose schema can't be asked for is waited for; where not, its schema counts as unknown.</summary>
    bool MayWait { get; }

    /// <summary>
    /// Whether outcomes of decisions and changes of segments are counted and written; where not, they only change the profile.
    /// </summary>
    bool Writes { get; }

    /// <summary>A record is next, and decoded; the shard still stands at the one before.</summary>
    void Begin(in RecordInfo record, int source);

    /// <summary>The record was taken; it was decoded, or could not be.</summary>
    /// <returns>Why it is rejected; none where it is not.</returns>
    RejectReason Decoded(in RecordInfo record, RejectReason reason);

    /// <summary>The event is in a partition that its customer does not hash to.</summary>
    void Misplaced(in RecordInfo record, ReadOnlySpan<byte> key);

    /// <summary>Whether the event is too far ahead of the clock, which is no fact of the log.</summary>
    bool IsFromTheFuture();

    /// <summary>The record was rejected.</summary>
    void Rejected(RecordBatch batch, int index, RejectReason reason);

    /// <summary>The event was admitted.</summary>
    /// <returns>The watermark now that its source has come to its time, ms; the shard's own may be higher.</returns>
    long Watermark(int source);

    /// <summary>What causes a change of a profile: the newest record, or what it caused under an ordinal.</summary>
    Cause CauseOf(int ordinal);

    /// <summary>The trigger by which a due timer opens a decision; -1 where it opens none.</summary>
    int TimerTrigger(int timer);

    /// <summary>A timer has fired.</summary>
    /// <param name="key">The profile's key, kept by a decision that is opened.</param>
    /// <param name="length">The key's length.</param>
    /// <param name="due">When it was due, ms.</param>
    /// <param name="trigger">What <see cref="TimerTrigger"/> said.</param>
    /// <param name="update">What it did to the profile.</param>
    void Fired(byte[] key, int length, long due, int trigger, TimerUpdate update);

    /// <summary>A decision has waited until quiet hours were over.</summary>
    /// <param name="key">The profile's key, kept by the decision that is opened.</param>
    /// <param name="length">The key's length.</param>
    /// <param name="due">When they ended, ms.</param>
    /// <param name="update">What was taken from the profile.</param>
    void Waited(byte[] key, int length, long due, DeferralUpdate update);

    /// <summary>The trigger by which the event opens a decision; -1 where it opens none.</summary>
    int Trigger();

    /// <summary>The event was applied.</summary>
    /// <param name="trigger">What <see cref="Trigger"/> said.</param>
    /// <param name="update">What it did to the profile.</param>
    void Applied(int trigger, EventUpdate update);
}
