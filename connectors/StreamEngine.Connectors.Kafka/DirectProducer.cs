using Confluent.Kafka;

namespace StreamEngine.Connectors.Kafka;

/// <summary>
/// A worker's producer without transactions: idempotent, in order, without gaps; what is written is there to be read at once. Offsets are committed through the group once
/// everything before them is acknowledged, so that a crash repeats records and loses none.
/// </summary>
internal sealed class DirectProducer : IOutputProducer
{
    /// <summary>How long one call waits for the log before the loop polls again.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>How long a write waits for its first topic; the rest follows with the next write or the commit.</summary>
    private static readonly TimeSpan ShortPatience = TimeSpan.FromMilliseconds(10);

    private readonly KafkaLogOptions _options;
    private readonly WorkerOptions _worker;
    private readonly int[] _partitions;
    private readonly Action<List<TopicPartitionOffset>> _commit;
    private ProducerClient _client;

    /// <summary>Outputs that wait until those of the first topic are acknowledged.</summary>
    private (OutputBuffer? Outputs, int From, int To) _held;

    /// <summary>What the client, on its own thread, can't get over.</summary>
    private volatile Error? _fatal;

    /// <param name="options">The log's.</param>
    /// <param name="worker">The worker's.</param>
    /// <param name="outputPartitions">Partitions by output topic.</param>
    /// <param name="commit">Commits offsets as the group's member; throws what the client throws.</param>
    public DirectProducer(KafkaLogOptions options, WorkerOptions worker, int[] outputPartitions, Action<List<TopicPartitionOffset>> commit)
    {
        (_options, _worker, _partitions, _commit) = (options, worker, outputPartitions, commit);
        _client = Build();
    }

    public void Begin(IConsumerGroupMetadata group)
    {
    }

    public void Write(OutputBuffer outputs, int from, int to)
    {
        // 1. What the others rest on.
        Send(outputs, from, to, first: true);
        _held = (outputs, _held.Outputs is null ? from : _held.From, to);

        // 2. The others, once that is acknowledged.
        if (_fatal is null && Flush(ShortPatience) == 0) Release();
    }

    private void Release()
    {
        if (_held.Outputs is { } outputs) Send(outputs, _held.From, _held.To, first: false);
        _held = default;
    }

    private void Send(OutputBuffer outputs, int from, int to, bool first)
    {
        for (var i = from; i < to && _fatal is null; i++)
        {
            ref readonly var record = ref outputs[i];
            if (record.Topic == _worker.First != first) continue;
            OutputPartitions.Check(_worker, _partitions, record);
            Write(record.Topic, record.Partition, record.Timestamp, outputs.Key(i), outputs.Value(i));
        }
    }

    public CommitOutcome Commit(ReadOnlySpan<OffsetToCommit> offsets)
    {
        // 1. Everything that was written is acknowledged.
        var left = _fatal is null ? Flush(Patience) : 0;
        if (left == 0 && _held.Outputs is not null)
        {
            Release();
            left = _fatal is null ? Flush(Patience) : 0;
        }
        if (_client.Lasting is { } lasting) throw KafkaErrors.Lasting(lasting.Code, $"worker {_worker.InstanceId}", lasting.Reason);
        if (_client.IsStuck) return CommitOutcome.Fenced;
        if (_fatal is { } fatal)
        {
            _options.Diagnostics?.Invoke($"{_worker.InstanceId}: {fatal.Reason} ({fatal.Code}): outputs since the last commit are written again");
            return CommitOutcome.Fenced;
        }
        if (left > 0) return CommitOutcome.Waiting;

        // 2. Then the offsets; who is no member any more is told so by the next poll.
        var next = new List<TopicPartitionOffset>(offsets.Length);
        foreach (var o in offsets) next.Add(new TopicPartitionOffset(_worker.Sources[o.Topic], o.Partition, o.Next));
        try
        {
            _commit(next);
            return CommitOutcome.Committed;
        }
        catch (KafkaException e) when (!KafkaErrors.IsLasting(e.Error.Code) || e.Error.Code == ErrorCode.FencedInstanceId)
        {
            _options.Diagnostics?.Invoke($"{_worker.InstanceId}: offsets are not committed yet: {e.Error.Reason} ({e.Error.Code})");
            return CommitOutcome.Waiting;
        }
        catch (KafkaException e)
        {
            throw KafkaErrors.Lasting(e.Error.Code, $"worker {_worker.InstanceId}", e.Error.Reason, e);
        }
    }

    /// <summary>What is queued and not sent yet never will be.</summary>
    public CommitOutcome Abort()
    {
        Rebuild();
        return CommitOutcome.Aborted;
    }

    public void Rebuild()
    {
        _held = default;
        Dispose();
        _client = Build();
    }

    public void Dispose() => _client.Dispose();

    /// <summary>Waits so long for what was written; how much is not acknowledged yet.</summary>
    private int Flush(TimeSpan patience)
    {
        var left = 1;
        _ = _client.Call(producer => left = producer.Flush(patience), patience);
        return left;
    }

    private void Write(int topic, int partition, long timestamp, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        while (_fatal is null)
        {
            var code = _client.Sender.Send(topic, partition, timestamp, key, value);
            if (code == ErrorCode.NoError) return;
            if (code == ErrorCode.Local_Fatal) return; // the commit tells
            if (code != ErrorCode.Local_QueueFull) throw KafkaErrors.Lasting(code, $"{_worker.Outputs[topic]}[{partition}]", $"a record of {key.Length + value.Length} bytes is refused");
            _client.Sender.Drain(100); // the log is slower than we are: this wait is the backpressure
        }
    }

    private ProducerClient Build()
    {
        _fatal = null;
        return new ProducerClient(_worker.InstanceId, _options, _worker.Outputs, Open);
    }

    private IProducer<byte[], byte[]> Open(Action<Error> onError)
    {
        var settings = KafkaSettings.Producer(_options);
        settings["enable.gapless.guarantee"] = "true";   // a record that can't be written stops the client instead of leaving a gap
        settings["message.timeout.ms"] = "0";            // for as long as it takes: the loop holds back meanwhile
        settings["dotnet.producer.enable.delivery.reports"] = "false";
        if (!_options.Settings.ContainsKey("linger.ms") && !_options.Settings.ContainsKey("producer.linger.ms")) settings["linger.ms"] = "1"; // nobody flushes before the offsets are due
        return new ProducerBuilder<byte[], byte[]>(settings)
            .SetLogHandler((_, line) => ClientLog.Tell(_options, line))
            .SetErrorHandler((_, error) =>
            {
                if (error.IsFatal || error.Code == ErrorCode.Local_Fatal) _fatal = error;
                onError(error);
            })
            .Build();
    }
}
