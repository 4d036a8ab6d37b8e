using StreamEngine.Connectors;

namespace StreamEngine.Runtime;

/// <summary>What a look at a followed topic came to.</summary>
internal enum TopicLook : byte
{
    /// <summary>There may be something to read, up to the end.</summary>
    Read,

    /// <summary>
    /// It ends before what was read of it. A broker that has just started may know less of the end for a moment: look again.
    /// </summary>
    Shorter,

    /// <summary>It was deleted and made anew: what was read of it holds no more.</summary>
    Anew,
}

/// <summary>
/// One partition of a compacted topic that somebody follows from its beginning, and how far it is read. Tells whether the topic is still
/// the same one: its id tells, and where the log has no ids, that it ends again and again before what was read of it.
/// </summary>
internal sealed class FollowedTopic(ILog log, TopicPartition partition) : IDisposable
{
    /// <summary>So often in a row a topic is looked at, and is shorter, before that is believed.</summary>
    public const int ShorterLooks = 20;

    private const int LooksPerId = 20, ReadRecords = 1_000, StillReads = 10, QuietLooks = 40;
    private static readonly TimeSpan ReadTime = TimeSpan.FromMilliseconds(100);

    private readonly RecordBatch _batch = new();
    private int _shorter;   // looks in a row at which it ended before what was read
    private int _looks;     // since it was last asked which topic it is
    private int _quiet;     // looks in a row at which nothing was new
    private ILogReader? _reader;

    /// <summary>The partition.</summary>
    public TopicPartition Partition => partition;

    /// <summary>The next offset to read; -1 before the topic was there.</summary>
    public long Next { get; private set; } = -1;

    /// <summary>Which topic was read up to there; null where the log has no ids.</summary>
    public string? Id { get; private set; }

    /// <summary>Follows the topic from where it begins.</summary>
    /// <exception cref="LogException">The log does not answer.</exception>
    public void Begin()
    {
        Id = log.TopicId(partition.Topic);
        Next = log.Watermarks(partition).Low;
        _shorter = 0;
    }

    /// <summary>It is followed from its beginning, wherever that is, the next time.</summary>
    public void BeginAnew()
    {
        Close();
        Next = -1;
    }

    /// <summary>The next look asks which topic it is.</summary>
    public void Doubt() => _looks = LooksPerId;

    /// <summary>One look.</summary>
    /// <param name="end">Where the topic ends.</param>
    /// <exception cref="LogException">The log does not answer.</exception>
    public TopicLook Look(out long end)
    {
        end = log.Ends([partition])[0];
        if ((end != Next || ++_looks >= LooksPerId) && IsAnother()) return TopicLook.Anew;
        _shorter = end < Next ? _shorter + 1 : 0;
        return _shorter == 0 ? TopicLook.Read : _shorter < ShorterLooks ? TopicLook.Shorter : TopicLook.Anew;
    }

    /// <summary>
    /// Reads up to an end, or to a transaction that is not closed yet: what is behind that waits for the next look. The reader is kept for
    /// the next look while there is something new now and then, as a new one is a whole client of the log.
    /// </summary>
    /// <param name="end">Where to end.</param>
    /// <param name="take">Takes a batch, and up to which offset the topic is read with it.</param>
    /// <param name="stop">Ends it.</param>
    /// <exception cref="LogException">The log does not answer.</exception>
    public void Read(long end, Action<RecordBatch, long> take, CancellationToken stop)
    {
        if (Next >= end)
        {
            if (++_quiet >= QuietLooks) Close();
            return;
        }
        _quiet = 0;
        _reader ??= log.OpenReader();
        try
        {
            _reader.Assign(partition, Next);
            Read(_reader, end, take, stop);
            _reader.Rest();
        }
        catch
        {
            Close();
            throw;
        }
    }

    /// <summary>Somebody has read it up to here.</summary>
    public void ReadTo(long position) => Next = Math.Max(Next, position);

    /// <inheritdoc/>
    public void Dispose() => Close();

    private void Read(ILogReader reader, long end, Action<RecordBatch, long> take, CancellationToken stop)
    {
        for (var still = 0; Next < end && still < StillReads; still++)
        {
            stop.ThrowIfCancellationRequested();
            reader.Read(_batch, ReadRecords, ReadTime);
            var position = Math.Min(end, reader.Position);
            take(_batch, position);
            if (position > Next) still = -1;
            Next = position;
        }
    }

    private void Close()
    {
        var reader = _reader;
        _reader = null;
        reader?.Dispose();
    }

    private bool IsAnother()
    {
        _looks = 0;
        return Id is not null && log.TopicId(partition.Topic) is { } id && id != Id;
    }
}
