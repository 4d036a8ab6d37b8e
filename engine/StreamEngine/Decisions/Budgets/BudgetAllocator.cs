namespace StreamEngine.Decisions;

/// <summary>A shard's part of a budget's period, as the allocator knows it. Millionths.</summary>
/// <param name="Granted">What it may have spent by now.</param>
/// <param name="Spent">What it has spent: at least that much, as news take a moment.</param>
/// <param name="Wanted">What it would have spent if there had been enough.</param>
/// <param name="Target">How much it should have in hand; 0 where nothing is wanted there now.</param>
internal readonly record struct ShardBudget(double Granted, double Spent, double Wanted, double Target)
{
    /// <summary>What it has in hand.</summary>
    public double Left => Math.Max(0, Granted - Spent);

    /// <summary>What was given away of the amount: an outcome is charged also where nothing was granted for it.</summary>
    public double Taken => Math.Max(Granted, Spent);
}

/// <summary>
/// Shares what is released of a budget out to the shards. A grant is never taken back, as nobody can know what its shard has spent
/// meanwhile: so grants are small, by what each shard wants, and what can stay unspent is what the shards have in hand.
/// <code>
///  (1) free      what is released, less what was given away
///  (2) usable    shards with less in hand than an offer costs get the rest of one, those that have got the least of what they wanted first
///  (3) more      what is still free goes to those below their target, in proportion to what they lack
/// </code>
/// A pure function: the sum of what is given away never grows over what is released.
/// </summary>
internal static class BudgetAllocator
{
    /// <summary>Raises grants.</summary>
    /// <param name="released">What may be spent by now in all.</param>
    /// <param name="cost">The largest cost of an offer.</param>
    /// <param name="shards">The shards.</param>
    /// <param name="grants">By shard, what it may have spent by now: as it was, or more.</param>
    public static void Allocate(double released, double cost, ReadOnlySpan<ShardBudget> shards, Span<double> grants)
    {
        var free = released;
        for (var i = 0; i < shards.Length; i++)
        {
            grants[i] = shards[i].Granted;
            free -= shards[i].Taken;
        }
        if (free <= 0) return;
        if (shards.Length == 1)
        {
            // Nobody else wants any of it.
            grants[0] = shards[0].Taken + free;
            return;
        }
        free = MakeUsable(free, cost, shards, grants);
        if (free > 0) Fill(free, shards, grants);
    }

    private static double MakeUsable(double free, double cost, ReadOnlySpan<ShardBudget> shards, Span<double> grants)
    {
        Span<bool> done = stackalloc bool[shards.Length];
        while (free > 0)
        {
            var next = -1;
            for (var i = 0; i < shards.Length; i++)
                if (!done[i] && shards[i].Target > 0 && shards[i].Left < cost && (next < 0 || Got(shards[i]) < Got(shards[next]))) next = i;
            if (next < 0) return free;
            done[next] = true;
            // A part of an offer's cost would be of no use there, and missing elsewhere.
            var lacks = cost - shards[next].Left;
            if (lacks > free) return 0;
            grants[next] = Math.Max(grants[next], shards[next].Spent) + lacks;
            free -= lacks;
        }
        return free;
    }

    private static void Fill(double free, ReadOnlySpan<ShardBudget> shards, Span<double> grants)
    {
        var lacking = 0.0;
        for (var i = 0; i < shards.Length; i++) lacking += Lacks(shards[i], grants[i]);
        if (lacking <= 0) return;
        for (var i = 0; i < shards.Length; i++)
        {
            var lacks = Lacks(shards[i], grants[i]);
            if (lacks <= 0) continue;
            grants[i] = Math.Max(grants[i], shards[i].Spent) + (lacking <= free ? lacks : Math.Floor(lacks * (free / lacking)));
        }
    }

    private static double Lacks(in ShardBudget shard, double granted) => Math.Max(0, shard.Target - Math.Max(0, granted - shard.Spent));

    /// <summary>How much of what it wanted a shard has got.</summary>
    private static double Got(in ShardBudget shard) => shard.Wanted > 0 ? shard.Granted / shard.Wanted : 0;
}
