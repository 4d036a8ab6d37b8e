using StreamEngine.Decisions;
using StreamEngine.Events;
using StreamEngine.Expressions;
using StreamEngine.Inference;
using StreamEngine.Runtime.Requests;
using StreamEngine.State;

namespace StreamEngine.Runtime;

/// <summary>
/// Where a decision comes from: the source's index, the offset of the record that caused it, and which of that record's decisions it is.
/// </summary>
public readonly record struct Cause(int Source, long Offset, int Ordinal);

/// <summary>One shard's part of the worker's <see cref="DecisionBatch"/>: opens decisions there, and takes each once it is made.</summary>
internal sealed class DecisionQueue(DecisionBatch batch, ShardState shard)
{
    /// <summary>The shard's checkpoints; null where none are kept.</summary>
    public ShardCut? Cut => shard.Cut;

    /// <summary>While a shard catches up: deals with a decision that is logged already, and tells whether it was. Null else.</summary>
    public Func<Cause, bool>? Logged { get; set; }

    /// <summary>What is off for the shard's decisions.</summary>
    public Switches Switches => shard.Switches;

    /// <summary>The shard's budgets; null where there are none.</summary>
    public BudgetBook? Budgets => shard.Budgets;

    /// <summary>What is known of arms where placements learn; null where none do.</summary>
    public ArmBeliefs? Beliefs => shard.Beliefs;

    /// <summary>The shard's profiles.</summary>
    public IStateStore Store => shard.Store;

    /// <summary>The shard's outcomes; null where none are declared.</summary>
    public OutcomeFold? Outcomes => shard.Outcomes;

    /// <summary>The shard's decisions that wait for the end of quiet hours; null where none do.</summary>
    public DeferralFold? Deferrals => shard.Deferrals;

    /// <summary>The profile of a decision that is opened next.</summary>
    public void Look(ReadOnlySpan<byte> profile) => batch.Waiting.Look(profile);

    /// <summary>
    /// Makes the waiting decisions where it would be seen in a profile or in the order of outcomes that they were made only after a record.
    /// </summary>
    /// <param name="customer">The record's customer.</param>
    /// <param name="isOutcome">Whether the record is an outcome.</param>
    /// <param name="watermark">The watermark that it brings, ms.</param>
    public void MakeBefore(ReadOnlySpan<byte> customer, bool isOutcome, long watermark)
    {
        if ((isOutcome && shard.ChargesOutcomes) || batch.Waiting.Concerns(customer, isOutcome, shard.Closings.NextDue, watermark))
            batch.Flush();
    }

    /// <summary>Whether no further decision can be opened before a flush.</summary>
    public bool Full => batch.Full;

    /// <summary>Counts flushes: what was opened under another number waits no more.</summary>
    public int Generation => batch.Generation;

    /// <summary>Where the next opened decision's vector goes; it counts only once <see cref="Open"/> is called.</summary>
    public Memory<double> NextVector() => batch.NextVector();

    /// <summary>(6) Opens a decision for an event.</summary>
    public void Open(Event e, EvalContext context, int trigger, Cause cause, long decidedAt, ulong consent, bool coldStart, long watermark)
    {
        ref var row = ref Next(trigger, cause, decidedAt, consent, watermark);
        Array.Copy(context.Fields, row.Fields, context.Fields.Length);
        row.Items = context.Items;
        row.Type = e.Type;
        row.Request.Origin = DecisionOrigin.Event;
        row.Request.Buffer = e.Customer.Buffer!;
        row.Request.Customer = new Range32(e.Customer.Start, e.Customer.Length);
        row.Request.EventId = e.Id;
        row.Request.EventHash = e.IdHash;
        row.Request.EventTime = e.Time;
        row.Request.ColdStart = coldStart;
        batch.Opened(ref row);
    }

    /// <summary>(6) Opens a decision for a timer.</summary>
    public void OpenTimer(byte[] key, int length, long due, int trigger, Cause cause, long decidedAt, ulong consent, long watermark)
    {
        ref var row = ref Timed(key, length, due, trigger, cause, decidedAt, consent, watermark);
        batch.Opened(ref row);
    }

    /// <summary>
    /// (6) Opens a decision anew that waited for the end of quiet hours: like a timer's, but in the placement that it had.
    /// </summary>
    public void OpenDeferred(byte[] key, int length, byte[] placement, long due, int trigger, Cause cause, long decidedAt, ulong consent,
        long watermark)
    {
        ref var row = ref Timed(key, length, due, trigger, cause, decidedAt, consent, watermark);
        row.Request.Placement = placement;
        row.Request.IsDeferred = true;
        batch.Opened(ref row);
    }

