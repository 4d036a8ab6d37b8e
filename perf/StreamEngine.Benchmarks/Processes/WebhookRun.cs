using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using StreamEngine.Testing;

namespace StreamEngine.Benchmarks.Processes;

/// <summary>
/// Deliveries to a webhook of a partner that answers at once, from a topic that holds them all; where it is away for a while first, what
/// the connector holds of memory meanwhile.
/// </summary>
internal static class WebhookRun
{
    private const int Customers = 20_000;

    public static async Task<int> Run(string[] args)
    {
        var given = new RunArguments(args, "--actions", "--parallelism", "--stall", "--set");
        var (actions, parallelism) = (given.Number("--actions", 50_000), given.Number("--parallelism", 16));
        var stall = given.All("--stall").Length > 0 ? given.Number("--stall", 1) : 0;
        var port = FreePort.Find();
        using var site = await EdgeSite.Open([$"activations.partner.webhook.url=http://127.0.0.1:{port}/call",
            $"activations.partner.webhook.parallelism={parallelism}", .. given.All("--set")]);
        Write(site, actions);
        using (var engine = site.Command("run", "--drain"))
            if (await engine.Exit(TimeSpan.FromMinutes(5)) != 0) throw new InvalidOperationException($"no actions:\n{engine.Output}");

        var (calls, away, first, last) = (0L, stall > 0, 0L, 0L);
        var began = new TaskCompletionSource();
        await using var partner = Partner(port, () =>
        {
            if (Volatile.Read(ref away)) return false;
            if (Interlocked.CompareExchange(ref first, Stopwatch.GetTimestamp(), 0) == 0) began.SetResult();
            Interlocked.Exchange(ref last, Stopwatch.GetTimestamp());
            Interlocked.Increment(ref calls);
            return true;
        });
        await partner.StartAsync();
        using var connector = site.Command("activate", "partner", "--drain");
        var most = 0L;
        for (var started = Stopwatch.GetTimestamp(); away && !connector.Ended;)
        {
            await Task.Delay(500);
            most = Math.Max(most, connector.ResidentBytes);
            if (Stopwatch.GetElapsedTime(started).TotalSeconds > stall) Volatile.Write(ref away, false);
        }
        await began.Task;
        var cpu = connector.CpuTime;
        if (!await connector.Until(() => Task.FromResult(Track() >= actions), TimeSpan.FromMinutes(10)))
            throw new InvalidOperationException($"{calls} of {actions} actions were delivered:\n{connector.Output}");
        cpu = connector.CpuTime - cpu;
        var took = Stopwatch.GetElapsedTime(first, last).TotalSeconds;
        await connector.Exit(TimeSpan.FromMinutes(2));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{actions:N0} actions, {parallelism} calls at a time"
            + $"{(stall > 0 ? $", the partner away for {stall} s first" : "")}: {calls / took:N0} deliveries/s, "
            + $"{cpu.TotalMicroseconds / calls:0} us of CPU each; {calls - actions} more calls than actions; at most {most >> 20} MB"));
        return 0;

        long Track()
        {
            if (!connector.Ended) most = Math.Max(most, connector.ResidentBytes);
            return Volatile.Read(ref calls);
        }
    }

    private static void Write(EdgeSite site, int events)
    {
        using var log = site.Site.Open();
        using var writer = log.OpenWriter();
        var body = new ArrayBufferWriter<byte>();
        for (var i = 0; i < events; i++)
        {
            body.ResetWrittenCount();
            EdgeSite.Event(body, i, EdgeSite.Customer(i % Customers));
            writer.Write(Site.Events, Encoding.UTF8.GetBytes(EdgeSite.Customer(i % Customers)), body.WrittenSpan, 1_700_000_000_000);
        }
        writer.Flush();
    }

    /// <summary>A partner that answers 200 where it is there, else 503.</summary>
    private static WebApplication Partner(int port, Func<bool> takes)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        var partner = builder.Build();
        partner.MapPost("/call", async context =>
        {
            await context.Request.Body.CopyToAsync(Stream.Null);
            context.Response.StatusCode = takes() ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        });
        return partner;
    }
}
