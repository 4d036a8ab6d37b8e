using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace StreamEngine.Tests.Activation;

/// <summary>A call as the partner got it.</summary>
internal sealed record Call(int Number, string Key, string Body, IReadOnlyDictionary<string, string> Headers)
{
    /// <summary>The method.</summary>
    public string Method { get; init; } = "";

    /// <summary>The path.</summary>
    public string Path { get; init; } = "";

    /// <summary>The body's bytes, as they came.</summary>
    public byte[] Bytes => Encoding.UTF8.GetBytes(Body);
}

/// <summary>A partner's HTTP endpoint on a free port of the loopback, which answers as the test says.</summary>
internal sealed class Partner : IAsyncDisposable
{
    private readonly WebApplication _app;
    private int _calls, _inside;

    private Partner(WebApplication app) => _app = app;

    /// <summary>How a call is answered.</summary>
    public Func<Call, HttpContext, Task> Answer { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>Every call, those that were not answered with success among them.</summary>
    public ConcurrentQueue<Call> Calls { get; } = new();

    /// <summary>The calls that were answered with success.</summary>
    public ConcurrentQueue<Call> Taken { get; } = new();

    /// <summary>How many calls are being answered.</summary>
    public int Inside => Volatile.Read(ref _inside);

    public string Url => _app.Urls.First() + "/hook";

    public static async Task<Partner> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k => k.Listen(System.Net.IPAddress.Loopback, 0));
        var app = builder.Build();
        var partner = new Partner(app);
        app.Run(partner.TakeAsync);
        await app.StartAsync();
        return partner;
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    private async Task TakeAsync(HttpContext context)
    {
        Interlocked.Increment(ref _inside);
        try
        {
            using var body = new StreamReader(context.Request.Body, Encoding.UTF8);
            var headers = context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase);
            var call = new Call(Interlocked.Increment(ref _calls), headers.GetValueOrDefault("Idempotency-Key", ""),
                await body.ReadToEndAsync(), headers)
            {
                Method = context.Request.Method,
                Path = context.Request.Path,
            };
            Calls.Enqueue(call);
            await Answer(call, context);
            if (context.Response.StatusCode is >= 200 and < 300) Taken.Enqueue(call);
        }
        finally
        {
            Interlocked.Decrement(ref _inside);
        }
    }
}
