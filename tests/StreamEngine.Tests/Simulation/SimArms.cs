using Avro.Generic;
using StreamEngine.Decisions;
using StreamEngine.Runtime;

namespace StreamEngine.Tests.Simulation;

/// <summary>
/// The simulated placement that learns, and what a shard's log says of its arms: by the marks in it, what was known when a decision was
/// made. Rewards are values, whose windows are the longest: a decision counts at the moment at which it is closed, so that closing records
/// tell what must have been counted.
/// </summary>
internal sealed class SimArms
{
    /// <summary>The placement.</summary>
    public const string Placement = "product";

    private const double Weight = 2, HalfLife = 60_000;
    private static readonly ArmTally Nothing = default;

    private readonly Dictionary<string, double[]> _numbers = [];
    private readonly ThompsonSampler _sampler;
    private readonly ArmBeliefs _beliefs;
    private readonly Decision _decision;
    private readonly string[] _names;

    public SimArms(DecisionPolicy policy)
    {
        (_sampler, _beliefs, _decision) = (new ThompsonSampler(policy), new ArmBeliefs(policy), new Decision(policy));
        _names = [.. policy.Offers.Select(o => Name(o.Name))];
    }

    /// <summary>How it learns: from nothing but what each offer promises itself, and forgetting fast.</summary>
    public static ExplorationOptions Options { get; } = new()
    {
        Name = Placement,
        Method = ExplorationMethod.Thompson,
        Reward = RewardKind.Value,
        HalfLife = TimeSpan.FromMilliseconds(HalfLife),
        Prior = new PriorOptions { Deviation = 20, Weight = Weight },
        Seed = SimEngines.ExplorationSeed,
    };

    /// <summary>Marks of what arms have earned.</summary>
    public int Marks { get; private set; }

    /// <summary>Decisions that were made when something was known of an arm.</summary>
    public int Knowing { get; private set; }

    /// <summary>A mark of shared numbers.</summary>
    public void Mark(SimDecision mark)
    {
        Marks++;
        foreach (var (name, values) in mark.Shared!.Value.Numbers)
        {
            if (!_names.Contains(name) || values.Length != ArmTally.Numbers) throw new SimFailure($"{name} is no arm: {mark}");
            if (_numbers.TryGetValue(name, out var before) && before.SequenceEqual(values))
                throw new SimFailure($"no news of {name}: {mark}");
            _numbers[name] = values;
        }
        _beliefs.Take(name => _numbers.GetValueOrDefault(name));
    }

    /// <summary>The mean that is believed of an offer that promises so much.</summary>
    public double Mean(int offer, double promised)
    {
        var (trials, sum) = Known(offer);
        return (Weight * promised + sum) / (Weight + trials);
    }

    /// <summary>What is wrong with the logged probabilities of the candidates, the best first; null where nothing is.</summary>
    public string? Fault(IReadOnlyList<int> ranked, SimDecision actual)
    {
        if (_numbers.Count > 0) Knowing++;
        for (var place = 0; place < ranked.Count; place++)
        {
            var offer = _decision.Ranking[place] = ranked[place];
            // What the offer promised follows from the logged mean, and the other way round.
            var (trials, sum) = Known(offer);
            _decision.PriorMean[offer] = (actual.Candidates[offer].Priority * (Weight + trials) - sum) / Weight;
            (_decision.C[offer], _decision.L[offer]) = (1, 1);
        }
        var shares = new double[ranked.Count];
        _sampler.Probabilities(1, _beliefs, _decision, shares);
        for (var place = 0; place < ranked.Count; place++)
            // Of what was promised the last digits are not known: a sample may be won by another.
            if (Math.Abs(actual.Probabilities[ranked[place]] - shares[place]) > 1.5 / (ThompsonSampler.Samples + 1))
                return $"probabilities {string.Join(' ', actual.Probabilities)}, expected {string.Join(' ', shares)}";
        return Math.Abs(actual.Probabilities.Sum() - 1) < 1e-12 ? null : "the probabilities do not sum to one";
    }

    /// <summary>Throws where the topic of shared numbers says something else than the records that closed decisions.</summary>
    /// <param name="closed">The outcome records with the status closed, each once.</param>
    /// <param name="board">The topic, read to its end.</param>
    /// <param name="repeats">Whether something may be counted twice.</param>
    public static void Judge(IEnumerable<GenericRecord> closed, SharedBoard board, bool repeats)
    {
        var expected = new Dictionary<(string Name, int Shard), ArmTally>();
        foreach (var record in closed.Where(r => (string)r["placement"]! == Placement))
        {
            var key = (Name((string)record["offer"]!), int.Parse(((string)record["decision_id"]!).Split('/')[2]));
            var tally = expected.GetValueOrDefault(key, Nothing);
            tally.Add((double)record["value"]!, (long)record["decided_at"]!, HalfLife);
            expected[key] = tally;
        }
        var told = board.Current.Sums.Where(s => s.Key.StartsWith(SharedName.Arm, StringComparison.Ordinal))
            .SelectMany(s => s.Value.Parts.Select(p => KeyValuePair.Create((s.Key, p.Key), ArmTally.Read(p.Value)))).ToDictionary();
        foreach (var key in expected.Keys.Union(told.Keys))
        {
            var (wanted, found) = (expected.GetValueOrDefault(key), told.GetValueOrDefault(key));
            var same = wanted.AsOf == found.AsOf && Near(wanted.Trials, found.Trials) && Near(wanted.Sum, found.Sum)
                && Near(wanted.Squares, found.Squares);
            if (repeats ? found.Forget(wanted.AsOf).Trials < wanted.Forget(found.AsOf).Trials - 1e-9 : !same)
                throw new SimFailure($"{key}: the topic says {found}, the outcomes {wanted}");
        }

        static bool Near(double a, double b) => Math.Abs(a - b) <= 1e-9 * Math.Max(1, Math.Abs(a));
    }

    private static string Name(string offer) => ArmNames.Of(RewardKind.Value, Placement, offer);

    /// <summary>Trials and sum of an arm as of the placement's newest reward, by plain powers.</summary>
    private (double Trials, double Sum) Known(int offer)
    {
        if (!_numbers.TryGetValue(_names[offer], out var n)) return default;
        var left = Math.Pow(0.5, (_numbers.Values.Max(o => o[3]) - n[3]) / HalfLife);
        return (n[0] * left, n[1] * left);
    }
}