    /// <summary>(6) Opens a decision for a request.</summary>
    public void OpenRequest(DecideCall call, int trigger, Cause cause, long decidedAt, ulong consent, bool coldStart, long watermark)
    {
        ref var row = ref Next(trigger, cause, decidedAt, consent, watermark);
        Array.Copy(call.Fields, row.Fields, call.Fields.Length);
        row.Items = ItemCells.None;
        row.Type = default;
        row.Call = call;
        row.Request.Origin = DecisionOrigin.Request;
        row.Request.Placement = call.Placement;
        row.Request.Buffer = call.Customer;
        row.Request.Customer = new Range32(0, call.Customer.Length);
        row.Request.EventId.Set(call.Id, 0, call.Id.Length);
        row.Request.EventHash = call.IdHash;
        row.Request.EventTime = call.Time;
        row.Request.ColdStart = coldStart;
        batch.Opened(ref row);
    }

    /// <summary>Makes every decision of the batch, other shards' too.</summary>
    public void Flush() => batch.Flush();

    /// <summary>Whether a predecessor logged the decision: then it is dealt with.</summary>
    internal bool IsLogged(in DecisionRequest request) =>
        Logged?.Invoke(new Cause(request.Source, request.Offset, request.Ordinal)) == true;

    /// <summary>The decision's id, as its record has it.</summary>
    internal string IdOf(in DecisionRequest request) => shard.Writer.DecisionId(request.Topic, request.Offset, request.Ordinal);

    /// <summary>(9) Counts and emits a decision that was made.</summary>
    internal void Decided(in DecisionRequest request, Decision decision, ReadOnlySpan<double> vector)
    {
        var counters = shard.Counters;
        counters.Decisions++;
        counters.Outcomes[(int)decision.Outcome]++;
        if (decision.PlacementIsCut) counters.PlacementsCut++;
        if (decision.ZoneIsUnknown) counters.ZonesUnknown++;
        if (decision.NotDeferred != DeferralFate.None) counters.Deferrals[(int)decision.NotDeferred]++;
        if (decision.Chosen >= 0) counters.Actions[decision.Chosen]++;
        for (var offer = 0; offer < decision.Drop.Length; offer++)
        {
            counters.Drops[(int)decision.Drop[offer]]++;
            if (decision.Fault[offer] != ScoreFault.None) counters.CountFallback(decision.Model[offer], decision.Fault[offer]);
        }
        if (decision.Exploration >= 0) counters.Explored[2 * decision.Exploration + (decision.IsExplored ? 1 : 0)]++;
        for (var i = 0; i < decision.Variations.Length; i++)
            if (decision.Variations[i] >= 0)
                counters.Variations[shard.Engine.Policy.Experiments[i].Variations[decision.Variations[i]].Number]++;
        if (shard.Engine.Policy.IsSticky)
            for (var i = 0; i < decision.Sticky.Length; i++) counters.CountSticky(i, decision.Sticky[i]);
        shard.Writer.Decided(request, decision, vector);
        if (decision.Outcome == Outcome.Served) shard.Budgets?.Served(decision.Chosen, request.DecidedAt);
        shard.Watches?.Decided(shard.Engine, request, decision, shard.Writer.DecisionId);
    }

    /// <summary>A decision without an event.</summary>
    private ref DecisionBatch.Row Timed(byte[] key, int length, long due, int trigger, Cause cause, long decidedAt, ulong consent,
        long watermark)
    {
        ref var row = ref Next(trigger, cause, decidedAt, consent, watermark);
        Array.Clear(row.Fields);
        row.Items = ItemCells.None;
        row.Type = default;
        row.Request.Origin = DecisionOrigin.Timer;
        row.Request.Buffer = key;
        row.Request.Customer = new Range32(0, length);
        row.Request.EventHash = (ulong)due;
        row.Request.EventTime = due;
        row.Request.ColdStart = false;
        return ref row;
    }

    private ref DecisionBatch.Row Next(int trigger, Cause cause, long decidedAt, ulong consent, long watermark)
    {
        ref var row = ref batch.Next(this);
        row.Call = null;
        row.Request.Placement = null;
        row.Request.IsDeferred = false;
        row.Request.EventId = default;
        row.Consent = consent;
        row.Request.Trigger = trigger;
        row.Request.Source = row.Request.Topic = cause.Source;
        row.Request.Partition = shard.Partition;
        row.Request.Offset = cause.Offset;
        row.Request.Ordinal = cause.Ordinal;
        row.Request.DecidedAt = decidedAt;
        row.Request.Watermark = watermark;
        return ref row;
    }
}
