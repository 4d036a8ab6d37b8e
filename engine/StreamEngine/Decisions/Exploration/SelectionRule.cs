namespace StreamEngine.Decisions;

/// <summary>With which probability each candidate of arbitration is chosen.</summary>
/// <param name="Method">How it is chosen.</param>
/// <param name="Parameter">Epsilon, or the temperature.</param>
public readonly record struct SelectionRule(ExplorationMethod Method, double Parameter)
{
    /// <summary>
    /// Writes each candidate's probability. Epsilon-greedy: 1 - epsilon + epsilon / n for the first, epsilon / n for the others (Sutton and
    /// Barto, Reinforcement Learning, 2nd edition, section 2.2). Softmax: exp(x / temperature), divided by their sum, where x is the
    /// priority divided by the largest absolute one (section 2.8, the Boltzmann distribution): priorities in another unit or currency
    /// explore alike. Where all priorities are 0, all candidates are as likely.
    /// </summary>
    /// <param name="priorities">The priorities, the best first; finite.</param>
    /// <param name="probabilities">Receives the probabilities, as many.</param>
    public void Probabilities(ReadOnlySpan<double> priorities, Span<double> probabilities)
    {
        if (priorities.Length == 0) return;
        if (Method == ExplorationMethod.EpsilonGreedy)
        {
            probabilities.Fill(Parameter / priorities.Length);
            probabilities[0] += 1 - Parameter;
            return;
        }
        var scale = 0.0;
        foreach (var priority in priorities) scale = Math.Max(scale, Math.Abs(priority));
        if (scale == 0) scale = 1;
        var (best, sum) = (priorities[0] / scale, 0.0);
        for (var i = 0; i < priorities.Length; i++) sum += probabilities[i] = Math.Exp((priorities[i] / scale - best) / Parameter);
        foreach (ref var probability in probabilities) probability /= sum;
    }
}
