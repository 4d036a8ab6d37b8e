namespace StreamEngine.Testing;

/// <summary>What a piece of work allocates on this thread.</summary>
public static class Allocations
{
    /// <summary>
    /// The fewest bytes that any of five rounds allocated. What the work itself allocates shows in every round; what the runtime does now
    /// and then on the way (a type loaded late, a method compiled again) does not. Warm the work up first.
    /// </summary>
    public static long Least(Action round)
    {
        ArgumentNullException.ThrowIfNull(round);
        var least = long.MaxValue;
        for (var i = 0; i < 5; i++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            round();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        return least;
    }
}
