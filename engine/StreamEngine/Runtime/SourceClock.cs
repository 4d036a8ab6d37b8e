using StreamEngine.Connectors;
using StreamEngine.Events;

namespace StreamEngine.Runtime;

/// <summary>
/// How far a shard's sources have come in event time, and which are silent: the watermark follows the slowest source that is not.
/// </summary>
internal sealed class SourceClock
{
    /// <summary>
    /// After how long without a record a source holds back the watermark of the others no more, where the config does not say.
    /// </summary>
    private static readonly TimeSpan SilentAfter = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly TimeProvider _time;
    private readonly TimeSpan _idleAfter, _silentAfter;
    private readonly long _outOfOrderness;
    private readonly long[] _newest;   // event time of each source, ms
    private readonly long[] _heard;    // when each last brought a record
    private long _seen;                // when any did, or the watermark was moved for want of one
    private long _looked;              // when silent sources were last looked for

    public SourceClock(int sources, TimeOptions options, TimeProvider time)
    {
        _time = time;
        _idleAfter = options.IdleAfter;
        _silentAfter = _idleAfter > TimeSpan.Zero ? _idleAfter : SilentAfter;
        _outOfOrderness = (long)options.OutOfOrderness.TotalMilliseconds;
        _newest = new long[sources];
        _heard = new long[sources];
        Array.Fill(_newest, long.MinValue);
        Restart();
    }

    /// <summary>The newest event time of each source, ms.</summary>
    public ReadOnlySpan<long> Newest => _newest;

    /// <summary>Stands where a checkpoint did.</summary>
    public void StartAt(ReadOnlySpan<long> newest) => newest.CopyTo(_newest);

    /// <summary>The silence up to now was nobody's.</summary>
    public void Restart()
    {
        _seen = _time.GetTimestamp();
        Array.Fill(_heard, _seen);
    }

    /// <summary>Records came.</summary>
    public void Heard(RecordBatch batch, int from, int to)
    {
        _seen = _time.GetTimestamp();
        if (_heard.Length == 1) return;
        for (var i = from; i < to; i++) _heard[batch[i].Topic] = _seen;
    }

    /// <summary>
    /// The watermark once a source has come to a time, ms: the slowest source's newest time, less what may come out of order.
    /// </summary>
    /// <param name="source">The source.</param>
    /// <param name="time">The event's time, ms.</param>
    /// <param name="all">Whether every source has come as far.</param>
    public long Advance(int source, long time, bool all)
    {
        if (time > _newest[source])
        {
            if (all) Array.Fill(_newest, time);
            else _newest[source] = time;
        }
        var slowest = _newest[0];
        for (var i = 1; i < _newest.Length; i++) slowest = Math.Min(slowest, _newest[i]);
        return slowest == long.MinValue ? long.MinValue : slowest - _outOfOrderness;
    }

    /// <summary>No source holds the watermark below this any more, ms.</summary>
    public void RaiseTo(long watermark)
    {
        for (var i = 0; i < _newest.Length; i++) _newest[i] = Math.Max(_newest[i], watermark + _outOfOrderness);
    }

    /// <summary>Where silence moves the watermark, to where, ms.</summary>
    /// <param name="watermark">The watermark now.</param>
    /// <param name="nextDue">When the next timer is due: a partition that is silent as a whole follows the clock only where one
    /// waits.</param>
    /// <param name="to">The new watermark.</param>
    public bool Silence(long watermark, long nextDue, out long to)
    {
        var silence = _time.GetElapsedTime(_seen);
        if (_idleAfter <= TimeSpan.Zero || watermark == long.MinValue || silence < _idleAfter) return SomeAreSilent(watermark, out to);
        to = watermark + (long)silence.TotalMilliseconds;
        if (nextDue >= to) return false;
        _seen = _time.GetTimestamp();
        return true;
    }

    /// <summary>Some of several sources are silent for long enough: the others' watermark counts. Looked at once a second.</summary>
    private bool SomeAreSilent(long watermark, out long to)
    {
        to = long.MaxValue;
        if (_newest.Length == 1 || _time.GetElapsedTime(_looked) < LookEvery) return false;
        _looked = _time.GetTimestamp();
        for (var i = 0; i < _newest.Length; i++)
            if (_time.GetElapsedTime(_heard[i]) < _silentAfter) to = Math.Min(to, _newest[i]);
        if (to is long.MaxValue or long.MinValue) return false;
        to -= _outOfOrderness;
        return to > watermark;
    }
}
