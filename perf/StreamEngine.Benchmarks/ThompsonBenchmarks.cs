using System.Globalization;
using System.Text;
using BenchmarkDotNet.Attributes;
using StreamEngine.Configuration;
using StreamEngine.Decisions;
using StreamEngine.Decisions.Outcomes;
using StreamEngine.Events;
using StreamEngine.Expressions;
using StreamEngine.Inference;
using StreamEngine.State;

namespace StreamEngine.Benchmarks;

/// <summary>
/// A decision in a placement that learns, beside one that takes the best candidate: with samples that are kept from the decision before,
/// as most have them, and with new numbers of all arms, as the first one behind a mark has them.
/// </summary>
public class ThompsonBenchmarks
{
    private readonly EvalContext _context = new() { Fields = [], Features = [], Consent = ulong.MaxValue };
    private readonly double[] _numbers = [1_000, 50, 50, 1, 0];
    private readonly byte[] _customer = Encoding.UTF8.GetBytes("customer");
    private DecisionPolicy _learns = null!, _takesTheBest = null!;
    private Funnel _learning = null!, _plain = null!;
    private Decision _decision = null!, _plainDecision = null!;
    private ArmBeliefs _beliefs = null!;
    private Scorer _scorer = null!;
    private byte[] _profile = null!;
    private long _offset;

    /// <summary>How many candidates come to arbitration.</summary>
    [Params(10, 50)]
    public int Candidates { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var thompson = new ExplorationOptions { Name = "", Method = ExplorationMethod.Thompson, Reward = RewardKind.Click };
        (_learns, _takesTheBest) = (Compile([thompson]), Compile([]));
        (_learning, _plain) = (new Funnel(_learns), new Funnel(_takesTheBest));
        (_decision, _plainDecision) = (new Decision(_learns), new Decision(_takesTheBest));
        _beliefs = new ArmBeliefs(_learns);
        _scorer = new Scorer(_learns.Models);
        _beliefs.Take(_ => _numbers);
    }

    [GlobalCleanup]
    public void Cleanup() => _scorer.Dispose();

    [Benchmark(Baseline = true)]
    public int TheBest()
    {
        var request = Request();
        _plain.Decide(request, _context, _scorer, 0, _profile, _takesTheBest.AllOn, _plainDecision);
        return _plainDecision.Chosen;
    }

    [Benchmark]
    public int Thompson()
    {
        var request = Request();
        _learning.Decide(request, _context, _scorer, 0, _profile, _learns.AllOn, _decision,
            beliefs: _beliefs);
        return _decision.Chosen;
    }

    [Benchmark]
    public int ThompsonWithNewNumbers()
    {
        _numbers[0]++;
        _beliefs.Take(_ => _numbers);
        return Thompson();
    }

    private DecisionRequest Request() => new()
    {
        Buffer = _customer,
        Customer = new Range32(0, _customer.Length),
        Offset = _offset++,
        DecidedAt = 1_000,
        EventTime = 1_000,
    };

    private DecisionPolicy Compile(ExplorationOptions[] exploration)
    {
        var (errors, layout) = (new ConfigErrors(), new StateLayout());
        var offers = Enumerable.Range(0, Candidates).Select(i => new OfferOptions
        {
            Name = string.Create(CultureInfo.InvariantCulture, $"offer{i}"),
            Value = string.Create(CultureInfo.InvariantCulture, $"{1 + i % 3}.0"),
        }).ToArray();
        var outcomes = new OutcomeOptions
        {
            Events = [new OutcomeEventOptions { Name = "clicked", Kind = OutcomeKind.Click, When = "true", Decision = "'x' + 'y'" }],
        };
        var options = new DecisionOptions { Triggers = [new TriggerOptions { Name = "any", When = "true" }], Exploration = exploration };
        var policy = DecisionPolicy.Compile(options, offers, new RequestOptions(), new FieldCatalog([]), [], [], [],
            new Dictionary<string, IModel>(), layout, errors, outcomes);
        errors.ThrowIfAny();
        _profile = new byte[layout.FixedLength];
        return policy;
    }
}
