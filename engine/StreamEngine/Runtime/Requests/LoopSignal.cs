namespace StreamEngine.Runtime.Requests;

/// <summary>Wakes a worker's loop from its poll when a request comes: once for all that come before the loop has looked.</summary>
internal sealed class LoopSignal(Action wake)
{
    private int _raised;

    /// <summary>Whether requests may wait that the loop has not looked for.</summary>
    public bool IsRaised => Volatile.Read(ref _raised) != 0;

    /// <summary>Something waits. Any thread.</summary>
    public void Raise()
    {
        if (Interlocked.Exchange(ref _raised, 1) == 0) wake();
    }

    /// <summary>The loop looks now: what comes from here on raises anew. False where nothing waits.</summary>
    public bool Take() => Interlocked.Exchange(ref _raised, 0) != 0;

    /// <summary>The loop left something for its next turn, which must not wait. Loop's thread only.</summary>
    public void Keep() => Volatile.Write(ref _raised, 1);
}
