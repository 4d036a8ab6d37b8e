using Confluent.Kafka;

namespace StreamEngine.Connectors.Kafka;

/// <summary>A worker's producer: outputs and input offsets in one transaction at a time, and what its failures mean.</summary>
internal sealed class TransactionalProducer : IOutputProducer
{
    private readonly KafkaLogOptions _options;
    private readonly WorkerOptions _worker;
    private readonly int[] _partitions;
    private IProducer<byte[], byte[]> _producer;
    private IRecordSender _sender;
    private IConsumerGroupMetadata? _group;
    private Error? _failed;
    private bool _open;

    /// <summary>The last error that waiting does not cure, seen by the client on its own thread.</summary>
    private volatile Error? _lasting;

    public TransactionalProducer(KafkaLogOptions options, WorkerOptions worker, int[] outputPartitions)
    {
        (_options, _worker, _partitions) = (options, worker, outputPartitions);
        (_producer, _sender) = Build();
    }

    public void Begin(IConsumerGroupMetadata group)
    {
        _group = group;
        _failed = null;
        _open = true;
        try
        {
            _producer.BeginTransaction();
        }
        catch (KafkaException e)
        {
            _failed = e.Error; // told by the commit, which is where the caller looks for outcomes
        }
    }

    public void Write(OutputBuffer outputs, int from, int to)
    {
        for (var i = from; i < to && _failed is null; i++)
        {
            ref readonly var record = ref outputs[i];
            if ((uint)record.Partition >= (uint)_partitions[record.Topic])
                throw new LogException($"{_worker.Outputs[record.Topic]}[{record.Partition}]: the topic has only {_partitions[record.Topic]} partitions. Create it with as many as the events topic.");
            Write(record.Topic, record.Partition, record.Timestamp, outputs.Key(i), outputs.Value(i));
        }
    }

    public CommitOutcome Commit(ReadOnlySpan<OffsetToCommit> offsets)
    {
        if (offsets.IsEmpty) throw new ArgumentException("A transaction without offsets is not fenced.", nameof(offsets));
        if (_failed is not null) return Abort();
        var next = new List<TopicPartitionOffset>(offsets.Length);
        foreach (var o in offsets) next.Add(new TopicPartitionOffset(_worker.Sources[o.Topic], o.Partition, o.Next));

        // 1. Offsets. Until this is done nothing can have been committed.
        switch (Try(left => _producer.SendOffsetsToTransaction(next, _group, left)))
        {
            case Fate.Fatal: return Close(CommitOutcome.Fenced);
            case Fate.Abort or Fate.TimedOut: return Abort();
        }

        // 2. Flush and commit. A fatal answer may come to the retry of a commit that was done: then nobody knows.
        return Try(_producer.CommitTransaction) switch
        {
            Fate.Done => Close(CommitOutcome.Committed),
            Fate.Abort => Abort(),
            _ => Close(CommitOutcome.Unknown),
        };
    }

    /// <summary>Aborts. Where even that fails, the outcome is <see cref="CommitOutcome.Fenced"/>: nothing is committed, and the producer must be rebuilt.</summary>
    public CommitOutcome Abort()
    {
        if (_lasting is { } lasting) throw KafkaErrors.Lasting(lasting.Code, $"worker {_worker.InstanceId}", lasting.Reason);
        if (!_open) return CommitOutcome.Aborted;
        var fate = Try(_producer.AbortTransaction);
        if (fate == Fate.Fatal && _failed!.Code == ErrorCode.InvalidTxnState)
        {
            // librdkafka dies of an abort that overtakes the request which opens the transaction at the broker (its issue 4849): nobody fenced us, and a new producer ends the transaction.
            Rebuild();
            return CommitOutcome.Aborted;
        }
        return Close(fate == Fate.Done ? CommitOutcome.Aborted : CommitOutcome.Fenced);
    }

    public void Rebuild()
    {
        Dispose();
        (_producer, _sender) = Build();
        _open = false;
        _failed = null;
    }

    public void Dispose()
    {
        _sender.Dispose();
        _producer.Dispose();
    }

