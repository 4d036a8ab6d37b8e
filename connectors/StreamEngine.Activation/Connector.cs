using System.Collections.Concurrent;
using System.Threading.Channels;
using Akka.Actor;
using StreamEngine.Activation.Flow;
using StreamEngine.Activation.Records;
using StreamEngine.Connectors;
using StreamEngine.Runtime;

namespace StreamEngine.Activation;

/// <summary>
/// One connector: a member of a consumer group of its own, and the graph that delivers what it reads. Its thread reads records, makes
/// batches of them, and commits the positions up to which everything is delivered, in this order over and over:
/// <list type="number">
/// <item>takes note of what was delivered;</item>
/// <item>stops reading where too much is in flight, reads on where there is room;</item>
/// <item>polls, and adds what is wanted to the open batches;</item>
/// <item>hands over the batches that are full or have waited long enough;</item>
/// <item>commits.</item>
/// </list>
/// </summary>
public sealed class Connector : IOwnership, IAsyncDisposable
{
    private const int MostPolled = 500;
    private static readonly TimeSpan PollTime = TimeSpan.FromMilliseconds(50);

    /// <summary>How long a partition that goes, or a stop, waits for the deliveries that are on their way.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan LagInterval = TimeSpan.FromSeconds(5);

    private readonly CompiledActivation _activation;
    private readonly ConnectorSettings _settings;
    private readonly string _group, _topic;
    private readonly RecordIntake _intake;
    private readonly Deliverer _delivery;
    private readonly Channel<Batch> _batches = Channel.CreateUnbounded<Batch>(new UnboundedChannelOptions { SingleWriter = true });
    private readonly ConcurrentQueue<Batch> _done = new();
    private readonly ConcurrentQueue<(PartitionProgress Progress, long? Next, long End)> _begin = new();
    private readonly Dictionary<TopicPartition, PartitionProgress> _owned = [];
    private readonly RecordBatch _polled = new();
    private readonly CancellationTokenSource _ends = new();
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly AutoResetEvent _delivered = new(false);

    private ILogWorker? _worker;
    private CommitQueue? _commits;
    private Task _graph = Task.CompletedTask;
    private Thread? _thread;
    private volatile bool _stopping, _isFull;
    private volatile Exception? _failure;
    private long _records, _bytes, _lagAt;

    /// <summary>Makes a connector; it does nothing before its start.</summary>
    public Connector(CompiledActivation activation, ConnectorSettings settings)
    {
        (_activation, _settings) = (activation, settings);
        var options = activation.Options;
        _topic = settings.Replay ? options.DeadLetter : activation.Topic;
        _group = $"{settings.Engine}-activation-{options.Name}{(settings.Replay ? "-replay" : "")}";
        _delivery = new Deliverer(options, letters => activation.Open(new SinkSetup(_group, letters, settings.Time)),
            metrics => new DeadLetters(settings.Log, options.Name, options.DeadLetter, metrics, settings.Time), settings.Time,
            settings.Report);
        _intake = new RecordIntake(activation, settings.Replay, _delivery);
    }

    /// <summary>The connector's name.</summary>
    public string Name => _activation.Name;

    /// <summary>Ends when the connector has: at a stop, at the log's end where it drains, or with the failure that ended it.</summary>
    public Task Completion => _completion.Task;

    /// <summary>Whether the partner answers.</summary>
    public Outage Partner => _delivery.Outage;

    /// <summary>What was done since the start.</summary>
    public ActivationCounts Counts => _delivery.Metrics.Counts;

    internal ConnectorMetrics Metrics => _delivery.Metrics;

