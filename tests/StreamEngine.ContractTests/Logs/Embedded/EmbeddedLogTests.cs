using System.Collections.Concurrent;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Embedded;
using Xunit;

namespace StreamEngine.ContractTests.Logs.Embedded;

/// <summary>What only the embedded log promises: restarts, one process, its own limits, threads.</summary>
public sealed class EmbeddedLogTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    private EmbeddedLogOptions Options => new(_directory.Path);

    [Fact]
    public void A_restart_keeps_topics_records_and_offsets()
    {
        using (var log = new EmbeddedLog(Options))
        {
            log.CreateTopics([new TopicSpec("in", 3), new TopicSpec("out", 2)]);
            Fill(log, "in", 1_000);
            using var worker = Join(log, "w");
            worker.Log.Begin();
            worker.Log.Commit([new OffsetToCommit(0, 1, 17)]);
        }
        for (var round = 0; round < 3; round++)
        {
            using var log = new EmbeddedLog(Options);
            Assert.Equal([("in", 3, 1_000L + round), ("out", 2, 0L)], log.ListTopics().Select(t => (t.Name, t.Partitions, t.Records)));
            Assert.Equal(17, log.Committed("g", new TopicPartition("in", 1)));
            Assert.Null(log.Committed("g", new TopicPartition("in", 0)));
            Fill(log, "in", 1);
        }
    }

    [Fact]
    public void A_second_open_is_refused_and_says_why()
    {
        using (new EmbeddedLog(Options))
        {
            var error = Assert.Throws<LogException>(() => new EmbeddedLog(Options));
            Assert.Contains("another process", error.Message, StringComparison.Ordinal);
        }
        new EmbeddedLog(Options).Dispose();
    }

    [Fact]
    public void Who_shares_a_log_sees_offsets_and_the_end_and_runs_no_engine()
    {
        using var owner = EmbeddedLog.OpenShared(Options, asOwner: true);
        using var other = EmbeddedLog.OpenShared(Options);
        Assert.IsNotType<EmbeddedLog>(other);
        owner.CreateTopics([new TopicSpec("in", 2)]);
        using (var worker = Join((EmbeddedLog)owner, "w"))
        {
            worker.Log.Begin();
            worker.Log.Commit([new OffsetToCommit(0, 1, 17)]);
        }
        Assert.Equal(17, other.Committed("g", new TopicPartition("in", 1)));
        Assert.Null(other.Committed("g", new TopicPartition("in", 0)));
        using var reader = other.OpenReader();
        reader.Assign(new TopicPartition("in", 0), 5);
        var beyond = Assert.Throws<OffsetOutOfRangeException>(() => reader.Read(new RecordBatch(), 1, TimeSpan.Zero));
        Assert.Equal((5, 0, 0), (beyond.Wanted, beyond.Low, beyond.High));
        foreach (var refused in new Action[] { () => other.OpenWorker(new WorkerOptions { Group = "g", InstanceId = "x", Sources = [],
            Outputs = [] }), () => EmbeddedLog.OpenShared(Options, asOwner: true) })
            Assert.Contains($"open in process {Environment.ProcessId}", Assert.ThrowsAny<LogException>(refused).Message,
                StringComparison.Ordinal);
        Assert.Equal(2, other.Partitions("in"));
        owner.Dispose();
        Assert.Contains("has ended", Assert.Throws<LogException>(() => other.Partitions("in")).Message, StringComparison.Ordinal);
        Assert.Null(EmbeddedLog.TryShare(Options));
    }

    [Fact]
    public void What_a_stranger_says_ends_its_connection_and_nothing_else()
    {
        using var owner = EmbeddedLog.OpenShared(Options);
        foreach (var bytes in new byte[][] { [255], [1, 255, 255, 255, 255], [6, 255, 255, 255, 127, 1, 0x41, 255, 255, 255, 255] })
        {
            using var socket = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix,
                System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
            socket.Connect(new System.Net.Sockets.UnixDomainSocketEndPoint(Path.Combine(_directory.Path, "socket")));
            socket.Send(bytes);
            var answer = new byte[64];
            while (socket.Receive(answer) > 0) { } // until it is closed
        }
        using var other = EmbeddedLog.OpenShared(Options);
        Assert.Equal(0, other.Partitions("in"));
    }

    [Fact]
    public void A_record_larger_than_a_page_is_refused_and_the_log_goes_on()
    {
        using var log = new EmbeddedLog(Options with { PageBytes = 64 << 10, WriteMemoryBytes = 256 << 10 });
        log.CreateTopics([new TopicSpec("in", 1), new TopicSpec("out", 1)]);
        using var writer = log.OpenWriter();
        Assert.Throws<LogException>(() => writer.Write("in", "k"u8, new byte[64 << 10], 1));
        writer.Write("in", "k"u8, new byte[(64 << 10) - 200], 1);
        writer.Flush();
        Assert.Equal((0, 1), log.Watermarks(new TopicPartition("in", 0)));

        using var worker = Join(log, "w");
        var outputs = new OutputBuffer();
        outputs.Add(0, 0, 0, 1, "k"u8, new byte[(64 << 10) - 200]); // leaves no room for the offset in its page
        worker.Log.Begin();
        worker.Log.Write(outputs, 0, 1);
        Assert.Equal(CommitOutcome.Committed, worker.Log.Commit([new OffsetToCommit(0, 0, 1)]));
        Assert.Equal(1, log.Committed("g", new TopicPartition("in", 0)));
    }

    [Fact]
    public void Any_offset_is_found_far_beyond_the_cache()
    {
        var options = Options with { PageBytes = 64 << 10, WriteMemoryBytes = 256 << 10, SegmentBytes = 1 << 20, CacheBytes = 128 << 10 };
        for (var round = 0; round < 2; round++)
        {
            using var log = new EmbeddedLog(options);
            if (round == 0)
            {
                log.CreateTopics([new TopicSpec("in", 2)]);
                Fill(log, "in", 60_000);
            }
            var random = new Random(3);
            using var reader = log.OpenReader();
            var batch = new RecordBatch();
            for (var i = 0; i < 200; i++)
            {
                var partition = new TopicPartition("in", i % 2);
                var offset = random.NextInt64(log.Watermarks(partition).High);
                reader.Assign(partition, offset);
                reader.Read(batch, 3, TimeSpan.FromSeconds(5));
                Assert.Equal(offset, batch[0].Offset);
            }
            Assert.Equal(60_000, log.ListTopics().Single().Records);
        }
    }

    [Fact]
    public void A_worker_taken_for_dead_learns_of_its_loss_commits_nothing_for_it_and_comes_back()
    {
        using var log = new EmbeddedLog(Options);
        log.CreateTopics([new TopicSpec("in", 2), new TopicSpec("out", 2)]);
        using var first = Join(log, "w1");
        using var second = Join(log, "w2");
        while (first.Owned.Count != 1 || second.Owned.Count != 1)
        {
            first.Poll(milliseconds: 5);
            second.Poll(milliseconds: 5);
        }
        var lost = first.Owned.Single();
        first.Log.Begin();
        log.Expel("g", "w1");
        while (second.Owned.Count != 2) second.Poll(milliseconds: 5);

        Assert.NotEqual(CommitOutcome.Committed, first.Log.Commit([new OffsetToCommit(0, lost.Partition, 5)]));
        Assert.Null(log.Committed("g", lost));
        while (first.WasLost.Count == 0) first.Poll(milliseconds: 5);
        Assert.Equal([lost], first.WasLost);
        while (first.Owned.Count != 1 || second.Owned.Count != 1)
        {
            first.Poll(milliseconds: 5);
            second.Poll(milliseconds: 5);
        }
    }

    [Fact]
    public void A_superseded_worker_is_fenced_even_where_its_transaction_has_no_offsets()
    {
        using var log = new EmbeddedLog(Options);
        log.CreateTopics([new TopicSpec("in", 1), new TopicSpec("out", 1)]);
        using var old = Join(log, "w");
        using var successor = Join(log, "w");
        var outputs = new OutputBuffer();
        outputs.Add(0, 0, 0, 1, "k"u8, "from the old one"u8);
        old.Log.Begin();
        old.Log.Write(outputs, 0, 1);
        Assert.Equal(CommitOutcome.Fenced, old.Log.Commit([]));
        old.Log.Begin();
        Assert.Equal(CommitOutcome.Fenced, old.Log.Commit([new OffsetToCommit(0, 0, 1)]));
        Assert.Equal((0, 0), log.Watermarks(new TopicPartition("out", 0)));

        // A rebuilt producer is let in again, but what it lost stays with the successor, whose own producer must be rebuilt in turn.
        old.Log.Rebuild();
        old.Log.Begin();
        Assert.Equal(CommitOutcome.Aborted, old.Log.Commit([new OffsetToCommit(0, 0, 1)]));
        successor.Log.Begin();
        Assert.Equal(CommitOutcome.Fenced, successor.Log.Commit([new OffsetToCommit(0, 0, 1)]));
        successor.Log.Rebuild();
        successor.Log.Begin();
        Assert.Equal(CommitOutcome.Committed, successor.Log.Commit([new OffsetToCommit(0, 0, 1)]));
    }

    [Fact]
    public void An_offset_beyond_the_end_stops_the_poll()
    {
        using var log = new EmbeddedLog(Options);
        log.CreateTopics([new TopicSpec("in", 1), new TopicSpec("out", 1)]);
        Fill(log, "in", 3);
        using var worker = Join(log, "w");
        worker.Log.Resume([new TopicPartition("in", 0)], 9);
        Assert.Throws<OffsetOutOfRangeException>(() => worker.Poll());
    }

    [Fact]
    public void Workers_on_threads_copy_every_record_once_while_members_come_and_go()
    {
        using var log = new EmbeddedLog(Options);
        log.CreateTopics([new TopicSpec("in", 8), new TopicSpec("out", 8)]);
        var errors = new ConcurrentQueue<Exception>();
        var stop = false;
        var threads = Enumerable.Range(0, 3).Select(n => new Thread(() =>
        {
            try
            {
                for (var life = 0; !Volatile.Read(ref stop); life++)
                    CopyWorker.Run(log, $"w{n}", polls: 20 + 15 * n, () => Volatile.Read(ref stop));
            }
            catch (Exception error)
            {
                errors.Enqueue(error);
            }
        })).ToList();
        threads.ForEach(t => t.Start());
        for (var i = 0; i < 20; i++) Fill(log, "in", 1_000, first: i * 1_000);

        var deadline = Environment.TickCount64 + 60_000;
        bool Done() => Enumerable.Range(0, 8).All(p => log.Watermarks(new("out", p)).High >= log.Watermarks(new("in", p)).High);
        while (!Done() && errors.IsEmpty && Environment.TickCount64 < deadline) threads[0].Join(20);
        Volatile.Write(ref stop, true);
        threads.ForEach(t => t.Join());

        Assert.Empty(errors);
        for (var p = 0; p < 8; p++)
        {
            Assert.Equal(log.Watermarks(new("in", p)).High, log.Committed("g", new("in", p)));
            Assert.Equal(All(log, new("in", p)), All(log, new("out", p)));
        }
    }

    public void Dispose() => _directory.Dispose();

    private static List<string> All(EmbeddedLog log, TopicPartition partition)
    {
        using var reader = log.OpenReader();
        reader.Assign(partition, 0);
        var batch = new RecordBatch();
        var values = new List<string>();
        while (reader.Position < log.Watermarks(partition).High)
        {
            reader.Read(batch, 1_000, TimeSpan.FromSeconds(5));
            for (var i = 0; i < batch.Count; i++) values.Add(Received.From(batch, i, partition.Topic).Value);
        }
        return values;
    }

    private static TestWorker Join(EmbeddedLog log, string instance)
    {
        var worker = new TestWorker(log, new WorkerOptions { Group = "g", InstanceId = instance, Sources = ["in"], Outputs = ["out"] },
            resume: true);
        worker.Poll(milliseconds: 5);
        return worker;
    }

    private static void Fill(EmbeddedLog log, string topic, int records, int first = 0)
    {
        using var writer = log.OpenWriter();
        for (var i = first; i < first + records; i++)
            writer.Write(topic, System.Text.Encoding.UTF8.GetBytes($"key {i}"), System.Text.Encoding.UTF8.GetBytes($"value of record {i}"),
                i);
        writer.Flush();
    }
}
