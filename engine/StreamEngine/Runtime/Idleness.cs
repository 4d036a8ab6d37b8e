namespace StreamEngine.Runtime;

/// <summary>Tells when a partition has brought nothing for long enough that its watermark should follow the clock.</summary>
internal sealed class Idleness(TimeSpan after, TimeProvider time)
{
    private long _seen = time.GetTimestamp();

    /// <summary>A record came, or the watermark was moved.</summary>
    public void Seen() => _seen = time.GetTimestamp();

    /// <summary>Whether nothing came for the configured time; <paramref name="elapsed"/> is the silence, ms.</summary>
    public bool Due(out long elapsed)
    {
        var silence = time.GetElapsedTime(_seen);
        elapsed = (long)silence.TotalMilliseconds;
        return silence >= after;
    }
}
