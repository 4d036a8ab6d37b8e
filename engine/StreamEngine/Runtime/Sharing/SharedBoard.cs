using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Decisions;

namespace StreamEngine.Runtime;

/// <summary>
/// The numbers that all shards share, as this process knows them: takes the records of their topic, adds up what the shards add, and
/// publishes an immutable snapshot that loops read. Gives a shard that goes live what its former owner has committed. From any thread.
/// </summary>
/// <param name="engine">The engine's name: other engines may write to the same topic.</param>
/// <param name="topic">The topic.</param>
/// <param name="report">Takes lines for the log.</param>
public sealed class SharedBoard(string engine, string topic, Action<WorkerEvent>? report = null)
{
    /// <summary>More records that are passed over are counted and not told: they are mostly the same mistake.</summary>
    private const int MostTold = 20;

    private readonly Lock _gate = new();
    private readonly string _prefix = SharedRecord.Prefix(engine);
    private readonly Dictionary<string, SortedDictionary<int, double[]>> _parts = new(StringComparer.Ordinal);
    private readonly HashSet<string> _touched = new(StringComparer.Ordinal);
    private Dictionary<string, SharedSum> _sums = new(StringComparer.Ordinal);
    private volatile SharedNumbers _current = SharedNumbers.None;
    private volatile bool _ready;
    private long _position, _newest, _version, _refused, _generation;

    /// <summary>The newest numbers: read them once, and use what was read.</summary>
    public SharedNumbers Current => _current;

    /// <summary>Whether the topic was read to its end once. No shard goes live before that.</summary>
    public bool IsReady => _ready;

    /// <summary>Records that were passed over, as they are none.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Up to which offset the topic was read.</summary>
    internal long Position
    {
        get
        {
            lock (_gate) return _position;
        }
    }

    /// <summary>Grows when the topic was made anew: offsets of another one can't be compared then.</summary>
    internal long Generation => Interlocked.Read(ref _generation);

    /// <summary>The numbers as a log has them now, for whoever runs beside any engine.</summary>
    /// <param name="log">The log.</param>
    /// <param name="engine">Whose numbers they are.</param>
    /// <param name="report">Takes lines for the log.</param>
    /// <param name="stop">Ends it.</param>
    /// <exception cref="LogException">The log does not answer, or has no such topic.</exception>
    public static SharedNumbers ReadAll(ILog log, CompiledEngine engine, Action<WorkerEvent> report, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(log);
        ArgumentNullException.ThrowIfNull(engine);
        var options = engine.Options.Shared;
        if (SharedTopic.Fault(log, options.Topic) is { } fault) throw new LogException(fault);
        var board = new SharedBoard(engine.Options.Name, options.Topic, report);
        using var reader = new SharedReader(log, options, board, TimeProvider.System, report);
        while (!board.IsReady)
        {
            stop.ThrowIfCancellationRequested();
            reader.Turn();
        }
        return board.Current;
    }

    /// <summary>Takes records of the topic, in order.</summary>
    /// <param name="batch">What holds them.</param>
    /// <param name="end">The offset before which they count.</param>
    /// <param name="position">Up to which offset the topic is read behind them.</param>
    public void Take(RecordBatch batch, long end, long position)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var faults = new List<string>();
        lock (_gate)
        {
            for (var i = 0; i < batch.Count; i++)
            {
                if (batch[i].Offset >= end) continue;
                if (SharedRecord.Read(_prefix, batch, i, out var record) is { } fault)
                {
                    if (Interlocked.Increment(ref _refused) <= MostTold)
                        faults.Add($"{topic}[0] offset {batch[i].Offset} is passed over: {fault} (key "
                            + $"'{Printable.Text(Encoding.UTF8.GetString(batch.Key(i)))}')");
                }
                else if (record is { } read) Take(read, batch[i]);
            }
            _position = Math.Max(_position, position);
        }
        foreach (var fault in faults) report?.Invoke(new WorkerEvent(true, fault));
    }

    /// <summary>The topic was read up to here: there are no more records before that.</summary>
    public void ReadTo(long position)
    {
        lock (_gate) _position = Math.Max(_position, position);
    }

    /// <summary>What was taken is decided by from now on.</summary>
    /// <param name="isComplete">Whether the topic was read to its end; before that happens once nothing is published.</param>
    public void Publish(bool isComplete)
    {
        lock (_gate)
        {
            if (!_ready && !isComplete) return;
            if (_touched.Count > 0 || !_ready)
            {
                var sums = new Dictionary<string, SharedSum>(_sums, StringComparer.Ordinal);
                foreach (var name in _touched)
                    if (_parts.TryGetValue(name, out var parts)) sums[name] = Sum(name, parts);
                    else sums.Remove(name);
                _touched.Clear();
                _sums = sums;
                _current = new SharedNumbers(sums, _version, _ready ? DateTimeOffset.FromUnixTimeMilliseconds(_newest) : null);
            }
            _ready = true;
        }
    }

    /// <summary>The topic was made anew: what it said before holds until what it says now is published.</summary>
    public void Forget()
    {
        lock (_gate)
        {
            foreach (var name in _parts.Keys) _touched.Add(name);
            _parts.Clear();
            (_position, _version) = (0, 0);
            _ready = false;
            Interlocked.Increment(ref _generation);
        }
    }

    /// <summary>What a shard has committed of each number.</summary>
    internal List<SharedNumber> Of(int shard)
    {
        lock (_gate)
            return [.. _parts.Where(p => p.Value.ContainsKey(shard)).Select(p => new SharedNumber(p.Key, p.Value[shard]))];
    }

    private void Take(in SharedRecord record, in RecordInfo info)
    {
        _touched.Add(record.Name);
        (_version, _newest) = (info.Offset + 1, Math.Max(_newest, Math.Max(0, info.Timestamp)));
        if (!_parts.TryGetValue(record.Name, out var parts)) _parts[record.Name] = parts = [];
        if (record.Values.Length > 0) parts[record.Shard] = record.Values;
        else parts.Remove(record.Shard);
        if (parts.Count == 0) _parts.Remove(record.Name);
    }

    /// <summary>In the order of the shards, so that the same parts have the same sum to the last digit.</summary>
    private static SharedSum Sum(string name, SortedDictionary<int, double[]> parts)
    {
        if (ArmTally.IsOf(name, parts.Values)) return new SharedSum(ArmTally.Of(parts.Values), [.. parts]);
        var sum = new double[parts.Max(p => p.Value.Length)];
        foreach (var values in parts.Values)
            for (var i = 0; i < values.Length; i++) sum[i] += values[i];
        return new SharedSum(sum, [.. parts]);
    }
}
