using StreamEngine.Decisions;
using StreamEngine.Decisions.Outcomes;
using StreamEngine.Events;
using StreamEngine.Expressions;
using StreamEngine.State;

namespace StreamEngine.Runtime;

/// <summary>
/// The fold of outcomes into a shard's state: a served decision is opened, outcome events join it, and it is closed when its windows are
/// over. Each step is called with the profile at hand, and writes its records where its pass writes.
/// </summary>
internal sealed class OutcomeFold(ShardState shard, OutcomeRules rules)
{
    /// <summary>What closings are called among timers.</summary>
    public const int Timer = int.MaxValue;

    private readonly OpenDecisions _open = rules.Open;
    private readonly DecisionPolicy _policy = shard.Engine.Policy;
    private readonly ulong[] _offers = [.. shard.Engine.Policy.Offers.Select(o => Hash64.Of(o.Utf8Name.AsSpan()))];
    private readonly Dictionary<ulong, int> _offerIndex = shard.Engine.Policy.Offers
        .Select((o, i) => KeyValuePair.Create(Hash64.Of(o.Utf8Name.AsSpan()), i)).DistinctBy(o => o.Key).ToDictionary();
    private readonly ArmFold? _arms = shard.Engine.Policy.Learns ? new ArmFold(shard) : null;
    private readonly ulong[][] _variations = OutcomeRecordWriter.HashVariations(shard.Engine.Policy);

    /// <summary>An event is an outcome.</summary>
    /// <param name="profile">Its customer's profile.</param>
    /// <param name="index">The rule that says so.</param>
    /// <param name="e">The event.</param>
    /// <param name="context">The same for expressions.</param>
    /// <param name="consent">The purposes that the customer's newest word consents to.</param>
    /// <param name="writes">Whether it is counted and written.</param>
    public void Came(Span<byte> profile, int index, Event e, EvalContext context, ulong consent, bool writes)
    {
        var rule = rules[index];
        if ((consent & (e.Consent | ~e.ConsentSpoken) & _policy.Purpose) != _policy.Purpose)
        {
            Count(rule.Kind, OutcomeFate.NoConsent, writes);
            return;
        }
        var value = rule.Value(context);
        if (!double.IsFinite(value)) value = 0;
        var id = rule.Decision(context);
        DecisionPosition position = default;
        var isNamed = !id.IsEmpty && shard.Writer.TryParseId(id, out position);
        var found = isNamed ? _open.Find(profile, position) : id.IsEmpty && rule.TakesLast ? Last(profile, rule, e, context) : -1;
        if (found >= 0)
        {
            Join(profile, found, rule.Kind, isNamed ? Attribution.DecisionId : Attribution.LastDecision, e.Time, value, e.Id, e.IdHash,
                e.Customer.Text, shard.Watermark, writes);
            return;
        }
        Count(rule.Kind, OutcomeFate.Unmatched, writes);
        if (!isNamed) return;
        _open.AddEarly(profile, new EarlyOutcome
        {
            Offset = position.Offset,
            Source = position.Source,
            Ordinal = position.Ordinal,
            Time = e.Time,
            Value = value,
            EventHash = e.IdHash,
            Kind = rule.Kind,
        });
    }

    /// <summary>A decision that was just made shows an offer.</summary>
    public void Opened(Span<byte> profile, in DecisionRequest request, Decision decision)
    {
        var entryOfOldest = Displace(profile, request.CustomerId, request.DecidedAt, request.Watermark, writes: true);
        var index = _open.Add(profile);
        ref var entry = ref _open[profile, index];
        (entry.Source, entry.Offset, entry.Ordinal) = (request.Source, request.Offset, request.Ordinal);
        entry.DecidedAt = request.DecidedAt;
        _open.Remember(ref entry, entryOfOldest);
        entry.Offer = _offers[decision.Chosen];
        entry.Probability = decision.SelectionProbability;
        if (decision.IsDefault) entry.Flags |= OpenFlags.IsDefault;
        entry.Show(decision.Placement);
        var kept = _open.Variations(profile, index);
        var count = 0;
        for (var i = 0; i < decision.Variations.Length; i++)
            if (decision.Variations[i] >= 0) kept[count++] = _variations[i][decision.Variations[i]];
        Begin(profile, index, request.CustomerId, request.Watermark, writes: true);
    }