    /// <summary>Joins the group and begins to deliver.</summary>
    public void Start(ActorSystem system)
    {
        foreach (var topic in new[] { _topic, _activation.Options.DeadLetter })
            if (_settings.Log.Partitions(topic) == 0)
                throw new LogException($"activation {Name}: there is no topic '{topic}'. Create it: `topics create`.");
        _graph = ConnectorGraph.Run(system, _batches.Reader, _delivery.DeliverAsync, Done, _activation.Options.MaxInFlight);
        _graph.ContinueWith(t =>
        {
            if (t.Exception is { } e) _failure = e.Flatten().InnerException;
            _delivered.Set();
            _worker?.Wake();
        }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        _thread = new Thread(Run) { IsBackground = true, Name = $"activation {Name}" };
        _thread.Start();
    }

    /// <summary>Asks it to end in order: what is on its way is delivered, where that takes no longer than 10 s, and committed.</summary>
    public void Stop()
    {
        _stopping = true;
        _worker?.Wake();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Stop();
        if (_thread is not null) await _completion.Task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _graph.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _delivery.Sink.DisposeAsync().ConfigureAwait(false);
        _delivery.Dispose();
        _ends.Dispose();
        _delivered.Dispose();
    }

    private void Run()
    {
        try
        {
            using (_worker = _settings.Log.OpenWorker(new WorkerOptions
            {
                Group = _group,
                InstanceId = $"{_group}-{_settings.Node}-{_settings.Command}",
                Sources = [_topic],
                Outputs = [],
                Transactional = false,
            }))
            {
                _commits = new CommitQueue(_worker, _activation.Options.CommitInterval, _settings.Time);
                while (!_stopping && !IsDrained) Turn();
                List<PartitionProgress> all = [.. _owned.Values];
                Finish(all);
                Drop(all);
            }
            _completion.TrySetResult();
        }
        catch (Exception e)
        {
            _completion.TrySetException(e);
        }
        finally
        {
            _ends.Cancel();
            foreach (var progress in _owned.Values) progress.Cancel();
            _batches.Writer.TryComplete();
        }
    }

    private void Turn()
    {
        // 1. What was delivered.
        TakeDone();
        if (_failure is { } failure) throw new LogException($"activation {Name} has failed: {failure.Message}", failure);

        // 2. Room for more.
        Limit();

        // 3. Read.
        var room = Math.Clamp(_activation.Options.MaxInFlight - _records, 1, MostPolled);
        _worker!.Poll(_polled, (int)room, PollTime, this);
        for (var i = 0; i < _polled.Count; i++) Take(i);

        // 4. Deliver.
        foreach (var progress in _owned.Values)
            if (progress.Open is { } open && (IsDue(open) || _isFull || IsAtEnd(progress))) Hand(progress);

        // 5. Commit.
        _commits!.Advance(_owned.Values);
        WatchLag();
    }

    private void Take(int index)
    {
        var info = _polled[index];
        var partition = new TopicPartition(_topic, info.Partition);
        if (!_owned.TryGetValue(partition, out var progress)) return;
        // A replay writes dead letters behind the end, and would never come to it.
        if (_settings.Drain && info.Offset >= progress.End) return;
        if (_intake.Read(_polled, index, partition) is not { } record)
        {
            progress.Pass(info.Offset);
            return;
        }
        var lane = _delivery.Sink.Lane(record);
        if (progress.Open is { } other && other.Lane != lane) Hand(progress);
        progress.Add(record, lane, _settings.Time.GetTimestamp());
        _records++;
        _bytes += record.Bytes;
        var rule = _delivery.Sink.Rule;
        if (progress.Open!.Records.Count >= rule.MaxRecords || progress.Open.Bytes >= rule.MaxBytes) Hand(progress);
    }

    private bool IsDue(Batch batch) => _settings.Time.GetElapsedTime(batch.OpenedAt) >= _delivery.Sink.Rule.Linger;

    private void Hand(PartitionProgress progress)
    {
        if (progress.Close() is { } batch) _batches.Writer.TryWrite(batch);
    }

    /// <summary>The graph's threads tell it; the connector's thread takes it from there.</summary>
    private void Done(Batch batch)
    {
        _done.Enqueue(batch);
        _delivered.Set();
        if (_isFull || _settings.Drain) _worker?.Wake();
    }

    private void TakeDone()
    {
        while (_done.TryDequeue(out var batch))
        {
            _records -= batch.Records.Count;
            _bytes -= batch.Bytes;
            if (_owned.TryGetValue(batch.Partition, out var progress)) progress.Advance();
        }
        foreach (var progress in _owned.Values) progress.Advance();
        Metrics.InFlight = _records;
    }

    /// <summary>
    /// Stops reading where too much is in flight, and reads on once half of it is done. Polling goes on meanwhile: who does not poll is put
    /// out of the group, and a partner may be away for long.
    /// </summary>
    private void Limit()
    {
        var options = _activation.Options;
        var reading = _owned.Values.Where(p => p.IsReading).Select(p => p.Partition).ToList();
        if (!_isFull && (_records >= options.MaxInFlight || _bytes >= options.MaxInFlightBytes.Bytes))
        {
            _isFull = true;
            if (reading.Count > 0) _worker!.Pause(reading);
        }
        else if (_isFull && _records <= options.MaxInFlight / 2 && _bytes <= options.MaxInFlightBytes.Bytes / 2)
        {
            _isFull = false;
            if (reading.Count > 0) _worker!.Resume(reading);
        }
        if (_isFull) return;
        while (_begin.TryDequeue(out var begin))
        {
            var progress = begin.Progress;
            if (!_owned.TryGetValue(progress.Partition, out var current) || current != progress) continue;
            (progress.IsReading, progress.End) = (true, begin.End);
            _worker!.Resume([progress.Partition], begin.Next);
        }
    }

    private bool IsAtEnd(PartitionProgress progress) =>
        _settings.Drain && progress.End is { } end && _worker!.Position(progress.Partition) >= end;

    private bool IsDrained => _settings.Drain && _owned.Count > 0 && _commits!.IsIdle
        && _owned.Values.All(p => IsAtEnd(p) && p.IsIdle && p.Committed == p.Delivered);

    /// <summary>Hands over what is open, waits for what is on its way, and commits what was delivered.</summary>
    private void Finish(IReadOnlyList<PartitionProgress> leaving)
    {
        foreach (var progress in leaving) Hand(progress);
        var began = TimeProvider.System.GetTimestamp();
        for (var waits = true; waits && _failure is null;)
        {
            TakeDone();
            var left = Patience - TimeProvider.System.GetElapsedTime(began);
            waits = left > TimeSpan.Zero && leaving.Any(p => !p.IsIdle);
            // Who has failed is waited for in vain.
            if (waits && _delivery.Outage.Lasts is not null && left < Patience - PollTime) break;
            if (waits) _delivered.WaitOne(left < PollTime ? left : PollTime);
        }
        _commits!.Flush(leaving);
    }

    private void WatchLag()
    {
        if (_lagAt != 0 && _settings.Time.GetElapsedTime(_lagAt) < LagInterval) return;
        _lagAt = _settings.Time.GetTimestamp();
        var owned = _owned.Values.Where(p => p.IsReading).ToList();
        if (owned.Count == 0) return;
        try
        {
            var ends = _settings.Log.Ends([.. owned.Select(p => p.Partition)]);
            Metrics.Lag = owned.Select((p, i) => Math.Max(0, ends[i] - (p.Oldest ?? _worker!.Position(p.Partition)))).Sum();
        }
        catch (LogException)
        {
            // The log is away: what was known last stays, and it is asked again.
        }
    }

    /// <inheritdoc/>
    void IOwnership.Assigned(IReadOnlyList<TopicPartition> partitions)
    {
        foreach (var partition in partitions)
        {
            var progress = _owned[partition] = new PartitionProgress(partition);
            // The target may be away: the group goes on meanwhile.
            _ = Task.Run(() => BeginAsync(progress));
        }
    }

    private async Task BeginAsync(PartitionProgress progress)
    {
        try
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(progress.Stop, _ends.Token);
            var (low, high) = _settings.Log.Watermarks(progress.Partition);
            var committed = _settings.Log.Committed(_group, progress.Partition) ?? low;
            var stored = await _delivery.AskAsync(token => _delivery.Sink.NextAsync(progress.Partition, committed, token), stop.Token)
                .ConfigureAwait(false);
            if (stored > high)
                throw new LogException($"activation {Name}: the target has {progress.Partition.Topic}[{progress.Partition.Partition}] up "
                    + $"to offset {stored}, and the topic ends at {high}: it was made anew. Clear the target's positions, or give the "
                    + "connector another name.");
            _begin.Enqueue((progress, stored == committed ? null : stored, high));
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            return;
        }
        catch (Exception e)
        {
            _failure = e;
        }
        _worker?.Wake();
    }

    /// <inheritdoc/>
    void IOwnership.Revoked(IReadOnlyList<TopicPartition> partitions)
    {
        var leaving = partitions.Where(_owned.ContainsKey).Select(p => _owned[p]).ToList();
        Finish(leaving);
        Drop(leaving);
    }

    /// <inheritdoc/>
    void IOwnership.Lost(IReadOnlyList<TopicPartition> partitions)
    {
        _commits?.Forget();
        Drop([.. partitions.Where(_owned.ContainsKey).Select(p => _owned[p])]);
    }

    private void Drop(List<PartitionProgress> gone)
    {
        foreach (var progress in gone)
        {
            progress.Cancel();
            if (progress.Open is { } open)
            {
                _records -= open.Records.Count; // what was handed over comes back by itself
                _bytes -= open.Bytes;
            }
            _owned.Remove(progress.Partition);
        }
    }
}
