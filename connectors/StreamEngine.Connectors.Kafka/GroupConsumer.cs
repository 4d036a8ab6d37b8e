using System.Runtime.ExceptionServices;
using Confluent.Kafka;
using StreamEngine.Connectors.Kafka.Native;

namespace StreamEngine.Connectors.Kafka;

/// <summary>
/// A worker's membership in the group: assignment, positions, records. Partitions arrive paused and without a position; the first resume
/// seeks to the committed offset (or the earliest of a new group), so that neither a restore nor another worker's open transaction ever
/// blocks a rebalance.
/// </summary>
internal sealed class GroupConsumer : IDisposable
{
    private readonly KafkaLog _log;
    private readonly WorkerOptions _worker;
    private readonly KafkaLogOptions _options;
    private readonly Partitions _partitions;
    private readonly IConsumer<byte[], byte[]> _consumer;
    private readonly BatchFetcher _fetcher;
    private readonly List<FetchEvent> _events = [];
    private readonly List<TopicPartition> _toAnnounce = [];
    private readonly List<TopicPartition> _toAssign = [];
    private readonly List<TopicPartition> _toUnassign = [];
    private IOwnership? _ownership;
    private ExceptionDispatchInfo? _thrown;
    private LogException? _lasting;
    private bool _leaving;

    public GroupConsumer(KafkaLog log, KafkaLogOptions options, WorkerOptions worker)
    {
        (_log, _options, _worker) = (log, options, worker);
        _partitions = new Partitions(worker.Sources);
        var settings = KafkaSettings.Consumer(options);
        // Longer than the transaction timeout, as KafkaSettings asks of a session timeout that is given.
        settings.TryAdd("session.timeout.ms",
            $"{(long)KafkaSettings.SessionTimeout(options.Settings, options.TransactionTimeout).TotalMilliseconds}");
        settings["group.id"] = worker.Group;
        settings["partition.assignment.strategy"] = "cooperative-sticky";
        settings["enable.partition.eof"] = "false";
        Lease = TimeSpan.FromMilliseconds(Number(settings, "session.timeout.ms", 45_000) - Number(settings, "heartbeat.interval.ms",
            3_000));
        settings["group.instance.id"] = worker.InstanceId;
        _consumer = Clients.Make(new ConsumerBuilder<byte[], byte[]>(settings)
            .SetLogHandler((_, line) => ClientLog.Tell(options, line))
            .SetErrorHandler((_, error) => OnError(error))
            .SetPartitionsAssignedHandler((_, assigned) => OnAssigned(assigned))
            .SetPartitionsRevokedHandler((_, revoked) => OnGone(revoked, lost: false))
            .SetPartitionsLostHandler((_, lost) => OnGone(lost, lost: true))
            .Build);
        _fetcher = new BatchFetcher(ClientHandle.Of(_consumer));
        // Only the first topic is shared out by the group; the same partitions of the others follow it (Followers).
        _consumer.Subscribe(worker.Sources[0]);
    }

    /// <summary>Whether the client is beyond repair (another worker joined with its id): it must be replaced.</summary>
    public bool IsDead { get; private set; }

    /// <summary>Member and generation now: what fences a commit of a worker that has been thrown out.</summary>
    public IConsumerGroupMetadata Metadata => _consumer.ConsumerGroupMetadata;

    public void Poll(RecordBatch batch, int max, TimeSpan timeout, IOwnership ownership)
    {
        _ownership = ownership;
        batch.Clear();
        if (_toUnassign.Count > 0) UnassignFollowers();
        if (_lasting is not null) Fail(_lasting);

        // 1. Fetch; rebalances are told inside, on this thread.
        _fetcher.Fetch(batch, _partitions, max, (int)timeout.TotalMilliseconds, _events);
        _thrown?.Throw();

        // 2. Tell of new partitions once the client has them, so that they can be paused, positioned and resumed.
        if (_toAnnounce.Count > 0) Announce();

        // 3. Errors; records that came with them are handed out first.
        if (_events.Count > 0) HandleEvents();
        if (_lasting is not null && batch.Count == 0) Fail(_lasting);
    }

    /// <summary>For how long after the group has confirmed our membership it can't have given our partitions away.</summary>
    public TimeSpan Lease { get; }

    /// <summary>Makes the poll that waits now, or the next one, return at once. Any thread.</summary>
    public void Wake() => _fetcher.Wake();

    /// <summary>Commits offsets as a member: refused where the group has thrown us out.</summary>
    public void Commit(List<TopicPartitionOffset> offsets) => _consumer.Commit(offsets);

    public void Pause(IReadOnlyList<TopicPartition> partitions)
    {
        var ours = Ours(partitions);
        foreach (var state in ours) state.Live = false;
        if (ours.Count > 0) _consumer.Pause(ours.Select(Translate));
    }