    /// <summary>The same for a decision that the log holds.</summary>
    public void Opened(Span<byte> profile, in LoggedDecision logged, int source, ReadOnlySpan<byte> value, bool writes)
    {
        var customer = logged.Customer.Of(value);
        var entryOfOldest = Displace(profile, customer, logged.DecidedAt, logged.Watermark, writes);
        var index = _open.Add(profile);
        ref var entry = ref _open[profile, index];
        (entry.Source, entry.Offset, entry.Ordinal) = (source, logged.Offset, logged.Ordinal);
        entry.DecidedAt = logged.DecidedAt;
        _open.Remember(ref entry, entryOfOldest);
        entry.Offer = Hash64.Of(logged.Offer.Of(value));
        entry.Probability = logged.SelectionProbability;
        if (logged.IsDefault) entry.Flags |= OpenFlags.IsDefault;
        entry.Show(logged.Placement.Of(value));
        var kept = _open.Variations(profile, index);
        var count = 0;
        foreach (var names in new LoggedAssignments(logged, value))
            if (count < kept.Length) kept[count++] = Hash64.Of(names);
        Begin(profile, index, customer, logged.Watermark, writes);
    }

    /// <summary>A closing is due, or a reward counts.</summary>
    public void Close(Span<byte> profile, ReadOnlySpan<byte> customer, long due, bool writes)
    {
        if (!_open.IsDue(profile, due)) return;
        var withdrawn = (StateLayout.Consent(profile) & _policy.Purpose) != _policy.Purpose;
        for (var i = 0; i < _open.Count(profile);)
        {
            ref var entry = ref _open[profile, i];
            if (_open.CountsAt(entry) <= due) Earned(ref entry, withdrawn, writes);
            if (_open.ClosesAt(entry) > due)
            {
                i++;
                continue;
            }
            Close(profile, i, withdrawn ? OutcomeStatus.Withdrawn : OutcomeStatus.Closed, customer, entry.DecidedAt + rules.Longest,
                shard.Watermark, writes);
        }
        Schedule(profile, customer);
    }

    /// <summary>A profile of a checkpoint takes the place of what was there.</summary>
    public void Unloaded(ReadOnlySpan<byte> profile) => shard.Counters.OpenDecisions -= _open.Count(profile);

    /// <summary>A profile of a checkpoint is there: its closing waits, and so do the other entries that it counts on.</summary>
    public void Loaded(Span<byte> profile, ReadOnlySpan<byte> customer)
    {
        shard.Counters.OpenDecisions += _open.Count(profile);
        var due = _open.Waiting(profile);
        if (due != OpenDecisions.Never) shard.Closings.Push(due, Timer, customer);
        for (var i = 0; i < _open.Count(profile); i++)
            if (_open.WakesAt(_open[profile, i]) is var other and not OpenDecisions.Never && other != due)
                shard.Closings.Push(other, Timer, customer);
    }

    /// <summary>
    /// The customer's newest decision that an event without an id can be about; one that the event itself has opened is none. -1 where
    /// there is none.
    /// </summary>
    private int Last(Span<byte> profile, OutcomeRule rule, Event e, EvalContext context)
    {
        var offer = rule.Offer(context);
        var placement = rule.Placement(context);
        var (offerHash, placementHash) = (Hash64.Of(offer), Hash64.Of(placement));
        var now = shard.Position.At(0);
        for (var i = _open.Count(profile) - 1; i >= 0; i--)
        {
            ref var entry = ref _open[profile, i];
            if (e.Time < entry.DecidedAt || e.Time > entry.DecidedAt + rules.Window(rule.Kind)) continue;
            if (entry.Source == now.Source && entry.Offset == now.Offset) continue;
            if ((offer.IsEmpty || entry.Offer == offerHash) && (placement.IsEmpty || entry.Placement == placementHash)) return i;
        }
        return -1;
    }

