using StreamEngine.Connectors;

namespace StreamEngine.Host.Logs;

/// <summary>A record that was read from the end of a topic.</summary>
/// <param name="From">Its partition.</param>
/// <param name="Offset">Its offset.</param>
/// <param name="Timestamp">The log's timestamp, ms.</param>
/// <param name="Key">Its key.</param>
/// <param name="Value">Its value.</param>
internal sealed record TailRecord(TopicPartition From, long Offset, long Timestamp, byte[] Key, byte[] Value)
{
    /// <summary>The record as one JSON object; null where its value can't be read.</summary>
    public string? Json { get; set; }
}

/// <summary>
/// Reads the committed records of topics outside any group, in rounds: each round's records are in the order of their timestamps, those of
/// one partition always in the order of their offsets.
/// </summary>
internal sealed class TopicTail : IDisposable
{
    private const int RoundLength = 1_000;

    private static readonly TimeSpan Wait = TimeSpan.FromMilliseconds(200);

    private readonly IReadOnlyList<string> _topics;
    private ILog? _log;
    private ILogReader? _reader;
    private TopicPartition[] _partitions = [];
    private long[] _next = [];
    private readonly RecordBatch _batch = new();
    private readonly Func<TailRecord, bool> _wanted;
    private readonly CancellationToken _stop;
    private readonly int? _only;

    /// <summary>Prepares to read.</summary>
    /// <param name="topics">The topics; each must be there.</param>
    /// <param name="wanted">Which records are shown.</param>
    /// <param name="stop">Ends every wait.</param>
    /// <param name="only">The one partition that is read; null for all.</param>
    public TopicTail(IReadOnlyList<string> topics, Func<TailRecord, bool> wanted, CancellationToken stop, int? only = null) =>
        (_topics, _wanted, _stop, _only) = (topics, wanted, stop, only);

    /// <summary>Reads by way of this log from now on, from where it is.</summary>
    public void Use(ILog log)
    {
        if (ReferenceEquals(log, _log)) return;
        _reader?.Dispose();
        _reader = log.OpenReader();
        _log = log;
        if (_partitions.Length > 0) return;
        _partitions = [.. _topics.SelectMany(t => Enumerable.Range(0, log.Partitions(t)).Where(p => _only is null || p == _only)
            .Select(p => new TopicPartition(t, p)))];
        _next = new long[_partitions.Length];
    }

    /// <summary>For how long an end that was told may not be reached before it is left: a transaction may be open there.</summary>
    public TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Partitions whose end, taken before, could not be reached: a transaction is open there.</summary>
    public HashSet<TopicPartition> Unfinished { get; } = [];

    /// <summary>Goes to the beginning of everything.</summary>
    public void ToBeginning()
    {
        for (var i = 0; i < _partitions.Length; i++) _next[i] = _log!.Watermarks(_partitions[i]).Low;
    }

    /// <summary>The last records that are wanted, over all partitions; reading goes on behind them.</summary>
    public List<TailRecord> Last(int count)
    {
        var last = new List<TailRecord>();
        for (var i = 0; i < _partitions.Length; i++)
        {
            var (low, high) = _log!.Watermarks(_partitions[i]);
            if (count == 0)
            {
                _next[i] = high;
                continue;
            }
            // Markers, marks and records of others take offsets too: further back until there are enough.
            for (var back = (long)count; ; back *= 8)
            {
                var found = new Queue<TailRecord>();
                _next[i] = Math.Max(low, high - back);
                var reached = _next[i] == low;
                while (ReadRound(i, high, r =>
                {
                    if (found.Count == count) found.Dequeue();
                    found.Enqueue(r);
                })) { }
                if (found.Count < count && !reached) continue;
                last.AddRange(found);
                break;
            }
        }
        return [.. Sorted(last).TakeLast(count)];
    }

    /// <summary>The ends of all partitions now.</summary>
    public IReadOnlyList<long> Ends() => _log!.Ends(_partitions);

    /// <summary>The next round of records below these ends; <paramref name="more"/> says whether there can be others.</summary>
    public List<TailRecord> Round(IReadOnlyList<long> ends, out bool more)
    {
        var round = new List<TailRecord>();
        more = false;
        for (var i = 0; i < _partitions.Length; i++)
            if (ReadRound(i, ends[i], round.Add)) more = true;
        return [.. Sorted(round)];
    }

    /// <inheritdoc/>
    public void Dispose() => _reader?.Dispose();

    private static IEnumerable<TailRecord> Sorted(List<TailRecord> records) =>
        records.Select((r, i) => (r, i)).OrderBy(x => x.r.Timestamp).ThenBy(x => x.i).Select(x => x.r);

    /// <summary>Reads some records of a partition; false where its end is reached, or can't be.</summary>
    private bool ReadRound(int index, long end, Action<TailRecord> take)
    {
        if (_next[index] >= end) return false;
        _reader!.Assign(_partitions[index], _next[index]);
        var started = TimeProvider.System.GetTimestamp();
        while (_next[index] < end)
        {
            _stop.ThrowIfCancellationRequested();
            _reader.Read(_batch, RoundLength, Wait);
            for (var i = 0; i < _batch.Count && _batch[i].Offset < end; i++)
            {
                var record = new TailRecord(_partitions[index], _batch[i].Offset, _batch[i].Timestamp, _batch.Key(i).ToArray(),
                    _batch.Value(i).ToArray());
                _next[index] = record.Offset + 1;
                if (_wanted(record)) take(record);
            }
            if (_batch.Count > 0) return true;
            _next[index] = Math.Max(_next[index], Math.Min(end, _reader.Position)); // past markers
            if (_next[index] < end && TimeProvider.System.GetElapsedTime(started) >= Patience)
            {
                Unfinished.Add(_partitions[index]);
                return false;
            }
        }
        return false;
    }
}
