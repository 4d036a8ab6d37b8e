using System.Diagnostics;
using System.Globalization;
using HdrHistogram;
using StreamEngine.Runtime;
using StreamEngine.Runtime.Requests;
using StreamEngine.State;
using StreamEngine.Testing;

namespace StreamEngine.Benchmarks.Processes;

/// <summary>
/// Decision requests in one process, open loop: each has its time, late or not, and its latency counts from there, so that a stall is seen
/// in every request that it held up. Beside it events come at a steady rate. Prints quantiles for each way to reply.
/// </summary>
internal static class RequestRun
{
    private const int Partitions = 4, Customers = 20_000;

    public static async Task<int> Run(string[] args)
    {
        var saturate = args.Contains("--saturate");
        var given = new RunArguments([.. args.Where(a => a != "--saturate")], "--nodes", "--rate", "--events", "--seconds", "--log",
            "--reply", "--set", "--client", "--protocol", "--warm");
        if (saturate || given.All("--nodes").Length > 0 || given.All("--protocol").Length > 0)
            return await NodeRequestRun.Run(given, saturate);
        var (rate, events, seconds) = (given.Number("--rate", 2_000), given.Number("--events", 20_000), given.Number("--seconds", 20));
        var logs = given.All("--log") is { Length: > 0 } named ? named : ["embedded", "kafka"];
        var replies = given.All("--reply") is { Length: > 0 } some ? some : ["committed", "decided"];
        Console.WriteLine($"{rate} requests/s and {events} events/s for {seconds} s, {Partitions} partitions, one worker");
        Console.WriteLine("log       reply      sent     done     p50 ms   p99 ms  p99.9 ms  max ms  events/s  CPU s");
        foreach (var log in logs)
        {
            using var broker = log == "kafka" ? KafkaBroker.Start() : null;
            foreach (var reply in replies)
                await MeasureAsync(log, broker?.Address, reply, rate, events, seconds, given.All("--set"), given.All("--client"));
        }
        return 0;
    }

    private static async Task MeasureAsync(string name, string? kafka, string reply, int rate, int events, int seconds, string[] sets,
        string[] client)
    {
        using var site =
            new Site(kafka, Partitions) { ClientSettings = client.Select(c => c.Split('=', 2)).ToDictionary(c => c[0], c => c[1]) };
        site.CreateOutputs(reply);
        using var log = site.Open();
        using var engine = MeasuredJob.Compile([
            $"name={reply}", $"outputs.decisions={Site.Decisions(reply)}", $"outputs.dead_letter={reply}-dead-letter",
                $"outputs.late={reply}-late",
            "requests.enabled=true", $"requests.reply={reply}", "requests.timeout=10s", "runtime.commit_interval=20ms", .. sets,
        ]);
        using var running =
            new Engine(new WorkerSettings { Engine = engine, Log = log, InstanceId = reply, OpenStore = _ => new MemoryStateStore() });
        running.Start();
        var customers = running.Customers!;
        using var load = new EventLoad(log, Site.Events, Customers);
        load.Write(Customers);
        while (running.Metrics.Totals().Records < Customers) await Task.Delay(50);

        var feed = EventFeed.Start(load, events);
        await AskAsync(customers, rate, 3);
        var (before, cpu, started) = (running.Metrics.Totals().Records, Environment.CpuUsage.TotalTime, Stopwatch.GetTimestamp());
        var (latencies, done) = await AskAsync(customers, rate, seconds);
        var took = Stopwatch.GetElapsedTime(started).TotalSeconds;
        var read = running.Metrics.Totals().Records - before;
        cpu = Environment.CpuUsage.TotalTime - cpu;
        feed.Dispose();
        running.Stop();
        await running.Completion;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{name,-9} {reply,-10} {rate * seconds,-8} {done,-8} {Ms(50),7:0.00} {Ms(99),8:0.00} {Ms(99.9),9:0.00} {Ms(100),7:0.0} "
                + $"{read / took,9:0}  {cpu.TotalSeconds,5:0.0}"));

        double Ms(double percentile) => latencies.GetValueAtPercentile(percentile) / 1_000.0;
    }

    /// <summary>Asks at the rate; returns the latencies in microseconds, and how many were served.</summary>
    private static async Task<(LongConcurrentHistogram, long)> AskAsync(ICustomerGateway customers, int rate, int seconds)
    {
        var latencies = new LongConcurrentHistogram(1, 60_000_000, 3);
        var done = 0L;
        var open = new List<Task>(rate * seconds);
        var started = Stopwatch.GetTimestamp();
        for (var i = 0; i < rate * seconds; i++)
        {
            var due = started + (long)((double)i / rate * Stopwatch.Frequency);
            while (Stopwatch.GetTimestamp() < due) await Task.Delay(1);
            open.Add(OneAsync(i, due));
        }
        await Task.WhenAll(open);
        return (latencies, done);

        async Task OneAsync(int i, long due)
        {
            var customer = string.Create(CultureInfo.InvariantCulture, $"customer-{i * 7919L % Customers:D7}");
            var reply =
                await customers.DecideAsync(new DecideRequest { Customer = customer, Placement = "home", Time = DateTimeOffset.UnixEpoch });
            latencies.RecordValue(Math.Max(1, (long)Stopwatch.GetElapsedTime(due).TotalMicroseconds));
            if (reply.Status == RequestStatus.Done) Interlocked.Increment(ref done);
        }
    }
}