    private void Join(Span<byte> profile, int index, OutcomeKind kind, Attribution by, long time, double value, in FieldValue eventId,
        ulong eventHash, ReadOnlySpan<byte> customer, long watermark, bool writes)
    {
        ref var entry = ref _open[profile, index];
        var late = time > entry.DecidedAt + rules.Window(kind);
        ref var seen = ref late ? ref entry.LateKinds : ref entry.Kinds;
        var bit = (byte)(1 << (int)kind);
        if ((seen & bit) != 0)
        {
            Count(kind, OutcomeFate.Duplicate, writes);
            return;
        }
        seen |= bit;
        if (!late && kind is OutcomeKind.Conversion or OutcomeKind.Refund) entry.Value += kind == OutcomeKind.Refund ? -value : value;
        if (!late && _policy.Contacts.CountsOutcomes)
            _policy.Contacts.Record(profile, kind, _offerIndex.GetValueOrDefault(entry.Offer, -1), time);
        Count(kind, late ? OutcomeFate.Late : OutcomeFate.Matched, writes);
        if (!writes) return;
        if (!late) shard.Budgets?.Charge(kind, _offerIndex.GetValueOrDefault(entry.Offer, -1), time);
        shard.Writer.BecameOf(new OutcomeRecord
        {
            Kind = kind,
            Status = late ? OutcomeStatus.Late : OutcomeStatus.Counted,
            Attribution = by,
            Customer = customer,
            EventId = eventId,
            EventHash = eventHash,
            Time = time,
            Value = value,
            Watermark = watermark,
            Decision = ref entry,
            Variations = _open.Variations(profile, index),
            Profile = profile,
        }, customer);
    }

    /// <summary>The oldest decision gives way where there is no room for another.</summary>
    /// <returns>The entry in the heap that it remembered.</returns>
    private long Displace(Span<byte> profile, ReadOnlySpan<byte> customer, long time, long watermark, bool writes)
    {
        if (!_open.IsFull(profile)) return OpenDecisions.Never;
        ref var oldest = ref _open[profile, 0];
        var entry = _open.WakesAt(oldest);
        if (writes && _open.CountsAt(oldest) != long.MaxValue) _arms!.Displaced(_open.ExplorationOf(oldest));
        Close(profile, 0, OutcomeStatus.Displaced, customer, time, watermark, writes);
        return entry;
    }

    /// <summary>A decision is open: outcomes that came before it join, and its closing waits.</summary>
    private void Begin(Span<byte> profile, int index, ReadOnlySpan<byte> customer, long watermark, bool writes)
    {
        shard.Counters.OpenDecisions++;
        while (_open.TryTakeEarly(profile, _open[profile, index].Position, out var early))
            Join(profile, index, early.Kind, Attribution.DecisionId, early.Time, early.Value, default, early.EventHash, customer, watermark,
                writes);
        Schedule(profile, customer);
    }

    private void Close(Span<byte> profile, int index, OutcomeStatus status, ReadOnlySpan<byte> customer, long time, long watermark,
        bool writes)
    {
        if (writes)
        {
            ref var entry = ref _open[profile, index];
            shard.Counters.DecisionsClosed[(int)status]++;
            shard.Writer.BecameOf(new OutcomeRecord
            {
                Status = status,
                Customer = status == OutcomeStatus.Withdrawn ? default : customer,
                Time = time,
                Value = entry.Value,
                Watermark = watermark,
                Decision = ref entry,
                Variations = _open.Variations(profile, index),
                Profile = status == OutcomeStatus.Withdrawn ? default : profile,
            }, customer);
        }
        _open.Remove(profile, index);
        shard.Counters.OpenDecisions--;
    }

    /// <summary>A decision's reward is known for good, and counts for its arm; not that of a customer who consents no more.</summary>
    private void Earned(ref OpenDecision entry, bool withdrawn, bool writes)
    {
        entry.Flags |= OpenFlags.Counted;
        if (writes) _arms!.Earned(entry, _open.ExplorationOf(entry), _offerIndex.GetValueOrDefault(entry.Offer, -1), withdrawn);
    }

    private void Schedule(Span<byte> profile, ReadOnlySpan<byte> customer)
    {
        if (!_open.MustSchedule(profile, out var due)) return;
        shard.Closings.Push(due, Timer, customer);
        shard.Counters.TimersWaiting = shard.Timers.Count + shard.Closings.Count;
    }

    private void Count(OutcomeKind kind, OutcomeFate fate, bool counts)
    {
        if (counts) shard.Counters.CountOutcome(kind, fate);
    }
}
