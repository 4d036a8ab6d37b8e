using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Components.Server.Circuits;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Radzen;
using StreamEngine.Dashboard.Components;
using StreamEngine.Dashboard.Data;
using StreamEngine.Dashboard.Hosting;

namespace StreamEngine.Dashboard;

/// <summary>
/// Answers the requests for the dashboard that the process's HTTP endpoint passes on, once they are admitted there. The history of the
/// last minutes is kept from the start; Blazor itself is only loaded when somebody opens a page, so that it costs nothing before.
/// </summary>
public sealed class DashboardServer : IAsyncDisposable
{
    /// <summary>
    /// What a page may load: its own files alone. Blazor and the charts set styles on elements, which no hash can name beforehand.
    /// </summary>
    public const string ContentPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        + "connect-src 'self'; form-action 'self'; base-uri 'self'; frame-ancestors 'none'";

    private static readonly TimeSpan DisconnectedAfter = TimeSpan.FromMinutes(1);

    private readonly DashboardSettings _settings;
    private readonly History _history;
    private readonly Circuits _circuits;
    private readonly SemaphoreSlim _gate = new(1, 1);
    private WebApplication? _pages;
    private RequestDelegate? _pipeline;

    /// <summary>Begins to keep the history.</summary>
    public DashboardServer(DashboardSettings settings)
    {
        _settings = settings;
        _history = new History(settings.Engine, settings.Compiled, settings.Time);
        _circuits = new Circuits(settings.MostCircuits).Measured();
    }

    /// <summary>Addresses that are answered with pages, for those who may read.</summary>
    public static IReadOnlyList<string> Pages { get; } = ["/", "/dashboard/{**page}"];

    /// <summary>The address of the pages' connection, for those who may read.</summary>
    public const string Connection = "/_blazor/{**call}";

    /// <summary>Addresses of scripts, styles and pictures, which tell of nothing.</summary>
    public static IReadOnlyList<string> Assets { get; } = ["/_framework/{**file}", "/_content/{**file}"];

    /// <summary>Answers with a script, a style or a picture.</summary>
    public static Task ServeAssetAsync(HttpContext context) => AssetFiles.ServeAsync(context, context.Request.Path.Value![1..]);

    /// <summary>Sets the headers of a page.</summary>
    public static void SetHeaders(HttpContext context)
    {
        context.Response.Headers.ContentSecurityPolicy = ContentPolicy;
        // Forms of a page that names no referrer are sent without an origin too, and so refused.
        context.Response.Headers["Referrer-Policy"] = "same-origin";
    }

    /// <summary>Answers with a page, or serves its connection.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        SetHeaders(context);
        if (context.Request.Path.StartsWithSegments("/_blazor", out var rest) && (rest == "/negotiate" || !rest.HasValue)
            && !_circuits.HasRoom)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }
        var pipeline = _pipeline ?? await StartAsync(context.RequestAborted).ConfigureAwait(false);
        // The pages have services and addresses of their own: the endpoint's are set aside meanwhile.
        var (services, endpoint) = (context.RequestServices, context.GetEndpoint());
        await using var scope = _pages!.Services.CreateAsyncScope();
        (context.RequestServices, var routes) = (scope.ServiceProvider, context.Features.Get<IRouteValuesFeature>());
        context.SetEndpoint(null);
        context.Features.Set<IRouteValuesFeature>(null);
        try
        {
            await pipeline(context).ConfigureAwait(false);
        }
        finally
        {
            context.RequestServices = services;
            context.Features.Set(routes);
            context.SetEndpoint(endpoint);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_pages is not null)
        {
            await _pages.StopAsync().ConfigureAwait(false);
            await _pages.DisposeAsync().ConfigureAwait(false);
        }
        _history.Dispose();
        _circuits.Dispose();
        _gate.Dispose();
    }

    private async Task<RequestDelegate> StartAsync(CancellationToken cancel)
    {
        await _gate.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            if (_pipeline is not null) return _pipeline;
            var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
            AddServices(builder.Services);
            var pages = builder.Build();
            var branch = new ApplicationBuilder(pages.Services);
            branch.UseRouting();
            branch.UseAntiforgery();
            branch.UseEndpoints(routes => routes.MapRazorComponents<App>().AddInteractiveServerRenderMode(options =>
            {
                options.ContentSecurityFrameAncestorsPolicy = null; // the policy above says it
                options.ConfigureWebSocketAcceptContext = null;
            }));
            var pipeline = branch.Build();
            await pages.StartAsync(cancel).ConfigureAwait(false);
            _pages = pages;
            return _pipeline = pipeline;
        }
        finally
        {
            _gate.Release();
        }
    }

    private void AddServices(IServiceCollection services)
    {
        services.AddSingleton<IServer, NoServer>();
        services.AddRoutingCore();
        services.AddLogging();
        // Nothing that is protected here outlives the process.
        services.AddDataProtection().UseEphemeralDataProtectionProvider();
        services.AddRazorComponents().AddInteractiveServerComponents(options =>
        {
            options.DisconnectedCircuitMaxRetained = _settings.MostCircuits;
            options.DisconnectedCircuitRetentionPeriod = DisconnectedAfter;
        });
        services.AddRadzenComponents();
        services.AddSingleton(_settings);
        services.AddSingleton(_history);
        services.AddSingleton<NewestRecords>();
        services.AddSingleton<CircuitHandler>(_circuits);
    }

    /// <summary>The pages listen nowhere: requests are passed on to them.</summary>
    private sealed class NoServer : IServer
    {
        public IFeatureCollection Features { get; } = new FeatureCollection();

        public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
            where TContext : notnull => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public void Dispose()
        {
        }
    }
}
