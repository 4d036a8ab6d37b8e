using Confluent.Kafka;
using StreamEngine.Connectors.Kafka.Native;

namespace StreamEngine.Connectors.Kafka;

/// <summary>
/// A worker's producer without transactions: idempotent, in order, without gaps; what is written is there to be read at once. Offsets are
/// committed through the group once everything before them is acknowledged, so that a crash repeats records and loses none.
/// </summary>
internal sealed class DirectProducer : IOutputProducer
{
    /// <summary>How long one call waits for the log before the loop polls again.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long a small write waits for its first topic, so that the rest is not kept until the next write or the commit. A large one has
    /// another behind it.
    /// </summary>
    private static readonly TimeSpan ShortPatience = TimeSpan.FromMilliseconds(10);

    private const int Small = 64;

    /// <summary>How often in a row an interval is written anew before the process stops and says why it was refused.</summary>
    private const int Tries = 5;

    private readonly KafkaLogOptions _options;
    private readonly WorkerOptions _worker;
    private readonly int[] _partitions;
    private readonly Action<List<TopicPartitionOffset>> _commit;
    private ReportingProducer _producer;
    private NativeSender _sender;

    // The interval's outputs: those of the first topic are sent up to _logged, the others, which follow once these are acknowledged, up to
    // _acted.
    private OutputBuffer? _outputs;
    private int _acted, _logged, _end;

    private readonly List<TopicPartitionOffset> _next = [];   // the offsets to commit
    private string? _failure;   // why something of this interval was not written
    private bool _refused;      // by the log, not by a queue that stayed full
    private int _failures;      // intervals refused since the last commit

    /// <param name="options">The log's.</param>
    /// <param name="worker">The worker's.</param>
    /// <param name="outputPartitions">Partitions by output topic.</param>
    /// <param name="commit">Commits offsets as the group's member; throws what the client throws.</param>
    public DirectProducer(KafkaLogOptions options, WorkerOptions worker, int[] outputPartitions, Action<List<TopicPartitionOffset>> commit)
    {
        (_options, _worker, _partitions, _commit) = (options, worker, outputPartitions, commit);
        (_producer, _sender) = Build();
    }

    public void Begin(IConsumerGroupMetadata group) => _outputs = null;

    public void Write(OutputBuffer outputs, int from, int to)
    {
        if (_outputs is null) _acted = _logged = from;
        (_outputs, _end) = (outputs, to);
        if (IsWritten(TimeSpan.Zero)) Advance();
        if (to - from <= Small && IsWritten(ShortPatience)) Advance();
    }

    public void BeginCommit(ReadOnlySpan<OffsetToCommit> offsets)
    {
        _next.Clear();
        foreach (var o in offsets) _next.Add(new TopicPartitionOffset(_worker.Sources[o.Topic], o.Partition, o.Next));
    }

    public CommitOutcome EndCommit(TimeSpan patience)
    {
        // 1. Everything is acknowledged.
        if (patience < TimeSpan.Zero || patience > Patience) patience = Patience;
        while (IsWritten(patience) && !IsAllSent) Advance();
        if (_failure is not null) return GiveUp();
        if (!IsAllSent || _producer.Outstanding > 0) return CommitOutcome.Waiting;

        // 2. Then the offsets; who is no member any more is told so by the next poll.
        try
        {
            _commit(_next);
            _failures = 0;
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
        (_outputs, _failure, _refused) = (null, null, false);
        Dispose();
        (_producer, _sender) = Build();
    }

    public void Dispose()
    {
        _sender.Dispose();
        _producer.Dispose();
    }

    /// <summary>The interval is written anew by another client. What fails again and again is no accident.</summary>
    private CommitOutcome GiveUp()
    {
        if (_refused && ++_failures == Tries)
            throw new LogException($"worker {_worker.InstanceId}: outputs can't be written, {Tries} times in a row: {_failure}. Nothing is "
                + "lost; they are made again after the next start. Look at the topic and the user's rights.");
        _options.Diagnostics?.Invoke($"{_worker.InstanceId}: outputs since the last commit are written again: {_failure}");
        return CommitOutcome.Fenced;
    }

    /// <summary>Whether everything handed over is acknowledged, after waiting so long at most.</summary>
    private bool IsWritten(TimeSpan patience)
    {
        if (_failure is not null) return false;
        var left = _producer.Flush((int)patience.TotalMilliseconds);
        if (_producer.TakeFailure() is { } failed) (_failure, _refused) = ($"{failed.First} ({failed.Count} records)", true);
        return left == 0 && _failure is null;
    }

    private bool IsAllSent => _outputs is null || _acted == _end;

    /// <summary>Everything sent is acknowledged: sends what rests on it, and of the first topic what came since.</summary>
    private void Advance()
    {
        Send(_outputs!, _acted, _logged, first: false);
        _acted = _logged;
        Send(_outputs!, _logged, _end, first: true);
        _logged = _end;
    }

    private void Send(OutputBuffer outputs, int from, int to, bool first)
    {
        for (var i = from; i < to && _failure is null; i++)
        {
            ref readonly var record = ref outputs[i];
            if (record.Topic == _worker.First != first) continue;
            OutputPartitions.Check(_worker, _partitions, record);
            Send(record.Topic, record.Partition, record.Timestamp, outputs.Key(i), outputs.Value(i), outputs.TraceParentOf(i));
        }
    }

    private void Send(int topic, int partition, long timestamp, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value,
        ReadOnlySpan<byte> traceParent)
    {
        for (var wait = new Waiting(_options.TransactionTimeout); ;)
        {
            var code = _sender.Send(topic, partition, timestamp, key, value, traceParent);
            if (code == ErrorCode.NoError) return;
            var where = $"{_worker.Outputs[topic]}[{partition}]";
            if (KafkaErrors.IsLasting(code))
                throw KafkaErrors.Lasting(code, where, $"a record of {key.Length + value.Length} bytes is refused");
            if (code != ErrorCode.Local_QueueFull || wait.Left == TimeSpan.Zero)
            {
                (_failure, _refused) = ($"{where}: {new Error(code).Reason}", code != ErrorCode.Local_QueueFull);
                return;
            }
            _producer.Poll(100); // the log is slower than we are: this wait is the backpressure
        }
    }

    private (ReportingProducer Producer, NativeSender Sender) Build()
    {
        var settings = KafkaSettings.Producer(_options);
        settings["enable.gapless.guarantee"] = "true";   // a record that can't be written stops the client instead of leaving a gap
        settings["message.timeout.ms"] = "0";            // for as long as it takes: the loop holds back meanwhile
        // nobody flushes before the offsets are due
        if (!_options.Settings.ContainsKey("linger.ms") && !_options.Settings.ContainsKey("producer.linger.ms"))
            settings["linger.ms"] = "1";
        var producer = new ReportingProducer(settings);
        return (producer, new NativeSender(producer.Handle, _worker.Outputs));
    }
}
