using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using HdrHistogram;

namespace StreamEngine.Benchmarks.Processes;

/// <summary>
/// Events over HTTP into the log, in batches, closed loop: each connection sends its next batch when the last one is answered. The engine
/// that takes them also reads, decides and writes them, as it does where a user runs it.
/// </summary>
internal static class CollectorRun
{
    private const int Customers = 20_000;

    public static async Task<int> Run(string[] args)
    {
        var given = new RunArguments(args, "--seconds", "--batch", "--connections", "--set");
        var (seconds, batch, connections) = (given.Number("--seconds", 20), given.Number("--batch", 100), given.Number("--connections", 8));
        using var site = await EdgeSite.Open(given.All("--set"));
        using var engine = await site.Run();
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        var address = new Uri($"http://127.0.0.1:{engine.Port}/v1/events/shop");
        var number = 0L;
        await Send(http, address, connections, batch, TimeSpan.FromSeconds(5), () => Interlocked.Add(ref number, batch) - batch);

        var (cpu, own, started) = (engine.CpuTime, Environment.CpuUsage.TotalTime, Stopwatch.GetTimestamp());
        var (times, refused) = await Send(http, address, connections, batch, TimeSpan.FromSeconds(seconds),
            () => Interlocked.Add(ref number, batch) - batch);
        var took = Stopwatch.GetElapsedTime(started).TotalSeconds;
        var events = times.TotalCount * batch;
        cpu = engine.CpuTime - cpu;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{events:N0} events in batches of {batch} over {connections} "
            + $"connections: {events / took:N0} events/s, {events / cpu.TotalSeconds:N0} events per CPU second of the engine "
            + $"({cpu.TotalSeconds / took:0.00} cores; the generator {(Environment.CpuUsage.TotalTime - own).TotalSeconds / took:0.00}); "
            + $"a batch's answer p50 {EdgeSite.Ms(times, 50):0.0} ms, p99 {EdgeSite.Ms(times, 99):0.0} ms; "
            + $"{refused} answers were not 202"));
        engine.Terminate();
        await engine.Exit(TimeSpan.FromMinutes(2));
        return refused == 0 ? 0 : 1;
    }

    private static async Task<(LongConcurrentHistogram Times, long Refused)> Send(HttpClient http, Uri address, int connections, int batch,
        TimeSpan length, Func<long> next)
    {
        var (times, refused) = (EdgeSite.Histogram(), 0L);
        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, connections).Select(_ => Task.Run(async () =>
        {
            var body = new ArrayBufferWriter<byte>();
            while (Stopwatch.GetElapsedTime(started) < length)
            {
                body.ResetWrittenCount();
                var first = next();
                for (var i = 0; i < batch; i++)
                {
                    EdgeSite.Event(body, first + i, EdgeSite.Customer((first + i) % Customers));
                    body.Write("\n"u8);
                }
                using var content = new ReadOnlyMemoryContent(body.WrittenMemory);
                content.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
                var sent = Stopwatch.GetTimestamp();
                using var reply = await http.PostAsync(address, content);
                if (reply.StatusCode == HttpStatusCode.Accepted)
                    times.RecordValue(Math.Max(1, (long)Stopwatch.GetElapsedTime(sent).TotalMicroseconds));
                else Interlocked.Increment(ref refused);
            }
        })));
        return (times, refused);
    }
}
