using System.Reflection;
using Microsoft.AspNetCore.Routing;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace StreamEngine.Host.Telemetry;

/// <summary>
/// Collects the engine's metrics, those of the .NET runtime and of the process: as Prometheus text when asked, and to an OTLP collector,
/// with traces, where <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set.
/// </summary>
internal sealed class MetricsEndpoint : IDisposable
{
    /// <summary>The meters and activity sources that are read.</summary>
    private const string Sources = "StreamEngine*";

    /// <summary>Bounds of histograms of seconds: 0.1 ms to 10 s.</summary>
    private static readonly double[] SecondsBounds =
        [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    private readonly MeterProvider _meters;
    private readonly TracerProvider? _traces;

    /// <summary>Begins to collect.</summary>
    /// <param name="meters">The meters' names, with <c>*</c> for any; the engine's own where absent.</param>
    public MetricsEndpoint(string meters = Sources)
    {
        var resource = ResourceBuilder.CreateDefault().AddService("streamengine", serviceVersion: Version);
        var builder = Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(resource)
            .AddMeter(meters)
            .AddRuntimeInstrumentation()
            .AddProcessInstrumentation()
            .AddView(i => i.Unit == "s" && i.GetType().Name.StartsWith("Histogram", StringComparison.Ordinal)
                ? new ExplicitBucketHistogramConfiguration { Boundaries = SecondsBounds }
                : null)
            // Without a cache: two looks in a row may tell of what happened between them.
            .AddPrometheusExporter(options => (options.ScrapeResponseCacheDurationMilliseconds, options.ScopeInfoEnabled) = (0, false));
        if (!string.IsNullOrEmpty(Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT")))
        {
            builder.AddOtlpExporter();
            _traces = Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource).AddSource(meters).AddOtlpExporter().Build();
        }
        _meters = builder.Build();
    }

    private static string Version { get; } =
        typeof(MetricsEndpoint).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    /// <summary>Serves them at <c>/metrics</c>.</summary>
    public Microsoft.AspNetCore.Builder.IEndpointConventionBuilder Map(IEndpointRouteBuilder app) =>
        Microsoft.AspNetCore.Builder.PrometheusExporterEndpointRouteBuilderExtensions.MapPrometheusScrapingEndpoint(
        app, "/metrics", _meters, configureBranchedPipeline: null, optionsName: null);

    public void Dispose()
    {
        _meters.Dispose();
        _traces?.Dispose();
    }
}
