namespace StreamEngine.Decisions;

/// <summary>
/// What an arm has earned: how often it was tried, the sum of its rewards and that of their squares. Where old rewards count for less, all
/// three are as of a time, and halve with each half-life that passes (exponential forgetting by event time).
/// </summary>
internal record struct ArmTally
{
    /// <summary>How many numbers a tally is.</summary>
    public const int Numbers = 5;

    /// <summary>How many decisions count; fewer with each half-life.</summary>
    public double Trials;

    /// <summary>The sum of their rewards.</summary>
    public double Sum;

    /// <summary>The sum of the rewards' squares.</summary>
    public double Squares;

    /// <summary>As of when, ms; 0 before the first reward.</summary>
    public double AsOf;

    /// <summary>
    /// The half-life, ms; 0 for none. It stands with the numbers, so that whoever adds tallies up needs no config. Decisions then go by
    /// that of their config.
    /// </summary>
    public double HalfLife;

    /// <summary>The tally that was written as these numbers; empty where they are none.</summary>
    public static ArmTally Read(ReadOnlySpan<double> numbers) => numbers.Length != Numbers ? default : new ArmTally
    {
        Trials = numbers[0],
        Sum = numbers[1],
        Squares = numbers[2],
        AsOf = numbers[3],
        HalfLife = numbers[4],
    };

    /// <summary>Writes it as numbers.</summary>
    public readonly void Write(Span<double> numbers) =>
        (numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]) = (Trials, Sum, Squares, AsOf, HalfLife);

    /// <summary>Counts a reward. An older one than others counts as it would have by now: the order of rewards does not matter.</summary>
    /// <param name="reward">The reward.</param>
    /// <param name="at">When what earned it was decided, ms.</param>
    /// <param name="halfLife">The half-life, ms; 0 for none.</param>
    public void Add(double reward, double at, double halfLife)
    {
        HalfLife = halfLife;
        Merge(new ArmTally { Trials = 1, Sum = reward, Squares = reward * reward, AsOf = at, HalfLife = halfLife });
    }

    /// <summary>Adds what the same arm has earned elsewhere; of two half-lives the one of the newer rewards holds.</summary>
    public void Merge(in ArmTally other)
    {
        var (at, halfLife) = (Math.Max(AsOf, other.AsOf), other.AsOf > AsOf ? other.HalfLife : HalfLife);
        var (own, others) = ((this with { HalfLife = halfLife }).Forget(at), (other with { HalfLife = halfLife }).Forget(at));
        this = new ArmTally
        {
            Trials = own.Trials + others.Trials,
            Sum = own.Sum + others.Sum,
            Squares = own.Squares + others.Squares,
            AsOf = at,
            HalfLife = halfLife,
        };
    }

    /// <summary>Whether numbers of a name are tallies of an arm.</summary>
    public static bool IsOf(string name, IReadOnlyCollection<double[]> parts) =>
        name.StartsWith(SharedName.Arm, StringComparison.Ordinal) && parts.All(p => p.Length == Numbers);

    /// <summary>What an arm has earned in all shards, as numbers.</summary>
    public static double[] Of(IEnumerable<double[]> parts)
    {
        var (sum, numbers) = (default(ArmTally), new double[Numbers]);
        foreach (var part in parts) sum.Merge(Read(part));
        sum.Write(numbers);
        return numbers;
    }

    /// <summary>The tally as of a time; as it is where that is earlier.</summary>
    public readonly ArmTally Forget(double at)
    {
        if (HalfLife <= 0 || at <= AsOf) return this;
        var left = PortableMath.Exp(-PortableMath.Ln2 * ((at - AsOf) / HalfLife));
        return this with { Trials = Trials * left, Sum = Sum * left, Squares = Squares * left, AsOf = at };
    }
}
