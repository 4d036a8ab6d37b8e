using StreamEngine.Decisions;
using StreamEngine.Decisions.Outcomes;
using StreamEngine.Events;

namespace StreamEngine.Runtime;

/// <summary>
/// Whose decisions wait in a <see cref="DecisionBatch"/>. Open decisions, and those that wait for the end of quiet hours, are the parts of
/// a profile that events and decisions both write, so an event that changes them, or writes about them, must come after the decisions that
/// were opened before it, wherever the batch ends. This tells when the batch must be flushed for that; it may say so once too often, never
/// once too seldom. Of no cost without outcomes and quiet hours that defer.
/// </summary>
internal sealed class WaitingDecisions(OutcomeRules? outcomes, DeferredDecisions? deferred)
{
    private readonly ulong[] _customers = new ulong[outcomes is null ? 0 : 64];   // a bit by the hash of the customer id
    private long _closes = long.MaxValue;   // when the first of them would be closed or count, or another one of their customers'
    private long _ends = long.MaxValue;     // the earliest end that one of them may wait for, or another one of their customers' does
    private bool _any, _mayWrite;

    /// <summary>
    /// The profile of a decision that is opened next: making it may write an outcome record, and what it makes depends on whether it comes
    /// before or after the closing that the profile waits for.
    /// </summary>
    public void Look(ReadOnlySpan<byte> profile)
    {
        if (deferred is not null && deferred.Waiting(profile) is var end and not DeferredDecisions.Never) _ends = Math.Min(_ends, end);
        if (outcomes is null) return;
        _mayWrite |= outcomes.Open.MayWrite(profile);
        if (outcomes.Open.Waiting(profile) is var due and not OpenDecisions.Never) _closes = Math.Min(_closes, due);
    }

    /// <summary>A decision waits.</summary>
    /// <param name="request">Whose, and when.</param>
    /// <param name="ends">The earliest time, ms, at which it could be made anew where it can show nothing.</param>
    public void Add(in DecisionRequest request, long ends)
    {
        _ends = Math.Min(_ends, ends);
        if (outcomes is null) return;
        _any = true;
        _closes = Math.Min(_closes, outcomes.Open.SoonestOf(request.DecidedAt));
        ref var word = ref Word(request.CustomerId, out var bit);
        // With another one of the customer before it, it may be the one for which the oldest must give way.
        _mayWrite |= (word & bit) != 0;
        word |= bit;
    }

    /// <summary>Whether what waits must be made before a record is applied.</summary>
    /// <param name="customer">The record's customer.</param>
    /// <param name="isOutcome">Whether the record is an outcome.</param>
    /// <param name="nextDue">When the next closing is due, ms.</param>
    /// <param name="watermark">The watermark that the record brings, ms.</param>
    public bool Concerns(ReadOnlySpan<byte> customer, bool isOutcome, long nextDue, long watermark)
    {
        if (_ends < watermark) return true;
        if (!_any) return false;
        if (_closes < watermark) return true;
        if (_mayWrite && (isOutcome || nextDue < watermark)) return true;
        return isOutcome && (Word(customer, out var bit) & bit) != 0;
    }

    /// <summary>Nothing waits any more.</summary>
    public void Clear()
    {
        _ends = long.MaxValue;
        if (!_any && !_mayWrite && _closes == long.MaxValue) return;
        (_any, _mayWrite, _closes) = (false, false, long.MaxValue);
        Array.Clear(_customers);
    }

    private ref ulong Word(ReadOnlySpan<byte> customer, out ulong bit)
    {
        var hash = Hash64.Of(customer);
        bit = 1UL << (int)(hash & 63);
        return ref _customers[(int)(hash >> 6 & 63)];
    }
}
