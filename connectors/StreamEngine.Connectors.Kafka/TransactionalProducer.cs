using Confluent.Kafka;

namespace StreamEngine.Connectors.Kafka;

/// <summary>
/// A worker's producer: outputs and input offsets in one transaction at a time, and what its failures mean. None of its calls holds the
/// loop longer than its limit and a grace (<see cref="ProducerClient"/>): a client whose call stays away is as good as fenced, and the new
/// one ends its transaction at the broker.
/// </summary>
internal sealed class TransactionalProducer : IOutputProducer
{
    /// <summary>How long a call of taking over waits: so soon a stop is heard.</summary>
    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(1);

    private readonly KafkaLogOptions _options;
    private readonly WorkerOptions _worker;
    private readonly int[] _partitions;
    private readonly Action? _ended;
    private readonly Func<Action<Error>, IProducer<byte[], byte[]>> _open;
    private ProducerClient _client;
    private IConsumerGroupMetadata? _group;
    private Error? _failed;
    private bool _inTransaction;
    private Task<CommitOutcome>? _commit;   // beside the loop, which keeps off this producer until it has ended

    /// <param name="options">How to reach the cluster.</param>
    /// <param name="worker">Whose producer it is.</param>
    /// <param name="outputPartitions">Partitions of each output.</param>
    /// <param name="ended">Told, from any thread, that a commit has ended.</param>
    /// <param name="open">Makes the client; null for a real one.</param>
    public TransactionalProducer(KafkaLogOptions options, WorkerOptions worker, int[] outputPartitions, Action? ended = null,
        Func<Action<Error>, IProducer<byte[], byte[]>>? open = null)
    {
        (_options, _worker, _partitions, _ended, _open) = (options, worker, outputPartitions, ended, open ?? Open);
        _client = Build();
    }

    /// <summary>How long a transaction's call is tried for.</summary>
    private TimeSpan Limit => _options.TransactionTimeout * 2;

    public void Begin(IConsumerGroupMetadata group)
    {
        _group = group;
        _failed = null;
        _inTransaction = true;
        // a failure is told by the commit, which is where the caller looks for outcomes
        _ = Try((producer, _) => producer.BeginTransaction());
    }

    public void Write(OutputBuffer outputs, int from, int to)
    {
        for (var i = from; i < to && _failed is null; i++)
        {
            ref readonly var record = ref outputs[i];
            OutputPartitions.Check(_worker, _partitions, record);
            Write(record.Topic, record.Partition, record.Timestamp, outputs.Key(i), outputs.Value(i), outputs.TraceParentOf(i));
        }
    }

    public void BeginCommit(ReadOnlySpan<OffsetToCommit> offsets)
    {
        if (offsets.IsEmpty) throw new ArgumentException("A transaction without offsets is not fenced.", nameof(offsets));
        var next = new List<TopicPartitionOffset>(offsets.Length);
        foreach (var o in offsets) next.Add(new TopicPartitionOffset(_worker.Sources[o.Topic], o.Partition, o.Next));
        _commit = Task.Run(() => Commit(next));
        // Behind its end, not within it: who is woken must find it ended.
        if (_ended is { } ended) _commit.ContinueWith(_ => ended(), TaskScheduler.Default);
    }

    public CommitOutcome EndCommit(TimeSpan patience)
    {
        var commit = _commit ?? throw new InvalidOperationException("No commit has begun.");
        if (Task.WaitAny([commit], patience) < 0) return CommitOutcome.Waiting;
        _commit = null;
        return commit.GetAwaiter().GetResult();
    }

    private CommitOutcome Commit(List<TopicPartitionOffset> next)
    {
        if (_failed is not null) return Abort();

        // 1. Offsets. Until this is done nothing can have been committed.
        switch (Try((producer, left) => producer.SendOffsetsToTransaction(next, _group, left)))
        {
            case Fate.Fatal or Fate.Stuck: return Close(CommitOutcome.Fenced);
            // librdkafka may go on asking a coordinator that is none any more, after a broker's restart: this producer would time out again
            // and again, while a new one looks for the coordinator anew. The abort comes first: a transaction that its successor has to end
            // may be committed with the successor's by a single Kafka 4.3 broker that was killed (seen once; README says more).
            case Fate.TimedOut:
            case Fate.Abort when _failed!.Code == ErrorCode.Local_TimedOut:
                Abort();
                return Close(CommitOutcome.Fenced);
            case Fate.Abort: return Abort();
        }

        // 2. Flush and commit. A fatal answer may come to the retry of a commit that was done: then nobody knows.
        return Try((producer, left) => producer.CommitTransaction(left)) switch
        {
            Fate.Done => Close(CommitOutcome.Committed),
            Fate.Abort => Abort(),
            _ => Close(CommitOutcome.Unknown),
        };
    }

    /// <summary>
    /// Aborts. Where even that fails, the outcome is <see cref="CommitOutcome.Fenced"/>: nothing is committed, and the producer must be
    /// rebuilt.
    /// </summary>
    public CommitOutcome Abort()
    {
        if (_client.Lasting is { } lasting) throw KafkaErrors.Lasting(lasting.Code, $"worker {_worker.InstanceId}", lasting.Reason);
        if (!_inTransaction) return CommitOutcome.Aborted;
        var fate = Try((producer, left) => producer.AbortTransaction(left));
        if (fate == Fate.Fatal && _failed!.Code == ErrorCode.InvalidTxnState)
        {
            // librdkafka dies of an abort that overtakes the request which opens the transaction at the broker (its issue 4849): nobody
            // fenced us, and a new producer ends the transaction.
            Rebuild();
            return CommitOutcome.Aborted;
        }
        return Close(fate == Fate.Done ? CommitOutcome.Aborted : CommitOutcome.Fenced);
    }

