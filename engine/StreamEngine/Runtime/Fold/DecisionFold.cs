using StreamEngine.Decisions;

namespace StreamEngine.Runtime;

/// <summary>
/// The fold of a logged decision into a shard's state: counts its offer against the caps, remembers it where requests are on, lets it wait
/// for outcomes or for the end of quiet hours, and keeps the variations of sticky experiments. A decision that is made live does the same
/// in <see cref="DecisionBatch"/>, in the access that decides it.
/// </summary>
internal sealed class DecisionFold(ShardState shard)
{
    private readonly DecidedUpdate _update = new(shard);

    /// <summary>Folds one decision, whose cause was folded before.</summary>
    /// <param name="entry">What was logged.</param>
    /// <param name="source">The source of its cause.</param>
    /// <param name="value">The logged record's bytes, which the entry's texts are slices of.</param>
    /// <param name="writes">Whether what follows from it for outcomes is counted and written.</param>
    public void Apply(in LoggedDecision entry, int source, ReadOnlySpan<byte> value, bool writes)
    {
        var policy = shard.Engine.Policy;
        var waits = entry.DeferredUntil > 0 && policy.Deferred is not null;
        var keeps = policy.Recent.Keeps(entry.Origin) || policy.IsSticky && entry.BucketVersions.Length > 0;
        if (!policy.NeedsProfile(entry.Origin) || entry.Outcome != Outcome.Served && !waits && !keeps) return;
        _update.Set(entry, source, value, writes);
        shard.Store.Update(entry.Customer.Of(value), _update);
        if (_update.Evicted) shard.Counters.DuplicatesEvicted++;
    }
}