    private enum Fate
    {
        Done,
        Abort,
        Fatal,
        TimedOut,
    }

    private CommitOutcome Close(CommitOutcome outcome)
    {
        _open = false;
        if (outcome != CommitOutcome.Committed && _failed is { } error) _options.Diagnostics?.Invoke($"{_worker.InstanceId}: transaction {outcome}: {error.Reason} ({error.Code})");
        return outcome;
    }

    /// <summary>Calls until it is done or has failed for good; a retriable failure is tried again while a live transaction could still be in time.</summary>
    private Fate Try(Action<TimeSpan> call)
    {
        for (var wait = new Waiting(_options.TransactionTimeout * 2); ;)
        {
            try
            {
                call(wait.Left);
                return Fate.Done;
            }
            catch (KafkaRetriableException e)
            {
                _failed = e.Error;
                if (!wait.Again()) return Fate.TimedOut;
            }
            catch (KafkaTxnRequiresAbortException e)
            {
                Note(e.Error);
                return Fate.Abort;
            }
            catch (KafkaException e)
            {
                Note(e.Error);
                return Fate.Fatal;
            }
        }
    }

    private void Note(Error error)
    {
        _failed = error;
        if (KafkaErrors.IsLasting(error.Code) && error.Code != ErrorCode.FencedInstanceId) _lasting = error;
    }

    private void Write(int topic, int partition, long timestamp, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        while (true)
        {
            var code = _sender.Send(topic, partition, timestamp, key, value);
            if (code == ErrorCode.NoError) return;
            if (code == ErrorCode.Local_QueueFull)
            {
                _sender.Drain(100); // the log is slower than we are: this wait is the backpressure
                continue;
            }
            if (KafkaErrors.IsLasting(code))
                throw KafkaErrors.Lasting(code, $"{_worker.Outputs[topic]}[{partition}]", $"a record of {key.Length + value.Length} bytes is refused");
            _failed = new Error(code);
            return;
        }
    }

    private (IProducer<byte[], byte[]> Producer, IRecordSender Sender) Build()
    {
        var settings = KafkaSettings.Producer(_options);
        settings["transactional.id"] = _worker.InstanceId;
        settings["transaction.timeout.ms"] = $"{(long)_options.TransactionTimeout.TotalMilliseconds}";
        settings["dotnet.producer.enable.delivery.reports"] = "false"; // a commit fails when a record of it did: no report per record is needed
        _lasting = null;
        var producer = new ProducerBuilder<byte[], byte[]>(settings)
            .SetLogHandler((_, line) => ClientLog.Tell(_options, line))
            .SetErrorHandler((_, error) => OnError(error))
            .Build();
        try
        {
            Init(producer);
            return (producer, RecordSender.For(producer, _worker.Outputs, _options));
        }
        catch
        {
            producer.Dispose();
            throw;
        }
    }

    /// <summary>Takes the transactional id over; the broker first ends what a predecessor left open, and a cluster that is away is waited for.</summary>
    private void Init(IProducer<byte[], byte[]> producer)
    {
        for (var wait = new Waiting(_options.Patience); ;)
        {
            try
            {
                producer.InitTransactions(TimeSpan.FromSeconds(10));
                return;
            }
            catch (KafkaException e) when (!e.Error.IsFatal && !KafkaErrors.IsLasting(e.Error.Code))
            {
                _options.Diagnostics?.Invoke($"{_worker.InstanceId}: waiting to take over the transactional id: {e.Error.Reason}");
                if (!wait.Again()) throw new LogException($"worker {_worker.InstanceId}: the transactional id can't be taken over within {_options.Patience.TotalSeconds:0} s: {e.Error.Reason}. Check that the cluster is up and has enough replicas in sync.", e);
            }
            catch (KafkaException e)
            {
                throw KafkaErrors.Lasting(e.Error.Code, $"worker {_worker.InstanceId}", e.Error.Reason, e);
            }
        }
    }

    private void OnError(Error error)
    {
        if (KafkaErrors.IsLasting(error.Code)) _lasting = error;
        else _options.Diagnostics?.Invoke($"{_worker.InstanceId}: {error.Reason} ({error.Code})");
    }
}
