using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;

namespace StreamEngine.Benchmarks.Processes;

/// <summary>
/// Live streams: so many listeners, each of a customer of its own, while events come at a steady rate, each of which decides. Tells the
/// time from an event's due moment to the listener that reads its decision, and the engine's memory.
/// </summary>
internal static class LiveRun
{
    private const int AtOnce = 64;

    public static async Task<int> Run(string[] args)
    {
        var given = new RunArguments(args, "--listeners", "--events", "--seconds", "--set");
        var (listeners, events) = (given.Number("--listeners", 1_000), given.Number("--events", 500));
        var seconds = given.Number("--seconds", 20);
        using var site = await EdgeSite.Open(given.All("--set"));
        using var engine = await site.Run();
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = Timeout.InfiniteTimeSpan };
        http.BaseAddress = new Uri($"http://127.0.0.1:{engine.Port}/");
        var before = engine.ResidentBytes;
        var due = Enumerable.Range(0, listeners).Select(_ => new ConcurrentQueue<long>()).ToArray();
        var (told, written, times, ready) = (0L, 0L, EdgeSite.Histogram(), 0);
        using var over = new CancellationTokenSource();
        using var room = new SemaphoreSlim(AtOnce);
        var listening = Enumerable.Range(0, listeners).Select(Listen).ToArray();
        await NodeCluster.Until(engine, () => Task.FromResult(Volatile.Read(ref ready) == listeners), "does not take all the listeners");
        var with = engine.ResidentBytes;

        const int Warm = 5;
        await Feed(Warm);
        await Told((long)events * Warm);
        var cpu = engine.CpuTime;
        Volatile.Write(ref told, 0);
        times.Reset();
        await Feed(seconds);
        cpu = engine.CpuTime - cpu;
        await Told((long)events * seconds);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{listeners:N0} listeners ({before >> 20} MB before, "
            + $"{with >> 20} MB with them, {engine.ResidentBytes >> 20} MB at the end), {events} decisions/s: event to listener "
            + $"p50 {EdgeSite.Ms(times, 50):0.0} ms, p99 {EdgeSite.Ms(times, 99):0.0} ms, p99.9 {EdgeSite.Ms(times, 99.9):0.0} ms; "
            + $"{told:N0} told of {(long)events * seconds:N0}; {cpu.TotalSeconds / seconds:0.00} cores"));
        await over.CancelAsync();
        await Task.WhenAll(listening);
        engine.Terminate();
        await engine.Exit(TimeSpan.FromMinutes(2));
        return 0;

        Task Told(long all) =>
            NodeCluster.Until(engine, () => Task.FromResult(Volatile.Read(ref told) >= all), "does not tell all");

        async Task Listen(int customer)
        {
            try
            {
                await room.WaitAsync(over.Token);
                Stream stream;
                try
                {
                    var id = EdgeSite.Customer(customer);
                    using var granted = await http.PostAsync($"v1/customers/{id}/token", null, over.Token);
                    granted.EnsureSuccessStatusCode();
                    var token = (string)(await granted.Content.ReadFromJsonAsync<JsonObject>(over.Token))!["token"]!;
                    stream = await http.GetStreamAsync($"v1/customers/{id}/stream?token={token}", over.Token);
                }
                finally
                {
                    room.Release();
                }
                using var lines = new StreamReader(stream, Encoding.UTF8, false, 256);
                while (await lines.ReadLineAsync(over.Token) is { } line)
                {
                    if (line == "event: ready") Interlocked.Increment(ref ready);
                    if (line != "event: decision") continue;
                    due[customer].TryDequeue(out var at);
                    times.RecordValue(Math.Clamp((long)Stopwatch.GetElapsedTime(at).TotalMicroseconds, 1, 60_000_000));
                    Interlocked.Increment(ref told);
                }
            }
            catch (OperationCanceledException)
            {
                // The run is over.
            }
        }

        async Task Feed(int length)
        {
            using var log = site.Site.Open();
            using var writer = log.OpenWriter();
            var body = new ArrayBufferWriter<byte>();
            var started = Stopwatch.GetTimestamp();
            var first = written;
            for (var i = 0L; i < (long)events * length; i++)
            {
                var at = started + (long)((double)i / events * Stopwatch.Frequency);
                if (Stopwatch.GetTimestamp() < at)
                {
                    writer.Flush();
                    while (Stopwatch.GetTimestamp() < at) await Task.Delay(1);
                }
                var customer = (int)((first + i) % listeners);
                due[customer].Enqueue(at);
                body.ResetWrittenCount();
                EdgeSite.Event(body, first + i, EdgeSite.Customer(customer));
                writer.Write(Site.Events, Encoding.UTF8.GetBytes(EdgeSite.Customer(customer)), body.WrittenSpan, 1_700_000_000_000);
            }
            writer.Flush();
            written = first + (long)events * length;
        }
    }
}
