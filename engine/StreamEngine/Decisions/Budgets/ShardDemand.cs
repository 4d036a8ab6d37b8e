namespace StreamEngine.Decisions;

/// <summary>How much of a budget each shard wants now: what it wanted lately, over some seconds.</summary>
internal sealed class ShardDemand
{
    /// <summary>For how long a shard should have enough in hand, ms: news from it and grants to it take a second at most.</summary>
    public const long Horizon = 5_000;

    private readonly double[] _rates;   // millionths a horizon, by shard
    private readonly double[] _before;  // what was wanted when the horizon began
    private long _began;

    /// <param name="shards">How many there are.</param>
    /// <param name="now">The time, ms.</param>
    /// <param name="like">What it is like at first: the demand of the period before; null where there was none.</param>
    public ShardDemand(int shards, long now, ShardDemand? like = null)
    {
        (_rates, _before, _began) = (new double[shards], new double[shards], now);
        like?._rates.CopyTo(_rates, 0);
    }

    /// <summary>What was wanted by now is no news.</summary>
    public void Since(ReadOnlySpan<double> wanted) => wanted.CopyTo(_before);

    /// <summary>Takes how much each shard has wanted in all by now.</summary>
    public void Follow(long now, ReadOnlySpan<double> wanted)
    {
        var isOver = now - _began >= Horizon;
        for (var i = 0; i < _rates.Length; i++)
        {
            var lately = Math.Max(0, wanted[i] - _before[i]);
            if (isOver) (_rates[i], _before[i]) = (lately * Horizon / (now - _began), wanted[i]);
            else _rates[i] = Math.Max(_rates[i], lately);
        }
        if (isOver) _began = now;
    }

    /// <summary>What a shard should have in hand: nothing, or what an offer costs at least, and a part of the amount at most.</summary>
    public double Target(int shard, double cost, double most) =>
        _rates[shard] <= 0 ? 0 : Math.Max(cost, Math.Min(Math.Ceiling(_rates[shard]), most));
}
