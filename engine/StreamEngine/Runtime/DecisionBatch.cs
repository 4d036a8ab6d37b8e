using StreamEngine.Decisions;
using StreamEngine.Decisions.Outcomes;
using StreamEngine.Events;
using StreamEngine.Expressions;
using StreamEngine.Inference;
using StreamEngine.Runtime.Requests;
using StreamEngine.State;

namespace StreamEngine.Runtime;

/// <summary>
/// The decisions that a worker's shards have opened and that wait for their scores, each with its own copy of the feature vector and of the
/// event's fields. <see cref="Flush"/> is steps 7 to 9 for all of them: a worker flushes once per turn, so that one model run scores
/// everything that a poll brought, whichever shard it came from. Flushing earlier or later changes nothing: a decision reads only its copy
/// and the slots that decisions write.
/// </summary>
public sealed class DecisionBatch : IProfileUpdate, IDisposable
{
    /// <summary>The most decisions that wait; a full batch is flushed before the next record.</summary>
    internal const int Capacity = 1_024;

    private readonly CompiledEngine _engine;
    private readonly DecisionPolicy _policy;
    private readonly Scorer _scorer;
    private readonly Funnel _funnel;
    private readonly Decision _decision;
    private readonly EvalContext _context = new();
    private readonly Row[] _rows = new Row[Capacity];
    private readonly double[] _vectors;
    private readonly int _stride;
    private readonly Action<WorkerEvent>? _report;
    private readonly string?[] _told;   // by model, the failure that was reported last
    private long _failed;
    private int _count;
    private int _row;
    private readonly ModelPlan? _plan;
    private readonly bool[] _needed;   // by model and row
    private readonly bool[] _models;   // the same of one row
    private readonly NeedReader? _reader;

    /// <summary>Prepares the models' runners and room for a batch.</summary>
    /// <param name="engine">The compiled config.</param>
    /// <param name="report">Told when a model fails on a row, once for each way in which it does.</param>
    /// <param name="scores">Counts and times the models' calls; null where nobody asks.</param>
    /// <exception cref="ModelException">A model's columns are not those of its manifest.</exception>
    public DecisionBatch(CompiledEngine engine, Action<WorkerEvent>? report = null, ScoreMetrics? scores = null)
    {
        _engine = engine;
        _report = report;
        _policy = engine.Policy;
        _scorer = new Scorer(_policy.Models, scores);
        _told = new string?[_policy.Models.Count];
        _funnel = new Funnel(_policy);
        _plan = _policy.Plan.IsNeeded ? _policy.Plan : null;
        _models = new bool[_policy.Models.Count];
        _reader = _plan is { IsSticky: true } ? new NeedReader(_plan, _models) : null;
        _needed = new bool[_plan is null ? 0 : Capacity * _policy.Models.Count];
        _decision = new Decision(_policy);
        Waiting = new WaitingDecisions(_policy.Outcomes, _policy.Deferred);
        _stride = engine.Features.Width;
        _vectors = new double[Capacity * _stride];
        for (var i = 0; i < Capacity; i++) _rows[i].Fields = new FieldValue[engine.Events.Fields.Count];
    }

    /// <summary>Whether no further decision can be opened before a flush.</summary>
    internal bool Full => _count == Capacity;

    /// <summary>How a model failed last, by its name; null where it never did, or is not used.</summary>
    public string? LastFailure(string model)
    {
        for (var i = 0; i < _policy.Models.Count; i++)
            if (_policy.Models[i].Name == model) return _scorer.LastFailure(i);
        return null;
    }

    /// <summary>Whose decisions wait, where outcomes depend on it.</summary>
    internal WaitingDecisions Waiting { get; }

    /// <summary>Counts flushes: what was opened under another number waits no more.</summary>
    internal int Generation { get; private set; }

    int IProfileUpdate.InitialLength => _engine.Layout.FixedLength;

    /// <summary>Where the next opened decision's vector goes; it counts only once <see cref="Next"/> is called.</summary>
    internal Memory<double> NextVector() => _vectors.AsMemory(_count * _stride, _stride);

    /// <summary>Opens the next decision; its vector was written to <see cref="NextVector"/>.</summary>
    internal ref Row Next(DecisionQueue queue)
    {
        ref var row = ref _rows[_count];
        row.Queue = queue;
        row.Request.VectorBase = _count * _stride;
        _count++;
        return ref row;
    }

    /// <summary>The newest decision is opened: its row is whole.</summary>
    internal void Opened(ref Row row)
    {
        var ends = long.MaxValue;
        if (_policy.Deferred is not null && row.Request.MayWait)
        {
            Use(row);
            ends = _funnel.MayWaitUntil(_context, row.Request.DecidedAt);
        }
        Waiting.Add(row.Request, ends);
    }

    /// <summary>
    /// Steps 7 to 9 for everything that waits. The records that caused it must still be in their batch. False where nothing waits.
    /// </summary>
    public bool Flush()
    {
        Generation++;
        if (_count == 0) return false;

        // (7) Score: every vector that is needed of a model, one run per model.
        _scorer.Score(_vectors, _stride, _count, ModelsOff(), Needed());
        if (_scorer.FailedRows != _failed) TellFailures();

        // (8) Decide, in order; (9) emit.
        for (_row = 0; _row < _count; _row++)
        {
            ref var row = ref _rows[_row];
            if (row.Queue.IsLogged(row.Request)) continue;
            Use(row);
            if (_policy.NeedsProfile(row.Request.Origin)) row.Queue.Store.Update(row.Request.CustomerId, this);
            else
                _funnel.Decide(row.Request, _context, _scorer, _row, default, row.Queue.Switches, _decision, row.Queue.Budgets,
                    row.Queue.Beliefs);
            row.Queue.Decided(row.Request, _decision, _vectors.AsSpan(row.Request.VectorBase, _engine.Features.Count));
            row.Call?.Decided(_policy, row.Request, row.Queue.IdOf(row.Request), _decision);
        }
        _count = 0;
        Waiting.Clear();
        return true;
    }

