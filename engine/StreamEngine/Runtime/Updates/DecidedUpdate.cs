using StreamEngine.Decisions;
using StreamEngine.Decisions.Outcomes;
using StreamEngine.Runtime.Requests;

namespace StreamEngine.Runtime;

/// <summary>Does to a profile what a logged decision did, while a shard is restored.</summary>
internal sealed class DecidedUpdate(ShardState shard) : ProfileUpdate(shard)
{
    private LoggedDecision _entry;
    private byte[] _value = [];
    private int _source;
    private bool _writes;
    private ulong _request;

    /// <summary>Out: whether the id of the request that asked for it pushed another out early.</summary>
    public bool Evicted { get; private set; }

    protected override ReadOnlySpan<byte> Key => _entry.Customer.Of(_value);

    /// <summary>In: the logged decision, its source, and its record, which is copied: a restore may allocate.</summary>
    public void Set(in LoggedDecision entry, int source, ReadOnlySpan<byte> value, bool writes)
    {
        (_entry, _source, _value, _writes) = (entry, source, value.ToArray(), writes);
        _request = entry.Origin == DecisionOrigin.Request ? RecentDecisions.HashOfRequest(entry.EventId.Of(value)) : 0;
        Cause = new Cause(source, entry.Offset, entry.Ordinal);
    }

    protected override int Needs(ReadOnlySpan<byte> profile) =>
        _request == 0 ? 0 : RequestUpdate.LengthToRemember(Engine.Duplicates, profile, _request, _entry.EventTime);

    /// <summary>What the decision was assigned is kept by the experiments that are sticky.</summary>
    private void KeepVariations(Span<byte> profile)
    {
        var versions = new AvroCursor(_entry.BucketVersions.Of(_value));
        var left = 0L;
        foreach (var names in new LoggedAssignments(_entry, _value))
        {
            if (left == 0 && (left = versions.Items("bucket_versions")) == 0) return;
            left--;
            if (versions.Int("bucket_versions") is not (var version and >= 0)) continue;
            foreach (var experiment in Engine.Policy.Experiments)
                if (experiment.Sticky?.Keep(profile, names, version) == true) break;
        }
    }

    protected override void Change(Span<byte> profile, bool created)
    {
        Evicted = false;
        if (Covered) return;
        Evicted = _request != 0 && RequestUpdate.Remember(Engine.Duplicates, profile, _request, _entry.EventTime, created)
            == Features.DuplicateResult.AddedButEvicted;
        // An offer that the config has no more still counts where every offer does.
        if (_entry.Outcome == Outcome.Served)
            Engine.Policy.Contacts.Record(profile, OutcomeKind.None, Engine.Policy.OfferIndex(_entry.Offer.Of(_value)), _entry.DecidedAt);
        Engine.Policy.Recent.Note(profile, _source, _entry, _value);
        if (_entry.Outcome == Outcome.Served) State.Outcomes?.Opened(profile, _entry, _source, _value, _writes);
        if (_entry.BucketVersions.Length > 0) KeepVariations(profile);
        if (_entry.DeferredUntil > 0) State.Deferrals?.Defer(profile, _entry, _value, _writes);
    }
}
