namespace StreamEngine.Runtime;

/// <summary>
/// Lets a shard go on with the shared numbers that its former owner has committed: the topic's end is asked after the committed offsets,
/// and the shard does not go live before this process has read up to there.
/// </summary>
/// <param name="board">The numbers; null where none are shared, or the shard never goes live.</param>
/// <param name="shard">The shard that is restored.</param>
internal sealed class SharedWait(SharedBoard? board, ShardState shard)
{
    private readonly long _generation = board?.Generation ?? 0;
    private long? _end;

    /// <summary>Whether it waits.</summary>
    public bool Waits => _end is { } end && !IsThere(end);

    /// <summary>Takes what was committed; false where that is not read yet.</summary>
    /// <param name="end">Where the topic ended behind the committed offsets.</param>
    public bool MayGoLive(long end)
    {
        if (board is null || shard.Shared is null) return true;
        _end = end;
        if (!IsThere(end)) return false;
        shard.Shared.IsIn(board.Generation); // asked before: where it grows meanwhile, what was read is written again
        foreach (var (name, values) in board.Of(shard.Partition)) shard.Shared.Tallies.Load(name, values);
        return true;
    }

    /// <summary>An end of a topic that was made anew since is none of the one that is read now.</summary>
    private bool IsThere(long end) => board!.IsReady && (board.Position >= end || board.Generation != _generation);
}
