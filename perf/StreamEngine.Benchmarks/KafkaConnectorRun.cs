using System.Diagnostics;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Kafka;
using StreamEngine.Testing;

namespace StreamEngine.Benchmarks;

/// <summary>
/// What the Kafka connector alone costs: reads records of 230 bytes from 12 partitions, writes 600 bytes for every sixth, commits every 100
/// ms. Prints records per second and CPU seconds of this process per million records (the broker's own are not in it). Usage:
/// <c>kafka-connector [records] [batch]</c>.
/// </summary>
internal static class KafkaConnectorRun
{
    private const int Partitions = 12;

    public static int Run(string[] args)
    {
        var records = args.Length > 0 ? int.Parse(args[0]) : 3_000_000;
        var batchSize = args.Length > 1 ? int.Parse(args[1]) : 1_000;
        using var broker = KafkaBroker.Start();
        using var log = new KafkaLog(new KafkaLogOptions { Bootstrap = broker.Address });
        log.CreateTopics([new TopicSpec("in", Partitions), new TopicSpec("out", Partitions)]);
        Fill(log, records);
        for (var round = 1; round <= 3; round++) Copy(log, $"round-{round}", records, batchSize);
        return 0;
    }

    private static void Fill(KafkaLog log, int records)
    {
        using var writer = log.OpenWriter();
        var value = new byte[222];
        new Random(1).NextBytes(value);
        var (wall, cpu) = (Stopwatch.StartNew(), Cpu());
        for (var i = 0; i < records; i++) writer.Write("in", BitConverter.GetBytes((long)i), value, i);
        writer.Flush();
        Report("writer", records, wall, cpu);
    }

    private static void Copy(KafkaLog log, string group, int records, int batchSize)
    {
        using var worker = log.OpenWorker(new WorkerOptions { Group = group, InstanceId = group, Sources = ["in"], Outputs = ["out"] });
        var owner = new ResumeAll(worker);
        var batch = new RecordBatch();
        var outputs = new OutputBuffer();
        var value = new byte[600];
        new Random(2).NextBytes(value);
        var next = new long[Partitions];
        while (batch.Count == 0) worker.Poll(batch, batchSize, TimeSpan.FromMilliseconds(100), owner);

        var (wall, cpu, allocated) = (Stopwatch.StartNew(), Cpu(), GC.GetTotalAllocatedBytes());
        var read = 0;
        var commits = 0;
        var polls = 0;
        var last = Stopwatch.GetTimestamp();
        worker.Begin();
        while (read < records)
        {
            for (var i = 0; i < batch.Count; i++)
            {
                ref readonly var record = ref batch[i];
                next[record.Partition] = record.Offset + 1;
                if (read++ % 6 == 0) outputs.Add(0, record.Partition, record.Partition, record.Timestamp, batch.Key(i), value);
            }
            worker.Write(outputs, 0, outputs.Count);
            outputs.Clear();
            if (Stopwatch.GetElapsedTime(last).TotalMilliseconds >= 100 || read >= records)
            {
                var offsets = new OffsetToCommit[Partitions];
                for (var p = 0; p < Partitions; p++) offsets[p] = new OffsetToCommit(0, p, next[p]);
                if (worker.Commit(offsets) != CommitOutcome.Committed) throw new InvalidOperationException("the commit failed");
                worker.Begin();
                commits++;
                last = Stopwatch.GetTimestamp();
            }
            if (read < records) worker.Poll(batch, batchSize, TimeSpan.FromMilliseconds(100), owner);
            polls++;
        }
        Report($"{group}: {commits} commits, {read / polls} records a poll, {GC.GetTotalAllocatedBytes() - allocated >> 10} kB allocated",
            records, wall, cpu);
        worker.Abort();
    }

    private static TimeSpan Cpu() => Process.GetCurrentProcess().TotalProcessorTime;

    private static void Report(string what, int records, Stopwatch wall, TimeSpan before) =>
        Console.WriteLine($"{what}: {records / wall.Elapsed.TotalSeconds:n0} records/s, "
            + $"{(Cpu() - before).TotalSeconds / records * 1e6:0.00} CPU s per million");

    private sealed class ResumeAll(ILogWorker worker) : IOwnership
    {
        public void Assigned(IReadOnlyList<TopicPartition> partitions) => worker.Resume(partitions);

        public void Revoked(IReadOnlyList<TopicPartition> partitions)
        {
        }

        public void Lost(IReadOnlyList<TopicPartition> partitions)
        {
        }
    }
}
