using BenchmarkDotNet.Attributes;
using StreamEngine.Connectors;
using StreamEngine.Decisions;
using StreamEngine.Events;
using StreamEngine.Expressions;
using StreamEngine.Inference;
using StreamEngine.Runtime;
using StreamEngine.State;

namespace StreamEngine.Benchmarks;

/// <summary>The steps of the measured job, each by itself: decode, update, read the vector, score, decide.</summary>
public class StepBenchmarks
{
    private const int Rows = Scorer.DenseRows;

    private readonly JobEvents _events = new();
    private readonly EvalContext _context = new();
    private readonly Random _random = new(1);
    private CompiledEngine _engine = null!;
    private IEventDecoder _decoder = null!;
    private Event _event = null!;
    private byte[] _profile = null!;
    private double[] _vector = null!, _vectors = null!;
    private Scorer _scorer = null!;
    private Funnel _funnel = null!;
    private Decision _decision = null!;
    private DecisionRequest _request;
    private RecordBatch _batch = null!;

    [GlobalSetup]
    public void Setup()
    {
        _engine = MeasuredJob.Compile();
        _decoder = _engine.Events.Sources[0].CreateDecoder();
        _event = new Event(_engine.Events.Fields);
        _vector = new double[_engine.Features.Width];
        _vectors = [.. Enumerable.Range(0, Rows * _vector.Length).Select(_ => _random.NextDouble() * 10)];
        _scorer = new Scorer(_engine.Policy.Models);
        _scorer.Score(_vectors, _engine.Features.Width, Rows);
        _funnel = new Funnel(_engine.Policy);
        _decision = new Decision(_engine.Policy);
        _batch = _events.Next();
        Decode(0);
        _profile = new byte[_engine.Layout.FixedLength];
        _engine.InitializeProfile(_profile);
        _context.Use(_event);
        _context.Features = _vectors;
        _request.Buffer = _event.Customer.Buffer!;
        _request.Customer = new Range32(_event.Customer.Start, _event.Customer.Length);
        _request.DecidedAt = _request.EventTime = _event.Time;
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _scorer.Dispose();
        _engine.Dispose();
    }

    [Benchmark(OperationsPerInvoke = JobEvents.BatchSize)]
    public long DecodeAvro()
    {
        var sum = 0L;
        _event.BeginBatch();
        for (var i = 0; i < _batch.Count; i++)
        {
            Decode(i);
            sum += _event.Time;
        }
        return sum;
    }

    /// <summary>Decode and features of one customer, without a store: subtract <see cref="DecodeAvro"/>.</summary>
    [Benchmark(OperationsPerInvoke = JobEvents.BatchSize)]
    public void DecodeAndUpdate()
    {
        var batch = _events.Next();
        _event.BeginBatch();
        for (var i = 0; i < batch.Count; i++)
        {
            ref readonly var record = ref batch[i];
            _event.Clear();
            _decoder.Decode(batch.Buffer, record.Value, record.Key, _event);
            _context.Use(_event);
            _engine.Features.Update(_profile, _event, _context);
            StateLayout.NewestTime(_profile) = _event.Time;
        }
    }

    [Benchmark]
    public double ReadVector()
    {
        _engine.Features.Read(_profile, StateLayout.NewestTime(_profile), _vector);
        return _vector[0];
    }

    [Benchmark(OperationsPerInvoke = Rows)]
    public void Score() => _scorer.Score(_vectors, _engine.Features.Width, Rows);

    [Benchmark]
    public int Decide()
    {
        _funnel.Decide(_request, _context, _scorer, 0, default, _engine.Policy.AllOn, _decision);
        return _decision.Chosen;
    }

    private void Decode(int index)
    {
        ref readonly var record = ref _batch[index];
        _event.Clear();
        if (_decoder.Decode(_batch.Buffer, record.Value, record.Key, _event) != RejectReason.None)
            throw new InvalidOperationException("the event was rejected");
    }
}
