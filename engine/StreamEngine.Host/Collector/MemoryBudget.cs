namespace StreamEngine.Host.Collector;

/// <summary>
/// The memory that the collector's requests may take together, from the first byte that is read until their events are in the log. Who gets
/// none is told to come again: that is the backpressure. Thread-safe.
/// </summary>
internal sealed class MemoryBudget(long bytes)
{
    private long _taken;

    /// <summary>What is taken now.</summary>
    public long Taken => Interlocked.Read(ref _taken);

    /// <summary>Opens a request's share, which is empty at first.</summary>
    public Share Open() => new(this);

    /// <summary>A request's share; given back as a whole. Belongs to one thread at a time.</summary>
    internal sealed class Share(MemoryBudget budget) : IDisposable
    {
        private long _mine;

        /// <summary>Makes the share so large, where there is room for it.</summary>
        public bool TryReach(long size)
        {
            var more = size - _mine;
            if (more <= 0) return true;
            if (Interlocked.Add(ref budget._taken, more) > budget.Limit)
            {
                Interlocked.Add(ref budget._taken, -more);
                return false;
            }
            _mine = size;
            return true;
        }

        /// <summary>Gives it back.</summary>
        public void Dispose() => Interlocked.Add(ref budget._taken, -Interlocked.Exchange(ref _mine, 0));
    }

    private long Limit { get; } = bytes;
}
