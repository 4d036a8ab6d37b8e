using System.Text;
using BenchmarkDotNet.Attributes;
using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Expressions;
using StreamEngine.Features;
using StreamEngine.State;

namespace StreamEngine.Benchmarks;

/// <summary>A customer's strongest categories with decay: an event taken in, the vector read, and rules over it.</summary>
public class AffinityBenchmarks
{
    private const int Events = 100;
    private readonly EvalContext _context = new();
    private Event _event = null!;
    private FeatureSet _features = null!;
    private byte[] _profile = null!;
    private double[] _vector = null!;
    private BoolExpr _in = null!, _first = null!;
    private DoubleExpr _weight = null!;
    private byte[][] _few = null!, _many = null!;
    private long _time;

    [GlobalSetup]
    public void Setup()
    {
        var catalog = new FieldCatalog([new(0, "category", FieldType.String)]);
        var (errors, layout) = (new ConfigErrors(), new StateLayout());
        var top = new FeatureOptions
        {
            Name = "top",
            Op = FeatureOperator.Top,
            Of = "event.category",
            HalfLife = TimeSpan.FromDays(14),
        };
        _features = FeatureSet.Compile([top], catalog, [], new TimeOptions(), layout, errors);
        var scope = new Scope { Event = catalog, Features = _features.Names, Texts = _features.Texts };
        _in = ExpressionCompiler.Bool("event.category in features.top", scope, errors)!;
        _first = ExpressionCompiler.Bool("features.top_1 == 'category 1'", scope, errors)!;
        _weight = ExpressionCompiler.Double("features.top['category 2'] / features.top_total", scope, errors)!;
        errors.ThrowIfAny();
        _profile = new byte[layout.FixedLength];
        _features.Initialize(_profile);
        _vector = new double[_features.Width];
        _event = new Event(catalog);
        byte[][] Categories(int count) => [.. Enumerable.Range(0, Events).Select(i => Encoding.UTF8.GetBytes($"category {i * 7 % count}"))];
        (_few, _many) = (Categories(12), Categories(50));
        Update(_few);
        ReadVector();
        (_context.Features, _context.Fields) = (_vector, _event.Fields);
    }

    /// <summary>Fewer categories than slots.</summary>
    [Benchmark(OperationsPerInvoke = Events)]
    public void Update() => Update(_few);

    /// <summary>More categories than slots: most events push a name out.</summary>
    [Benchmark(OperationsPerInvoke = Events)]
    public void UpdateAndEvict() => Update(_many);

    [Benchmark]
    public double ReadVector()
    {
        _features.Read(_profile, _time, _vector);
        return _vector[0];
    }

    [Benchmark]
    public bool NameInRanks() => _in(_context);

    [Benchmark]
    public bool FirstNameEquals() => _first(_context);

    [Benchmark]
    public double ShareOfName() => _weight(_context);

    private void Update(byte[][] categories)
    {
        foreach (var category in categories)
        {
            _event.Clear();
            _event.Time = _time += 60_000;
            _event.Fields[0].Set(category, 0, category.Length);
            _context.Use(_event);
            _features.Update(_profile, _event, _context);
        }
    }
}
