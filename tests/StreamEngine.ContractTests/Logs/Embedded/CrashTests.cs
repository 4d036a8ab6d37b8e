using System.Text;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Embedded;
using Xunit;

namespace StreamEngine.ContractTests.Logs.Embedded;

/// <summary>
/// Power failures in the middle of writes: what was acknowledged is there, the rest is there in whole transactions or not at all.
/// </summary>
public sealed class CrashTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void After_a_crash_there_are_whole_transactions_and_all_acknowledged_ones(int block)
    {
        for (var seed = block * 15; seed < block * 15 + 15; seed++)
        {
            var random = new Random(seed);
            var options = Small(Path.Combine(_directory.Path, $"{seed}"));
            var acknowledged = 0;
            for (var round = 0; round < 4; round++)
            {
                acknowledged = Math.Max(acknowledged, RunUntilCrash(options, random, acknowledged));
                acknowledged = Verify(options, acknowledged, $"seed {seed}, round {round}");
            }
        }
    }

    [Fact]
    public void A_full_disk_stops_the_log_with_a_message_and_loses_nothing_acknowledged()
    {
        var options = Small(_directory.Path);
        CrashDevice? device = null;
        using (var log = new EmbeddedLog(options with { Device = prefix => device = new CrashDevice(prefix, 20, coin: null) }))
        {
            log.CreateTopics([new TopicSpec("in", 1), new TopicSpec("a", 1), new TopicSpec("b", 1)]);
            using var worker = NewWorker(log);
            var error = Assert.Throws<LogException>(() =>
            {
                for (var i = 0; i < 100; i++) Transact(worker, i, 1);
            });
            Assert.Contains(_directory.Path, error.Message, StringComparison.Ordinal);
            Assert.Throws<LogException>(() => Transact(worker, 0, 1)); // stays so: what was lost in between must not be skipped
        }
        Assert.True(device!.Crashed);
        Assert.InRange(Verify(options, 0, "full disk"), 10, 20);
    }

    public void Dispose() => _directory.Dispose();

    private static EmbeddedLogOptions Small(string directory) =>
        new(directory) { PageBytes = 16 << 10, WriteMemoryBytes = 64 << 10, SegmentBytes = 64 << 10, CacheBytes = 32 << 10 };

    /// <summary>Writes transactions until the device is off; how many were acknowledged.</summary>
    private static int RunUntilCrash(EmbeddedLogOptions options, Random random, int next)
    {
        var crash = random.Next(1, 40);
        using var log = new EmbeddedLog(options with { Device = prefix => new CrashDevice(prefix, crash, random) });
        try
        {
            log.CreateTopics([new TopicSpec("in", 1), new TopicSpec("a", 1), new TopicSpec("b", 1)]);
            using var worker = NewWorker(log);
            while (true)
            {
                Transact(worker, next, random.Next(1, 40));
                next++;
            }
        }
        catch (LogException)
        {
            return next;
        }
    }

    /// <summary>Transaction n: some records that name it in both topics, and the offset n + 1.</summary>
    private static void Transact(TestWorker worker, int n, int records)
    {
        var outputs = new OutputBuffer();
        for (var i = 0; i < records; i++)
            for (var topic = 0; topic < 2; topic++) outputs.Add(topic, 0, 0, n, Encoding.UTF8.GetBytes($"{i} of {records}"), Filler(n, i));
        worker.Log.Begin();
        worker.Log.Write(outputs, 0, outputs.Count);
        Assert.Equal(CommitOutcome.Committed, worker.Log.Commit([new OffsetToCommit(0, 0, n + 1)]));
    }

    private static byte[] Filler(int n, int i) =>
        Encoding.UTF8.GetBytes(new string((char)('a' + (n + i) % 26), 50 + (n * 37 + i * 11) % 400));

    private static TestWorker NewWorker(EmbeddedLog log)
    {
        var worker = new TestWorker(log, new WorkerOptions { Group = "g", InstanceId = "w", Sources = ["in"], Outputs = ["a", "b"] },
            resume: true);
        while (worker.Owned.Count == 0) worker.Poll();
        return worker;
    }

    /// <summary>How many transactions there are: as many in both topics, each whole, and the offset agrees.</summary>
    private static int Verify(EmbeddedLogOptions options, int acknowledged, string where)
    {
        using var log = new EmbeddedLog(options);
        var committed = log.Partitions("in") == 0 ? 0 : (int)(log.Committed("g", new TopicPartition("in", 0)) ?? 0);
        Assert.True(committed >= acknowledged, $"{where}: {acknowledged} were acknowledged, {committed} are there");
        foreach (var topic in new[] { "a", "b" })
        {
            if (log.Partitions(topic) == 0) continue;
            using var reader = log.OpenReader();
            reader.Assign(new TopicPartition(topic, 0), 0);
            var batch = new RecordBatch();
            var expected = 0;
            var within = 0;
            while (reader.Position < log.Watermarks(new TopicPartition(topic, 0)).High)
            {
                reader.Read(batch, 100, TimeSpan.FromSeconds(5));
                for (var i = 0; i < batch.Count; i++)
                {
                    var parts = Encoding.UTF8.GetString(batch.Key(i)).Split(' ');
                    Assert.Equal((expected, $"{within}"), ((int)batch[i].Timestamp, parts[0]));
                    Assert.True(batch.Value(i).SequenceEqual(Filler(expected, within)), where);
                    if (++within != int.Parse(parts[2])) continue;
                    within = 0;
                    expected++;
                }
            }
            Assert.Equal((committed, 0), (expected, within));
        }
        return committed;
    }
}