    /// <summary>What expressions read is what a decision was opened with.</summary>
    private void Use(in Row row)
    {
        _context.Fields = row.Fields;
        _context.Items = row.Items;
        _context.Type = row.Type;
        _context.Time = row.Request.EventTime;
        _context.Consent = row.Consent;
        _context.Features = _vectors;
        _context.FeatureBase = row.Request.VectorBase;
    }

    /// <summary>
    /// The models that need not run, by place. The shards of a worker follow one snapshot, but for one that catches up, which decides by
    /// itself; where they ever differ, all models run.
    /// </summary>
    private ReadOnlySpan<bool> ModelsOff()
    {
        var switches = _rows[0].Queue.Switches;
        for (var row = 1; row < _count; row++)
            if (!ReferenceEquals(_rows[row].Queue.Switches, switches)) return default;
        return switches.ModelsOff;
    }

    /// <summary>By model and row, whether the score is needed; empty where all are, as no experiment tries a model.</summary>
    private ReadOnlySpan<bool> Needed()
    {
        if (_plan is null) return default;
        for (var row = 0; row < _count; row++)
        {
            ref var opened = ref _rows[row];
            if (_reader is null) _plan.For(opened.Request.CustomerId, default, _models);
            else
                _reader.Read(opened.Queue.Store, opened.Request.Buffer.AsMemory(opened.Request.Customer.Start,
                    opened.Request.Customer.Length));
            for (var model = 0; model < _models.Length; model++) _needed[model * _count + row] = _models[model];
        }
        return _needed.AsSpan(0, _policy.Models.Count * _count);
    }

    private void TellFailures()
    {
        _failed = _scorer.FailedRows;
        for (var model = 0; model < _told.Length; model++)
        {
            if (_scorer.LastFailure(model) is not { } failure || failure == _told[model]) continue;
            _told[model] = failure;
            _report?.Invoke(new WorkerEvent(true,
                $"Model {_policy.Models[model].Name} failed on a row, and the offers' default propensities stand in "
                    + $"(streamengine.scores.failed counts them): {failure}"));
        }
    }

    int IProfileUpdate.RequiredLength(ReadOnlySpan<byte> profile) => profile.Length;

    /// <summary>
    /// (8) with the profile at hand: decides, and counts what is shown against the limits before the profile's next decision.
    /// </summary>
    void IProfileUpdate.Apply(Span<byte> profile, bool created)
    {
        if (created) _engine.InitializeProfile(profile);
        ref var row = ref _rows[_row];
        _funnel.Decide(row.Request, _context, _scorer, _row, profile, row.Queue.Switches, _decision, row.Queue.Budgets, row.Queue.Beliefs);
        var served = _decision.Outcome == Outcome.Served;
        var waits = _decision.DeferredUntil > 0;
        var assigns = _decision.Sticky.AsSpan().Contains(StickyFate.Assigned);
        if (!served && !waits && !assigns && !_policy.Recent.Keeps(row.Request.Origin)) return;
        row.Queue.Cut?.Touch(profile, row.Request.CustomerId);
        if (served) _policy.Contacts.Record(profile, OutcomeKind.None, _decision.Chosen, row.Request.DecidedAt);
        _policy.Recent.Note(profile, row.Request, _decision);
        if (served) row.Queue.Outcomes?.Opened(profile, row.Request, _decision);
        if (waits) row.Queue.Deferrals?.Defer(profile, row.Request, _decision);
        if (!assigns) return;
        for (var i = 0; i < _decision.Sticky.Length; i++)
            if (_decision.Sticky[i] == StickyFate.Assigned) _policy.Experiments[i].Sticky!.Keep(profile, _decision.Variations[i]);
    }

    /// <inheritdoc/>
    public void Dispose() => _scorer.Dispose();

    /// <summary>
    /// Which models a customer needs whose variations are kept. What an earlier decision of the batch is going to keep is what the hash
    /// says, so it need not be waited for.
    /// </summary>
    private sealed class NeedReader(ModelPlan plan, bool[] models) : IProfileReader
    {
        private ReadOnlyMemory<byte> _customer;

        public void Read(IStateStore store, ReadOnlyMemory<byte> customer)
        {
            _customer = customer;
            if (!store.Read(customer.Span, this)) Read(default);
        }

        public void Read(ReadOnlySpan<byte> profile) => plan.For(_customer.Span, profile, models);
    }

    /// <summary>One decision that waits.</summary>
    internal struct Row
    {
        /// <summary>The shard it belongs to.</summary>
        public DecisionQueue Queue;

        /// <summary>Who, when, by what cause.</summary>
        public DecisionRequest Request;

        /// <summary>The request that asked for it; null where an event or a timer caused it.</summary>
        public DecideCall? Call;

        /// <summary>A copy of the event's fields.</summary>
        public FieldValue[] Fields;

        /// <summary>The items that the fields' lists refer to.</summary>
        public ItemCells Items;

        /// <summary>The event's type.</summary>
        public FieldValue Type;

        /// <summary>The purposes that the customer consents to, a bit each.</summary>
        public ulong Consent;
    }
}
