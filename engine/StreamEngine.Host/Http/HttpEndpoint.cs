using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Http.Security;
using StreamEngine.Host.Rpc;
using StreamEngine.Host.Telemetry;

namespace StreamEngine.Host.Http;

/// <summary>
/// <c>/healthz</c> and <c>/healthz/ready</c> (200 when every shard is restored, every worker moves, nothing is waited for and the cluster,
/// where there is one, is joined, else 503, with all of these), <c>/healthz/live</c> (200 while the loop lives), <c>/metrics</c>
/// (Prometheus), and what a command adds.
/// </summary>
internal sealed class HttpEndpoint : IAsyncDisposable
{
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(5);
    private static readonly string[] Look = [HttpMethods.Get, HttpMethods.Head];
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
    };

    private readonly WebApplication _app;

    private HttpEndpoint(WebApplication app) => _app = app;

    /// <summary>The address that is listened on, with the port that was taken.</summary>
    public string Address => _app.Urls.First();

    /// <summary>
    /// Starts listening; null where the config turns it off. Relative files of the options start at the folder. What is worth a line in
    /// the log is said.
    /// </summary>
    /// <exception cref="IOException">The port is taken, or the address is not this machine's; the message names the remedy.</exception>
    public static async Task<HttpEndpoint?> StartAsync(HttpOptions options, MetricsEndpoint metrics, Func<HealthReport> health,
        Func<bool> alive, string folder, Action<WebApplication>? more = null, Action<string>? say = null)
    {
        if (options.Port == 0) return null;
        return await ListenAsync(options.Address, options.Port, metrics, health, alive, more, options.Hosts, options, folder, say)
            .ConfigureAwait(false);
    }

    /// <summary>Starts listening on a port; 0 takes a free one.</summary>
    internal static async Task<HttpEndpoint> ListenAsync(string address, int port, MetricsEndpoint metrics, Func<HealthReport> health,
        Func<bool> alive, Action<WebApplication>? more = null, IReadOnlyList<string>? hosts = null, HttpOptions? options = null,
        string folder = "", Action<string>? say = null)
    {
        options ??= new HttpOptions();
        // An empty builder: no settings file of the working directory and no ambient variable (URLS, Kestrel__...) may open another
        // listener.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        var access = new Access(new KeyRing(options.Keys),
            options.Jwt is { } jwt ? new TokenVerifier(jwt, folder, TimeProvider.System) : null, options.Tls?.ClientCaFile is not null);
        var certificates = options.Tls is { } tls ? new Certificates(tls, folder, TimeProvider.System, say) : null;
        builder.Services.AddSingleton(access);
        builder.Services.AddRateLimiter(limits =>
        {
            limits.GlobalLimiter = access.Limiter;
            limits.OnRejected = (rejected, _) => new ValueTask(Access.RefuseRateAsync(rejected.HttpContext));
        });
        builder.Services.AddRequestDecompression();
        ApiDocument.AddServices(builder.Services);
        if (options.GrpcPort > 0) RpcEndpoints.AddServices(builder.Services);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            Listen(kestrel, address, port, HttpProtocols.Http1, certificates);
            if (options.GrpcPort > 0) Listen(kestrel, address, options.GrpcPort, HttpProtocols.Http2, certificates);
            // A caller of a stream that is gone without a word is missed.
            kestrel.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(30);
        });
        var app = builder.Build();
        var counts = new HttpMetrics(say);
        app.Lifetime.ApplicationStopped.Register(() => certificates?.Dispose());
        // In the order of the way in: what is cheap to refuse is refused first, and nothing is unpacked for who has no key.
        app.Use(counts.InvokeAsync);
        app.Use(new CalledBy(address, hosts ?? []).InvokeAsync);
        app.Use(access.InvokeAsync);
        app.UseRateLimiter();
        app.UseRequestDecompression();
        app.Use(PackedBody.RefuseUnknownAsync);
        app.UseWebSockets();
        metrics.Map(app).WithMetadata(new Demand(options.PublicMetrics ? null : Scope.Read));
        app.MapMethods("/healthz/live", Look, () => Results.Text(alive() ? "live\n" : "dead\n", statusCode: alive() ? 200 : 503)).IsForAll()
            .ExcludeFromDescription();
        app.MapMethods("/healthz/ready", Look, () => Ready(health())).IsForAll().ExcludeFromDescription();
        app.MapMethods("/healthz", Look, () => Ready(health())).IsForAll().ExcludeFromDescription();
        ApiDocument.Map(app);
        more?.Invoke(app);
        try
        {
            await app.StartAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            await app.DisposeAsync().ConfigureAwait(false);
            throw new IOException($"/metrics and /healthz can't be served at {address}:{port}"
                + $"{(options.GrpcPort > 0 ? $", nor gRPC at {address}:{options.GrpcPort}" : "")}: "
                + $"{(e.InnerException ?? e).Message.TrimEnd('.')}. Set http.port to a free port (0 turns it off) or http.address to an "
                + "address of this machine", e);
        }
        return new HttpEndpoint(app);
    }

    /// <summary>Stops listening; an answer that is on its way (to <c>/leave</c>) is finished first.</summary>
    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(StopPatience, TimeProvider.System);
        await _app.StopAsync(patience.Token).ConfigureAwait(false);
        await _app.DisposeAsync().ConfigureAwait(false);
    }

    private static void Listen(KestrelServerOptions kestrel, string address, int port, HttpProtocols protocols, Certificates? certificates)
    {
        if (IPAddress.TryParse(address, out var ip)) kestrel.Listen(ip, port, Set);
        else kestrel.ListenLocalhost(port, Set);

        void Set(ListenOptions listen)
        {
            listen.Protocols = protocols;
            if (certificates is not null)
                listen.UseHttps(new TlsHandshakeCallbackOptions
                {
                    OnConnection = of => ValueTask.FromResult(certificates.ForConnection(of.Connection.RemoteEndPoint,
                        of.Connection.LocalEndPoint)),
                });
        }
    }

    private static IResult Ready(HealthReport report) => Results.Json(
        new
        {
            status = report.Status,
            restoring = report.Restoring.Select(s => new { partition = s.Partition, progress = s.Progress }),
            workers = report.Workers
                .Select(w => new { worker = w.Worker, since_turn = Math.Round(w.Since.TotalSeconds, 3), stalled = w.StandsStill }),
            away = report.Away.Select(a => new { dependency = a.Dependency, seconds = a.Seconds, reason = a.Reason }),
            cluster = report.Cluster is not { } c ? null : new
            {
                status = c.Status,
                required = c.Required,
                members = c.Members,
                unreachable = c.Unreachable,
                reason = c.Reason,
            },
        },
        Json, statusCode: report.Ready ? 200 : 503);
}
