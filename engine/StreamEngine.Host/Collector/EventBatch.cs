namespace StreamEngine.Host.Collector;

/// <summary>A record to be written: where its key and its value stand in the batch's buffer.</summary>
internal readonly record struct Record(int Key, int KeyLength, int Value, int ValueLength);

/// <summary>
/// The events of one request that are to be written to one topic, in a buffer of their own, and what becomes of them. Filled by the
/// request, then handed to <see cref="EventQueue"/>, which reads it on its thread.
/// </summary>
internal sealed class EventBatch(string topic, long arrived)
{
    private readonly TaskCompletionSource<bool> _written = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The topic.</summary>
    public string Topic { get; } = topic;

    /// <summary>When the request came, ms: the records' time in the log.</summary>
    public long Arrived { get; } = arrived;

    /// <summary>The bytes of keys and values.</summary>
    public byte[] Buffer { get; private set; } = new byte[1024];

    /// <summary>How much of the buffer is used.</summary>
    public int Length { get; private set; }

    /// <summary>What is to be written, in order.</summary>
    public List<Record> Records { get; } = [];

    /// <summary>The ids that this batch has claimed (<see cref="RepeatFilter"/>).</summary>
    public List<EventId> Claimed { get; } = [];

    /// <summary>The memory that it takes, given back once it is written or given up.</summary>
    public MemoryBudget.Share? Share { get; set; }

    /// <summary>Whether everything is in the log; false where that failed or is not known.</summary>
    public Task<bool> Written => _written.Task;

    /// <summary>Appends bytes; where they begin.</summary>
    public int Append(ReadOnlySpan<byte> bytes)
    {
        if (Buffer.Length - Length < bytes.Length)
        {
            var larger = new byte[Math.Max(Buffer.Length * 2, Length + bytes.Length)];
            Buffer.AsSpan(0, Length).CopyTo(larger);
            Buffer = larger;
        }
        bytes.CopyTo(Buffer.AsSpan(Length));
        Length += bytes.Length;
        return Length - bytes.Length;
    }

    /// <summary>Takes back what was appended behind this place.</summary>
    public void CutTo(int length) => Length = length;

    /// <summary>Tells everybody who waits how it ended.</summary>
    public void End(bool written)
    {
        Share?.Dispose();
        _written.TrySetResult(written);
    }
}
