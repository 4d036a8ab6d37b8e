using System.Text;
using BenchmarkDotNet.Attributes;
using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Expressions;

namespace StreamEngine.Benchmarks;

/// <summary>Compiled expressions, one evaluation each.</summary>
public class ExpressionBenchmarks
{
    private const int Evaluations = 100;
    private readonly EvalContext _context = new() { Fields = new FieldValue[3], Features = [5, 40.5], Consent = 1 };
    private BoolExpr _true = null!, _typeEquals = null!, _typeDiffers = null!, _typeIn = null!, _rule = null!, _matches = null!,
        _texts = null!, _exists = null!, _hour = null!;
    private DoubleExpr _value = null!;

    [GlobalSetup]
    public void Setup()
    {
        var catalog = new FieldCatalog([new(0, "placement", FieldType.String), new(1, "value", FieldType.Decimal, 2),
            new(2, "quantity", FieldType.Int)]);
        var scope = new Scope { Event = catalog, Features = ["views_1h", "revenue_24h"], Purposes = ["ads"] };
        var errors = new ConfigErrors();
        BoolExpr Compile(string text) => ExpressionCompiler.Bool(text, scope, errors)!;
        _true = Compile("true");
        _typeEquals = Compile("event.type == 'purchase'");
        _typeDiffers = Compile("event.type == 'page_view'");
        _typeIn = Compile("event.type in ['page_view', 'cart_add', 'purchase']");
        _rule = Compile("event.type == 'purchase' && event.value >= 10 && features.views_1h > 3 && consent.ads && has(event.placement)");
        _matches = Compile("event.placement.matches('^(home|cart)(/[a-z]+)*$')");
        _texts = Compile("(event.placement + '/' + event.type).upperAscii() == 'CART/PURCHASE'");
        _exists = Compile("['home', 'search', 'cart'].exists(p, event.placement.startsWith(p))");
        _hour = Compile("timestamp(event.time).getHours('Europe/Berlin') in [9, 10, 11]");
        _value = ExpressionCompiler.Double("min(features.revenue_24h * 0.2, 40) + event.value / max(features.views_1h, 1)", scope, errors)!;
        errors.ThrowIfAny();
        Set(ref _context.Type, "purchase");
        Set(ref _context.Fields[0], "cart");
        _context.Fields[1].Set(1999);
    }

    [Benchmark(OperationsPerInvoke = Evaluations)]
    public int Constant() => Count(_true);

    [Benchmark(OperationsPerInvoke = Evaluations)]
    public int TypeEquals() => Count(_typeEquals);

    [Benchmark(OperationsPerInvoke = Evaluations)]
    public int TypeDiffers() => Count(_typeDiffers);

    [Benchmark(OperationsPerInvoke = Evaluations)]
    public int TypeInList() => Count(_typeIn);

    [Benchmark(OperationsPerInvoke = Evaluations)]
    public int RuleOfFiveTests() => Count(_rule);

    [Benchmark(OperationsPerInvoke = Evaluations)]
    public int Matches() => Count(_matches);

    [Benchmark(OperationsPerInvoke = Evaluations)]
    public int JoinedTexts() => Count(_texts);

    [Benchmark(OperationsPerInvoke = Evaluations)]
    public int ExistsInList() => Count(_exists);

    [Benchmark(OperationsPerInvoke = Evaluations)]
    public int HourInAZone() => Count(_hour);

    [Benchmark(OperationsPerInvoke = Evaluations)]
    public double ValueOfOffer()
    {
        var sum = 0.0;
        for (var i = 0; i < Evaluations; i++) sum += _value(_context);
        return sum;
    }

    private int Count(BoolExpr test)
    {
        var n = 0;
        for (var i = 0; i < Evaluations; i++)
            if (test(_context)) n++;
        return n;
    }

    private static void Set(ref FieldValue field, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        field.Set(bytes, 0, bytes.Length);
    }
}