    public void Resume(IReadOnlyList<TopicPartition> partitions, long? offset)
    {
        // Always by a seek: a pause has thrown away what was fetched ahead, so it costs nothing and leaves no doubt about the position.
        var paused = Ours(partitions).Where(s => !s.Live || offset is not null).ToList();
        foreach (var state in paused)
        {
            if (offset is { } given) state.Next = given;
            else if (state.Next < 0) state.Next = StartOffset(state.Id);
            Seek(state);
            state.Live = true;
        }
        if (paused.Count > 0) _consumer.Resume(paused.Select(Translate));
    }

    public long StartOffset(TopicPartition partition)
    {
        var committed = _log.Committed(_worker.Group, partition);
        var (low, high) = _log.Watermarks(partition);
        if (committed is { } next && (next < low || next > high)) throw new OffsetOutOfRangeException(partition, next, low, high);
        return committed ?? low;
    }

    /// <summary>Where reading stands, transaction markers and aborted records included.</summary>
    public long Position(TopicPartition partition)
    {
        if (_partitions.Find(partition) is not { } state) return -1;
        var client = state.Live ? _consumer.Position(Translate(state)).Value : -1;
        return Math.Max(client, state.Next);
    }

    /// <summary>Makes <see cref="Dispose"/> leave the group for good.</summary>
    public void Leave() => _leaving = true;

    public void Dispose()
    {
        try
        {
            if (!IsDead) Part();
        }
        catch (KafkaException e)
        {
            _options.Diagnostics?.Invoke($"closing the consumer of {_worker.InstanceId}: {e.Error.Reason}");
        }
        TellLost();
        _fetcher.Dispose();
        _consumer.Dispose();
        _thrown?.Throw();
    }

    /// <summary>
    /// Ends the membership. The client is closed only once it holds nothing and has left the group: a close that finds partitions, or a
    /// rebalance that nobody has served yet, calls back, and what the callback asks of the client's own thread may then wait for ever
    /// (librdkafka's issue 4884). A static member that comes back says nothing to the group anyway, so it is not closed at all.
    /// </summary>
    private void Part()
    {
        if (_leaving)
        {
            if (!Depart())
                _thrown ??= ExceptionDispatchInfo.Capture(new LogException($"worker {_worker.InstanceId}: the group could not be left "
                    + $"within {_options.RequestTimeout.TotalSeconds:0} s. What was done is committed; the partitions move after the "
                    + "session timeout, or by `leave --node`."));
            else if (!IsDead) _consumer.Close();
            return;
        }
        ServeOnce(); // a rebalance that is under way is told as what it is
        if (!IsDead) TellRevoked([.. _partitions.All.Select(s => s.Id)]);
    }

    private bool Depart() => Departure.Of(_consumer, ServeOnce, _options.RequestTimeout) || IsDead;

    private void ServeOnce() => _fetcher.Fetch(new RecordBatch(), _partitions, 1, 50, _events);

    private List<TopicPartitionOffset> OnAssigned(List<Confluent.Kafka.TopicPartition> assigned)
    {
        _fetcher.Forget();
        foreach (var p in assigned)
        {
            var id = new TopicPartition(p.Topic, p.Partition.Value);
            _partitions.Add(id);
            _toAnnounce.Add(id);
            foreach (var follower in Followers(id))
            {
                _partitions.Add(follower);
                _toAnnounce.Add(follower);
                if (!_toUnassign.Remove(follower)) _toAssign.Add(follower);
            }
        }
        _fetcher.Wake();
        return [.. assigned.Zip(Ends(assigned), (p, end) => new TopicPartitionOffset(p, end))];
    }

    /// <summary>
    /// A place from which nothing is fetched until the first resume seeks: the end, as a number. The logical end would be asked for by
    /// librdkafka itself, and when its answer comes after our seek, librdkafka asks again and moves the partition to the end: records would
    /// be skipped silently.
    /// </summary>
    private IEnumerable<long> Ends(List<Confluent.Kafka.TopicPartition> assigned)
    {
        try
        {
            return _log.Ends([.. assigned.Select(p => new TopicPartition(p.Topic, p.Partition.Value))], TimeSpan.FromSeconds(5));
        }
        catch (LogException e)
        {
            _options.Diagnostics?.Invoke($"{_worker.InstanceId}: {e.Message}");
            return assigned.Select(_ => 0L); // a fetch from there may be out of range: OutOfRange then finds our own position in order
        }
    }

    /// <summary>
    /// The same partition of the other topics: a shard owns all of them, and no assignor of librdkafka that moves partitions one by one
    /// keeps them together. They are assigned and released by us, outside the group's callbacks.
    /// </summary>
    private IEnumerable<TopicPartition> Followers(TopicPartition leader) =>
        _worker.Sources.Skip(1).Select(topic => leader with { Topic = topic });

    private void UnassignFollowers()
    {
        try
        {
            _consumer.IncrementalUnassign(_toUnassign.Select(p => new Confluent.Kafka.TopicPartition(p.Topic, p.Partition)));
        }
        catch (KafkaException e)
        {
            _options.Diagnostics?.Invoke($"{_worker.InstanceId}: {e.Error.Reason}"); // gone with a lost assignment already
        }
        _toUnassign.Clear();
    }

