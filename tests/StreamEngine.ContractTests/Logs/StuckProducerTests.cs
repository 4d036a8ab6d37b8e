using System.Diagnostics;
using System.Reflection;
using Confluent.Kafka;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Kafka;
using Xunit;

namespace StreamEngine.ContractTests.Logs;

/// <summary>Native calls that do not come back: no broker makes them at will, so the client is a double.</summary>
public sealed class StuckProducerTests : IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);
    private readonly List<FakeProducer> _clients = [];
    private readonly List<string> _told = [];
    private readonly ManualResetEventSlim _back = new();
    private readonly TransactionalProducer _producer;
    private string _stuck = "";
    private volatile bool _away;
    private KafkaException? _refused;   // what sending the offsets throws

    public StuckProducerTests()
    {
        var options = new KafkaLogOptions
        {
            Bootstrap = "none",
            TransactionTimeout = TimeSpan.FromMilliseconds(100),
            CallGrace = TimeSpan.FromMilliseconds(200),
            Diagnostics = Tell
        };
        _producer = new TransactionalProducer(options,
            new WorkerOptions { Group = "g", InstanceId = "g-a-0", Sources = ["in"], Outputs = ["out"] }, [1], open: _ => Open());
    }

    [Theory]
    [InlineData(nameof(IProducer<,>.BeginTransaction), CommitOutcome.Fenced)]
    [InlineData(nameof(IProducer<,>.SendOffsetsToTransaction), CommitOutcome.Fenced)]
    [InlineData(nameof(IProducer<,>.CommitTransaction), CommitOutcome.Unknown)]
    public void A_commit_whose_call_stays_away_lets_the_loop_go(string call, CommitOutcome expected)
    {
        _stuck = call;
        var started = Stopwatch.StartNew();
        _producer.Begin(null!);
        Assert.Equal(expected, Commit());
        Assert.True(started.Elapsed < Soon, $"the loop was held for {started.Elapsed}");
        if (expected == CommitOutcome.Fenced) Assert.DoesNotContain(nameof(IProducer<,>.CommitTransaction), _clients[0].Calls);
        GoesOn();
    }

    /// <summary>
    /// After a broker's restart a client may ask its old coordinator for ever. It is told by a time-out of the offsets, for which the
    /// broker would have given the transaction up as well.
    /// </summary>
    [Theory]
    [InlineData(ErrorCode.Local_TimedOut, true, CommitOutcome.Fenced)]
    [InlineData(ErrorCode.Local_TimedOut, false, CommitOutcome.Fenced)]
    [InlineData(ErrorCode.UnknownMemberId, true, CommitOutcome.Aborted)]
    public void Offsets_that_time_out_cost_the_producer_and_other_refusals_the_transaction(ErrorCode code, bool abort,
        CommitOutcome expected)
    {
        var error = new Error(code);
        _refused = abort ? new KafkaTxnRequiresAbortException(error) : new KafkaRetriableException(error);
        _producer.Begin(null!);
        Assert.Equal(expected, Commit());
        // The transaction is ended in order whatever follows.
        Assert.Contains(nameof(IProducer<,>.AbortTransaction), _clients[0].Calls);

        _refused = null;
        if (expected == CommitOutcome.Fenced) _producer.Rebuild();
        _producer.Begin(null!);
        Assert.Equal(CommitOutcome.Committed, Commit());
    }

    private CommitOutcome Commit()
    {
        _producer.BeginCommit([new OffsetToCommit(0, 0, 1)]);
        return _producer.EndCommit(Timeout.InfiniteTimeSpan);
    }

    [Fact]
    public void An_abort_that_stays_away_is_as_good_as_fenced()
    {
        _producer.Begin(null!);
        _stuck = nameof(IProducer<,>.AbortTransaction);
        Assert.Equal(CommitOutcome.Fenced, _producer.Abort());
        GoesOn();
    }

    [Fact]
    public void The_process_can_end_while_a_call_is_away()
    {
        _producer.Begin(null!);
        _stuck = nameof(IProducer<,>.AbortTransaction);
        _producer.Abort();
        var started = Stopwatch.StartNew();
        _producer.Dispose();
        Assert.True(started.Elapsed < Soon, $"closing took {started.Elapsed}");
        Assert.False(_clients[0].IsClosed);
    }

    [Fact]
    public void A_client_that_is_closed_slowly_does_not_hold_its_successor()
    {
        _stuck = nameof(IDisposable.Dispose);
        var started = Stopwatch.StartNew();
        _producer.Rebuild();
        Assert.True(started.Elapsed < Soon, $"the rebuild took {started.Elapsed}");
        Assert.Equal(2, _clients.Count);
    }

    [Fact]
    public async Task A_take_over_that_stays_away_is_tried_again_with_another_client()
    {
        _stuck = nameof(IProducer<,>.InitTransactions);
        var rebuilt = Task.Run(_producer.Rebuild);
        Until(() => _clients.Count == 2 && _clients[1].Calls.Contains(_stuck));
        _stuck = "";
        await rebuilt.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(3, _clients.Count);
    }

    [Fact]
    public async Task A_take_over_waits_for_a_cluster_that_is_away_for_as_long_as_it_takes_and_hears_a_stop()
    {
        using var stop = new CancellationTokenSource();
        var options = new KafkaLogOptions { Bootstrap = "none", Patience = Timeout.InfiniteTimeSpan, Stop = stop.Token };
        using var producer = new TransactionalProducer(options,
            new WorkerOptions { Group = "g", InstanceId = "g-a-0", Sources = ["in"], Outputs = ["out"] }, [1], open: _ => Open());
        _away = true;
        var rebuilt = Task.Run(producer.Rebuild);
        Until(() => _clients[^1].Calls.Count > 8);
        Assert.False(rebuilt.IsCompleted);
        _away = false;
        await rebuilt.WaitAsync(Soon);

        _away = true;
        rebuilt = Task.Run(producer.Rebuild);
        Until(() => _clients[^1].Calls.Count > 2);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => rebuilt.WaitAsync(Soon));
    }

    public void Dispose()
    {
        _back.Set();
        _producer.Dispose();
    }

    /// <summary>The successor works; the client that was given up is closed, once its call is back and not before.</summary>
    private void GoesOn()
    {
        _stuck = "";
        _producer.Rebuild();
        _producer.Begin(null!);
        Assert.Equal(CommitOutcome.Committed, Commit());
        Assert.Contains(_told, line => line.Contains("g-a-0: a call of the producer is not back", StringComparison.Ordinal));
        Assert.False(_clients[0].IsClosed);
        _back.Set();
        Until(() => _clients[0].IsClosed && _told.Exists(line => line.Contains("came back", StringComparison.Ordinal)));
        Assert.False(_clients[1].IsClosed);
    }

    private IProducer<byte[], byte[]> Open()
    {
        var producer = DispatchProxy.Create<IProducer<byte[], byte[]>, FakeProducer>();
        var fake = (FakeProducer)producer;
        fake.Called = name =>
        {
            if (name == _stuck) _back.Wait();
            if (_refused is { } refused && name == nameof(IProducer<,>.SendOffsetsToTransaction)) throw refused;
            if (_away && name == nameof(IProducer<,>.InitTransactions))
                throw new KafkaRetriableException(new Error(ErrorCode.Local_TimedOut));
        };
        _clients.Add(fake);
        return producer;
    }

    private void Tell(string line)
    {
        lock (_told) _told.Add(line);
    }

    private static void Until(Func<bool> holds) => Assert.True(SpinWait.SpinUntil(holds, Soon));

    /// <summary>A client that does nothing, and notes it.</summary>
    public class FakeProducer : DispatchProxy
    {
        private readonly List<string> _calls = [];

        /// <summary>Called inside each call.</summary>
        public Action<string>? Called { get; set; }

        /// <summary>What was called, in order.</summary>
        public IReadOnlyList<string> Calls
        {
            get
            {
                lock (_calls) return [.. _calls];
            }
        }

        public bool IsClosed { get; private set; }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            lock (_calls) _calls.Add(targetMethod!.Name);
            Called!(targetMethod.Name);
            if (targetMethod.Name == nameof(IDisposable.Dispose)) IsClosed = true;
            return targetMethod.ReturnType.IsValueType && targetMethod.ReturnType != typeof(void)
                ? Activator.CreateInstance(targetMethod.ReturnType) : null;
        }
    }
}