    public void Rebuild()
    {
        _client.Dispose(); // the old one's last requests come before the new one's first, unless it is stuck
        _client = Build();
        _inTransaction = false;
        _failed = null;
    }

    /// <summary>A commit that is under way is waited for, but no longer than the client's own end.</summary>
    public void Dispose()
    {
        if (_commit is { } commit) Task.WaitAny([commit], _options.CallGrace);
        _client.Dispose();
    }

    private enum Fate
    {
        Done,
        Abort,
        Fatal,
        TimedOut,
        Stuck,
    }

    private CommitOutcome Close(CommitOutcome outcome)
    {
        _inTransaction = false;
        if (outcome != CommitOutcome.Committed && _failed is { } error)
            _options.Diagnostics?.Invoke($"{_worker.InstanceId}: transaction {outcome}: {error.Reason} ({error.Code})");
        return outcome;
    }

    /// <summary>
    /// Calls until it is done or has failed for good; a retriable failure is tried again while a live transaction could still be in time.
    /// </summary>
    private Fate Try(Action<IProducer<byte[], byte[]>, TimeSpan> call)
    {
        for (var wait = new Waiting(Limit); ;)
        {
            try
            {
                var left = wait.Left;
                if (_client.Call(producer => call(producer, left), left)) return Fate.Done;
                _failed = new Error(ErrorCode.Local_TimedOut, "a call of the client did not come back");
                return Fate.Stuck;
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
        if (KafkaErrors.IsLasting(error.Code) && error.Code != ErrorCode.FencedInstanceId) _client.Lasting = error;
    }

    private void Write(int topic, int partition, long timestamp, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value,
        ReadOnlySpan<byte> traceParent)
    {
        Waiting? full = null;
        while (true)
        {
            var code = _client.Sender.Send(topic, partition, timestamp, key, value, traceParent);
            if (code == ErrorCode.NoError) return;
            if (code == ErrorCode.Local_QueueFull)
            {
                // The log is slower than we are: this wait is the backpressure. A queue that stays full for longer than a transaction can
                // live is the commit's to tell.
                full ??= new Waiting(Limit);
                if (full.Value.Left > TimeSpan.Zero)
                {
                    _client.Sender.Drain(100);
                    continue;
                }
            }
            if (KafkaErrors.IsLasting(code))
                throw KafkaErrors.Lasting(code, $"{_worker.Outputs[topic]}[{partition}]",
                    $"a record of {key.Length + value.Length} bytes is refused");
            _failed = new Error(code);
            return;
        }
    }

    /// <summary>A client that has taken the transactional id over.</summary>
    private ProducerClient Build()
    {
        for (var wait = new Waiting(_options.Patience, _options.Stop); ;)
        {
            var client = new ProducerClient(_worker.InstanceId, _options, _worker.Outputs, _open);
            try
            {
                if (Init(client, wait)) return client;
            }
            catch
            {
                client.Abandon();
                throw;
            }
            client.Abandon(); // stuck: another one may get through
            if (!wait.Again()) throw NotTakenOver("the client does not come back from its call", null);
        }
    }

    private IProducer<byte[], byte[]> Open(Action<Error> onError)
    {
        var settings = KafkaSettings.Producer(_options);
        settings["transactional.id"] = _worker.InstanceId;
        settings["transaction.timeout.ms"] = $"{(long)_options.TransactionTimeout.TotalMilliseconds}";
        // a commit fails when a record of it did: no report per record is needed
        settings["dotnet.producer.enable.delivery.reports"] = "false";
        return Clients.Make(new ProducerBuilder<byte[], byte[]>(settings)
            .SetLogHandler((_, line) => ClientLog.Tell(_options, line))
            .SetErrorHandler((_, error) => onError(error))
            .Build);
    }

    /// <summary>
    /// Takes the transactional id over; the broker first ends what a predecessor left open, and a cluster that is away is waited for.
    /// </summary>
    /// <returns>False when the client is stuck.</returns>
    private bool Init(ProducerClient client, Waiting wait)
    {
        while (true)
        {
            try
            {
                return client.Call(producer => producer.InitTransactions(Slice), Slice); // goes on where the one before ended
            }
            catch (KafkaException e) when (!e.Error.IsFatal && !KafkaErrors.IsLasting(e.Error.Code))
            {
                _options.Diagnostics?.Invoke($"{_worker.InstanceId}: waiting to take over the transactional id: {e.Error.Reason}");
                if (!wait.Again()) throw NotTakenOver(e.Error.Reason, e);
            }
            catch (KafkaException e)
            {
                throw KafkaErrors.Lasting(e.Error.Code, $"worker {_worker.InstanceId}", e.Error.Reason, e);
            }
        }
    }

    private LogException NotTakenOver(string reason, Exception? inner) =>
        new($"worker {_worker.InstanceId}: the transactional id can't be taken over within {_options.Patience.TotalSeconds:0} s: {reason}. "
            + "Check that the cluster is up and has enough replicas in sync.", inner);
}