    private void Announce()
    {
        if (_toAssign.Count > 0)
        {
            List<Confluent.Kafka.TopicPartition> followers =
                [.. _toAssign.Select(p => new Confluent.Kafka.TopicPartition(p.Topic, p.Partition))];
            _consumer.IncrementalAssign(followers.Zip(Ends(followers), (p, end) => new TopicPartitionOffset(p, end)));
            _toAssign.Clear();
        }
        TopicPartition[] assigned = [.. _toAnnounce];
        _toAnnounce.Clear();
        Pause(assigned);
        _ownership!.Assigned(assigned);
    }

    private void OnGone(List<TopicPartitionOffset> gone, bool lost)
    {
        _fetcher.Forget();
        var ids = gone.Select(p => new TopicPartition(p.Topic, p.Partition.Value)).SelectMany(id => Followers(id).Prepend(id)).ToList();
        _toUnassign.AddRange(ids.Where(id => id.Topic != _worker.Sources[0] && !_toAssign.Remove(id)));
        if (lost) TellLost(ids);
        else TellRevoked(ids);
    }

    private void TellRevoked(List<TopicPartition> gone) => Tell(gone, told => _ownership?.Revoked(told));

    private void TellLost(List<TopicPartition> gone) => Tell(gone, told => _ownership?.Lost(told));

    /// <summary>The owner is told of those that it has been told to own.</summary>
    private void Tell(List<TopicPartition> gone, Action<IReadOnlyList<TopicPartition>> owner)
    {
        var told = gone.Where(id => !_toAnnounce.Remove(id) && _partitions.Find(id) is not null).ToList();
        try
        {
            if (told.Count > 0) owner(told);
        }
        catch (Exception e)
        {
            _thrown = ExceptionDispatchInfo.Capture(e); // it can't pass through librdkafka's frames: Poll or Dispose throws it
        }
        foreach (var id in gone) _partitions.Remove(id);
    }

    private void Fail(LogException error)
    {
        if (IsDead) TellLost();
        else _lasting = null;
        throw error;
    }

    /// <summary>A consumer that died closes without telling anybody.</summary>
    private void TellLost() => TellLost([.. _partitions.All.Select(s => s.Id)]);

    private void OnError(Error error)
    {
        if (error.IsFatal || error.Code == ErrorCode.Local_Fatal)
        {
            IsDead = true;
            _lasting = KafkaErrors.Lasting(ClientHandle.FatalCode(_consumer) ?? error.Code, $"worker {_worker.InstanceId}", error.Reason);
        }
        else if (KafkaErrors.IsLasting(error.Code))
            _lasting = KafkaErrors.Lasting(error.Code, $"worker {_worker.InstanceId}", error.Reason);
        else _options.Diagnostics?.Invoke($"{_worker.InstanceId}: {error.Reason} ({error.Code})");
    }

    private void HandleEvents()
    {
        foreach (var e in _events)
        {
            if (e.Code is ErrorCode.Local_AutoOffsetReset or ErrorCode.OffsetOutOfRange)
            {
                if (e.Partition is { } id && _partitions.Find(id) is { Live: true } state) OnOutOfRange(state);
            }
            else OnError(new Error(e.Code, e.Text));
        }
        _events.Clear();
    }

    private void OnOutOfRange(PartitionState state)
    {
        var (low, high) = _log.Watermarks(state.Id);
        var stale = state.Next >= low && state.Next <= high; // told of a position before our seek: ours is in order
        // librdkafka stops a partition that is out of range for good; only a new assignment starts it again.
        var at = new TopicPartitionOffset(Translate(state), stale ? state.Next : high);
        _consumer.IncrementalUnassign([at.TopicPartition]);
        _consumer.IncrementalAssign([at]);
        if (stale) return;
        Pause([state.Id]);
        _lasting = new OffsetOutOfRangeException(state.Id, state.Next, low, high);
    }

    private void Seek(PartitionState state)
    {
        var to = new TopicPartitionOffset(Translate(state), state.Next);
        for (var wait = new Waiting(_options.RequestTimeout); ;)
        {
            try
            {
                _consumer.Seek(to);
                return;
            }
            catch (KafkaException e) when (e.Error.Code is ErrorCode.Local_State or ErrorCode.Local_PrevInProgress)
            {
                // The assignment is still on its way through librdkafka's own thread.
                if (!wait.Again())
                    throw new LogException($"{state.Id.Topic}[{state.Id.Partition}]: can't be positioned at offset {state.Next}: "
                        + $"{e.Error.Reason}.", e);
            }
        }
    }

    private List<PartitionState> Ours(IReadOnlyList<TopicPartition> partitions) =>
        [.. partitions.Select(_partitions.Find).OfType<PartitionState>()];

    private static long Number(Dictionary<string, string> settings, string name, long standard) =>
        settings.TryGetValue(name, out var text) && long.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var number)
            ? number : standard;

    private static Confluent.Kafka.TopicPartition Translate(PartitionState state) => new(state.Id.Topic, state.Id.Partition);
}
