namespace StreamEngine.Tests.Simulation;

/// <summary>
/// How often what goes wrong; a seed draws its own mixture, so that rare combinations come up and plain ones are not drowned.
/// </summary>
internal sealed record SimFaults(double Crash, double Others, double BadCommit, double Later, int Crashes)
{
    public static SimFaults Draw(Random random) => new(
        Crash: Draw(random, 0, 0.002, 0.01, 0.04),
        Others: Draw(random, 0, 0.01, 0.05),
        BadCommit: Draw(random, 0, 0.1, 0.4),
        Later: Draw(random, 0, 0.3, 0.8),
        Crashes: random.Next(1, 12));

    private static double Draw(Random random, params double[] rates) => rates[random.Next(rates.Length)];
}
