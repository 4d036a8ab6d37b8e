namespace StreamEngine.Connectors.Kafka;

/// <summary>
/// A wait for a cluster that is busy or away, bounded (or <see cref="Timeout.InfiniteTimeSpan"/>): doubling pauses from 5 ms to 500 ms.
/// </summary>
internal struct Waiting(TimeSpan limit, CancellationToken stop = default)
{
    private readonly long _started = TimeProvider.System.GetTimestamp();
    private int _pause = 5;

    /// <summary>What is left of the limit.</summary>
    public readonly TimeSpan Left => limit == Timeout.InfiniteTimeSpan ? TimeSpan.MaxValue : limit - Lasts is { Ticks: > 0 } left ? left
        : TimeSpan.Zero;

    /// <summary>How long it has lasted.</summary>
    public readonly TimeSpan Lasts => TimeProvider.System.GetElapsedTime(_started);

    /// <summary>Waits a little; false when the limit is over.</summary>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public bool Again()
    {
        if (Left == TimeSpan.Zero) return false;
        using var never = new ManualResetEventSlim();
        // the other side is a remote process: there is nothing local to wait on
        never.Wait((int)Math.Min(_pause, Math.Ceiling(Left.TotalMilliseconds)), stop);
        _pause = Math.Min(_pause * 2, 500);
        return true;
    }
}
