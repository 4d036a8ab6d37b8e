using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace StreamEngine.Host.Telemetry;

/// <summary>
/// Collects the engine's metrics: as Prometheus text when asked, and to an OTLP collector, with traces, where <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set.
/// </summary>
internal sealed class MetricsEndpoint : IDisposable
{
    /// <summary>The meters and activity sources that are read.</summary>
    private const string Sources = "StreamEngine*";

    /// <summary>Bounds of histograms of seconds: 0.1 ms to 10 s.</summary>
    private static readonly double[] SecondsBounds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    private readonly TextExporter _exporter = new();
    private readonly MeterProvider _meters;
    private readonly TracerProvider? _traces;
    private readonly Lock _collecting = new();

    /// <summary>Begins to collect.</summary>
    /// <param name="meters">The meters' names, with <c>*</c> for any; the engine's own where absent.</param>
    public MetricsEndpoint(string meters = Sources)
    {
        var builder = Sdk.CreateMeterProviderBuilder().AddMeter(meters).AddReader(new BaseExportingMetricReader(_exporter)).AddView(i =>
            i.Unit == "s" && i.GetType().Name.StartsWith("Histogram", StringComparison.Ordinal) ? new ExplicitBucketHistogramConfiguration { Boundaries = SecondsBounds } : null);
        if (!string.IsNullOrEmpty(Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT")))
        {
            builder.AddMeter("System.Runtime").AddOtlpExporter();
            _traces = Sdk.CreateTracerProviderBuilder().AddSource(meters).AddOtlpExporter().Build();
        }
        _meters = builder.Build();
    }

    /// <summary>Collects now.</summary>
    public string Collect()
    {
        lock (_collecting)
        {
            _exporter.Text = "";
            _exporter.Collect!(Timeout.Infinite);
            return _exporter.Text;
        }
    }

    public void Dispose()
    {
        _meters.Dispose();
        _traces?.Dispose();
    }

    [ExportModes(ExportModes.Pull)]
    private sealed class TextExporter : BaseExporter<Metric>, IPullMetricExporter
    {
        public string Text { get; set; } = "";

        /// <summary>Set by the reader: collects and exports.</summary>
        public Func<int, bool>? Collect { get; set; }

        public override ExportResult Export(in Batch<Metric> batch)
        {
            Text = PrometheusText.Write(batch);
            return ExportResult.Success;
        }
    }
}
