using System.Numerics;
using System.Runtime.CompilerServices;
using StreamEngine.Events;

namespace StreamEngine.Decisions;

/// <summary>
/// The probability with which each candidate is the best one, by joint samples of what arms earn (Thompson, <em>On the likelihood that one
/// unknown probability exceeds another</em>, 1933). Of K samples, and one more that any candidate wins, each as likely, a candidate's
/// probability is the share that it wins: what is drawn from these shares has exactly these probabilities, and none is 0.
/// <para>
/// An arm's samples depend on the placement's seed, the arm and its posterior alone. They are kept until the posterior changes, so that a
/// decision costs K multiplications and comparisons a candidate. One per worker; allocates nothing after the start.
/// </para>
/// </summary>
internal sealed class ThompsonSampler
{
    /// <summary>
    /// How many joint samples there are; fewer where an arm's prior is its model's score, so that each decision draws anew. With the one
    /// that any candidate wins it is a power of two, so that shares are exact.
    /// </summary>
    public const int Samples = 255, SamplesOfScores = 63;

    private readonly Bank?[] _banks;
    private readonly int[] _counts;
    private readonly Exploration[] _placements;
    private readonly double[] _best = new double[Samples + 1], _winner = new double[Samples + 1];
    private readonly int[] _wins;

    public ThompsonSampler(DecisionPolicy policy)
    {
        _placements = [.. policy.Explorations];
        _wins = new int[policy.Offers.Count];
        _banks = [.. _placements.Select(p => p.Learns ? new Bank(policy, p.Seed) : null)];
        _counts = [.. _placements.Select(p => SamplesOf(p.Thompson, policy))];
    }

    /// <summary>How many joint samples a placement draws.</summary>
    public static int SamplesOf(ThompsonRule? rule, DecisionPolicy policy) =>
        rule is { PriorMean: null, Reward: not RewardKind.Value } && policy.Models.Count > 0 ? SamplesOfScores : Samples;

    /// <summary>Writes each candidate's probability.</summary>
    /// <param name="exploration">The placement's exploration.</param>
    /// <param name="beliefs">What is known of the arms.</param>
    /// <param name="decision">The decision after arbitration.</param>
    /// <param name="probabilities">Receives the probabilities in the order of the ranking.</param>
    public void Probabilities(int exploration, ArmBeliefs beliefs, Decision decision, Span<double> probabilities)
    {
        var (rule, bank, count) = (_placements[exploration].Thompson!, _banks[exploration]!, _counts[exploration]);
        var ranking = decision.Ranking.AsSpan(0, probabilities.Length);
        for (var place = 0; place < ranking.Length; place++)
        {
            var offer = ranking[place];
            var posterior = ArmPosterior.Of(rule, decision.PriorMean[offer], beliefs.Of(exploration, offer));
            // What the sample replaces: P of the priority, or P x V where a value is sampled, which stands as V there.
            var rest = posterior.IsBeta ? decision.C[offer] * decision.V[offer] * decision.L[offer] : decision.C[offer] * decision.L[offer];
            var samples = bank.Of(offer, posterior, count);
            if (posterior.IsBeta) Enter(samples, rest, 0, place);
            else Enter(samples, posterior.Scale * rest, posterior.Mean * rest, place);
        }
        var wins = _wins.AsSpan(0, ranking.Length);
        wins.Clear();
        for (var k = 0; k < count; k++) wins[(int)_winner[k]]++;
        for (var place = 0; place < ranking.Length; place++) probabilities[place] = (wins[place] + 1.0 / ranking.Length) / (count + 1);
    }

    /// <summary>A candidate takes part in each joint sample with factor x sample + offset; a tie is the earlier candidate's.</summary>
    // Optimized at once: unoptimized, operations on vectors cost many times as much.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Enter(ReadOnlySpan<double> samples, double factor, double offset, int place)
    {
        // One of the samples stands behind those that count, so that all vectors are whole.
        for (var k = 0; k < samples.Length; k += Vector<double>.Count)
        {
            var priority = new Vector<double>(samples[k..]) * factor + new Vector<double>(offset);
            if (place == 0)
            {
                priority.CopyTo(_best.AsSpan(k));
                Vector<double>.Zero.CopyTo(_winner.AsSpan(k));
                continue;
            }
            var best = new Vector<double>(_best.AsSpan(k));
            var isBetter = Vector.GreaterThan(priority, best);
            Vector.ConditionalSelect(isBetter, priority, best).CopyTo(_best.AsSpan(k));
            Vector.ConditionalSelect(isBetter, new Vector<double>(place), new Vector<double>(_winner.AsSpan(k))).CopyTo(_winner.AsSpan(k));
        }
    }

    /// <summary>The samples of a placement's arms, each with the posterior that it was drawn of.</summary>
    private sealed class Bank
    {
        private readonly double[][] _samples;
        private readonly (double A, double B)[] _of;
        private readonly ulong[] _keys;

        public Bank(DecisionPolicy policy, ulong seed)
        {
            _samples = [.. policy.Offers.Select(_ => new double[Samples + 1])];
            _of = [.. policy.Offers.Select(_ => (double.NaN, double.NaN))];
            _keys = [.. policy.Offers.Select(o => Hash64.Of(o.Utf8Name.AsSpan(), seed))];
        }

        /// <summary>An arm's samples: rates, or standard numbers of Student's t.</summary>
        public ReadOnlySpan<double> Of(int offer, in ArmPosterior posterior, int count)
        {
            var samples = _samples[offer].AsSpan(0, count + 1);
            if (_of[offer] == (posterior.A, posterior.B)) return samples;
            _of[offer] = (posterior.A, posterior.B);
            var key = Hash64.Of(BitConverter.DoubleToInt64Bits(posterior.B),
                Hash64.Of(BitConverter.DoubleToInt64Bits(posterior.A), _keys[offer]));
            var variates = new Variates(key);
            foreach (ref var sample in samples)
                sample = posterior.IsBeta ? variates.Beta(posterior.A, posterior.B) : variates.StudentT(posterior.A);
            return samples;
        }
    }
}
