using System.Diagnostics;
using StreamEngine.Connectors;

namespace StreamEngine.Benchmarks.Processes;

/// <summary>
/// Reads an engine's decisions as any reader of committed records does, one thread and one reader a partition, and tells when the first new
/// one came.
/// </summary>
internal sealed class ActionWatch : IDisposable
{
    private readonly ILog _log;
    private readonly string _topic;
    private readonly Thread[] _reading;
    private readonly long[] _marks, _first;
    private volatile bool _stop;

    public ActionWatch(ILog log, string topic, int partitions)
    {
        (_log, _topic) = (log, topic);
        (_marks, _first) = (new long[partitions], new long[partitions]);
        _reading = [.. Enumerable.Range(0, partitions).Select(p => new Thread(() => Read(p)) { IsBackground = true, Name = $"watch-{p}" })];
        foreach (var thread in _reading) thread.Start();
    }

    /// <summary>From now on only what is written behind the present ends counts.</summary>
    public void Mark()
    {
        for (var p = 0; p < _marks.Length; p++)
        {
            Volatile.Write(ref _marks[p], _log.Watermarks(new TopicPartition(_topic, p)).High);
            Volatile.Write(ref _first[p], 0);
        }
    }

    /// <summary>Waits for a new decision in every partition.</summary>
    /// <param name="since">A timestamp before <see cref="Mark"/>.</param>
    /// <param name="patience">How long it may take.</param>
    /// <returns>When each came, seconds after that timestamp.</returns>
    /// <exception cref="TimeoutException">A partition had none.</exception>
    public async Task<double[]> FirstNew(long since, TimeSpan patience)
    {
        while (_first.Any(f => f == 0))
        {
            if (Stopwatch.GetElapsedTime(since) > patience)
                throw new TimeoutException($"no new decision within {patience.TotalSeconds:0} s in partition {Array.IndexOf(_first, 0)} of "
                    + $"{_topic}");
            await Task.Delay(10);
        }
        return [.. _first.Select(f => Stopwatch.GetElapsedTime(since, f).TotalSeconds)];
    }

    public void Dispose()
    {
        _stop = true;
        foreach (var thread in _reading) thread.Join();
    }

    private void Read(int partition)
    {
        var at = new TopicPartition(_topic, partition);
        using var reader = _log.OpenReader();
        reader.Assign(at, _log.Watermarks(at).High);
        var batch = new RecordBatch();
        while (!_stop)
        {
            reader.Read(batch, 1_000, TimeSpan.FromMilliseconds(50));
            var now = Stopwatch.GetTimestamp();
            if (batch.Count > 0 && batch[batch.Count - 1].Offset >= Volatile.Read(ref _marks[partition])
                && Volatile.Read(ref _first[partition]) == 0) Volatile.Write(ref _first[partition], now);
        }
    }
}
