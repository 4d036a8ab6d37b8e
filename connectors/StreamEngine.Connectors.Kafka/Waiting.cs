namespace StreamEngine.Connectors.Kafka;

/// <summary>A bounded wait for a cluster that is busy or away: doubling pauses from 5 ms to 500 ms.</summary>
internal struct Waiting(TimeSpan limit)
{
    private readonly long _started = TimeProvider.System.GetTimestamp();
    private int _pause = 5;

    /// <summary>What is left of the limit.</summary>
    public readonly TimeSpan Left => limit - TimeProvider.System.GetElapsedTime(_started) is { Ticks: > 0 } left ? left : TimeSpan.Zero;

    /// <summary>Waits a little; false when the limit is over.</summary>
    public bool Again()
    {
        if (Left == TimeSpan.Zero) return false;
        using var never = new ManualResetEventSlim();
        // the other side is a remote process: there is nothing local to wait on
        never.Wait(Math.Min(_pause, (int)Math.Ceiling(Left.TotalMilliseconds)));
        _pause = Math.Min(_pause * 2, 500);
        return true;
    }
}
