using StreamEngine.Decisions;
using StreamEngine.Events;
using StreamEngine.Expressions;
using StreamEngine.Inference;
using StreamEngine.State;

namespace StreamEngine.Runtime;

/// <summary>Where a decision comes from: the source's index, the offset of the record that caused it, and which of that record's decisions it is.</summary>
public readonly record struct Cause(int Source, long Offset, int Ordinal);

/// <summary>
/// Decisions that were opened and wait for their scores, each with its own copy of the vector and of the event's fields. <see cref="Flush"/> is steps 7 to 9.
/// Flushing earlier or later changes nothing: a decision reads only its copy and the slots that decisions write.
/// </summary>
internal sealed class DecisionQueue : IProfileUpdate
{
    private const int Capacity = 512;

    private readonly DecisionPolicy _policy;
    private readonly IStateStore _store;
    private readonly Scorer _scorer;
    private readonly Funnel _funnel;
    private readonly Decision _decision;
    private readonly ShardOutputs _out;
    private readonly ShardCounters _counters;
    private readonly CompiledEngine _engine;
    private readonly EvalContext _context = new();
    private readonly DecisionRequest[] _requests = new DecisionRequest[Capacity];
    private readonly ulong[] _consents = new ulong[Capacity];
    private readonly FieldValue[] _types = new FieldValue[Capacity];
    private readonly FieldValue[][] _fields = new FieldValue[Capacity][];
    private readonly double[] _vectors;
    private readonly int _stride;
    private readonly int _partition;
    private int _count;
    private int _row;

    public DecisionQueue(CompiledEngine engine, int partition, IStateStore store, Scorer scorer, ShardOutputs outputs, ShardCounters counters)
    {
        _engine = engine;
        _policy = engine.Policy;
        _partition = partition;
        _store = store;
        _scorer = scorer;
        _out = outputs;
        _counters = counters;
        _funnel = new Funnel(_policy);
        _decision = new Decision(_policy);
        _stride = engine.Features.Count;
        _vectors = new double[Capacity * _stride];
        for (var i = 0; i < Capacity; i++) _fields[i] = new FieldValue[engine.Events.Fields.Count];
        InitialLength = engine.Layout.FixedLength;
    }

    /// <summary>The shard's checkpoints; null where none are kept.</summary>
    public ShardCut? Cut { get; set; }

    /// <summary>While a shard catches up: deals with a decision that is logged already, and tells whether it was. Null else.</summary>
    public Func<Cause, bool>? Logged { get; set; }

    public bool Full => _count == Capacity;

    public int InitialLength { get; }

    /// <summary>Where the next opened decision's vector goes; it counts only once <see cref="Open"/> is called.</summary>
    public Memory<double> NextVector() => _vectors.AsMemory(_count * _stride, _stride);

    /// <summary>(6) Opens a decision for an event.</summary>
    public void Open(Event e, EvalContext context, int trigger, Cause cause, long decidedAt, ulong consent, bool coldStart, long watermark)
    {
        Array.Copy(context.Fields, _fields[_count], context.Fields.Length);
        _types[_count] = e.Type;
        _consents[_count] = consent;
        ref var request = ref Next(trigger, cause, decidedAt, watermark);
        request.Buffer = e.Customer.Buffer!;
        request.Customer = new Range32(e.Customer.Start, e.Customer.Length);
        request.EventId = e.Id;
        request.EventHash = e.IdHash;
        request.EventTime = e.Time;
        request.ColdStart = coldStart;
    }

    /// <summary>(6) Opens a decision for a timer.</summary>
    public void OpenTimer(byte[] key, int length, long due, int trigger, Cause cause, long decidedAt, ulong consent, long watermark)
    {
        Array.Clear(_fields[_count]);
        _types[_count] = default;
        _consents[_count] = consent;
        ref var request = ref Next(trigger, cause, decidedAt, watermark);
        request.Buffer = key;
        request.Customer = new Range32(0, length);
        request.EventId = default;
        request.EventHash = (ulong)due;
        request.EventTime = due;
        request.ColdStart = false;
    }

    public void Flush()
    {
        if (_count == 0) return;

        // (7) Score: every vector, one run per model.
        _scorer.Score(_vectors, _stride, _count);

        // (8) Decide, in order; (9) emit.
        for (_row = 0; _row < _count; _row++)
        {
            ref readonly var request = ref _requests[_row];
            if (Logged?.Invoke(new Cause(request.Source, request.Offset, request.Ordinal)) == true) continue;
            _context.Fields = _fields[_row];
            _context.Type = _types[_row];
            _context.Time = request.EventTime;
            _context.Consent = _consents[_row];
            _context.Features = _vectors;
            _context.FeatureBase = request.VectorBase;
            if (_policy.NeedsProfile) _store.Update(request.CustomerId, this);
            else _funnel.Decide(request, _context, _scorer, _row, default, _decision);
            Count();
            _out.Decided(request, _decision, _vectors.AsSpan(request.VectorBase, _stride));
        }
        _count = 0;
    }

    int IProfileUpdate.RequiredLength(ReadOnlySpan<byte> profile) => profile.Length;

    /// <summary>(8) with the profile at hand: decides, and counts what is shown against the caps before the profile's next decision.</summary>
    void IProfileUpdate.Apply(Span<byte> profile, bool created)
    {
        if (created) _engine.InitializeProfile(profile);
        ref readonly var request = ref _requests[_row];
        _funnel.Decide(request, _context, _scorer, _row, profile, _decision);
        if (_decision.Outcome != Outcome.Served) return;
        Cut?.Touch(profile, request.CustomerId);
        _policy.Caps.Record(profile, _decision.Chosen, request.DecidedAt);
    }

    private ref DecisionRequest Next(int trigger, Cause cause, long decidedAt, long watermark)
    {
        ref var request = ref _requests[_count];
        request.Trigger = trigger;
        request.Source = request.Topic = cause.Source;
        request.Partition = _partition;
        request.Offset = cause.Offset;
        request.Ordinal = cause.Ordinal;
        request.DecidedAt = decidedAt;
        request.VectorBase = _count * _stride;
        request.Watermark = watermark;
        _count++;
        return ref request;
    }

    private void Count()
    {
        _counters.Decisions++;
        _counters.Outcomes[(int)_decision.Outcome]++;
        if (_decision.Chosen >= 0) _counters.Actions[_decision.Chosen]++;
        for (var offer = 0; offer < _decision.Drop.Length; offer++)
        {
            _counters.Drops[(int)_decision.Drop[offer]]++;
            if (_decision.Source[offer] == PropensitySource.Fallback) _counters.ScoresFailed++;
        }
    }
}
