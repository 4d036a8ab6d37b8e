using System.Diagnostics.Metrics;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using StreamEngine.Host.Http;
using StreamEngine.Host.Telemetry;
using StreamEngine.Runtime;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Host;

public sealed class MetricsTests : IDisposable
{
    private readonly string _name = $"test-{Guid.NewGuid():N}";
    private readonly Meter _meter;
    private readonly MetricsEndpoint _metrics;

    public MetricsTests()
    {
        _meter = new Meter(_name);
        _metrics = new MetricsEndpoint(_name);
    }

    public void Dispose()
    {
        _metrics.Dispose();
        _meter.Dispose();
    }

    [Fact]
    public async Task Counters_gauges_and_histograms_read_back()
    {
        _meter.CreateCounter<long>("events", "{event}", "What came in.").Add(7, new KeyValuePair<string, object?>("reason", "a\"b\\c\nd"));
        _meter.CreateObservableGauge("watermark", () => 12.5, "s");
        var histogram = _meter.CreateHistogram<double>("commit.duration", "s");
        foreach (var x in new[] { 0.0001, 0.02, 0.02, 99 }) histogram.Record(x);

        var samples = Parse(await CollectAsync(), out var types);

        Assert.Equal(7, samples["events_total{reason=\"a\\\"b\\\\c\\nd\"}"]);
        Assert.Equal(12.5, samples["watermark_seconds"]);
        Assert.Equal(["counter", "gauge", "histogram"],
            [types["events_total"], types["watermark_seconds"], types["commit_duration_seconds"]]);
        Assert.Equal(4, samples["commit_duration_seconds_count"]);
        Assert.Equal(99.0401, samples["commit_duration_seconds_sum"], 9);
        Assert.Equal(1, samples["commit_duration_seconds_bucket{le=\"0.0001\"}"]);
        Assert.Equal(1, samples["commit_duration_seconds_bucket{le=\"0.01\"}"]);
        Assert.Equal(3, samples["commit_duration_seconds_bucket{le=\"0.025\"}"]);
        Assert.Equal(4, samples["commit_duration_seconds_bucket{le=\"+Inf\"}"]);
    }

    [Fact]
    public async Task A_name_is_described_once_and_counts_add_up_between_looks()
    {
        var counter = _meter.CreateCounter<long>("events", "{event}", "What came in.");
        counter.Add(1, new KeyValuePair<string, object?>("reason", "a"));
        counter.Add(2, new KeyValuePair<string, object?>("reason", "b"));
        await CollectAsync();
        counter.Add(10, new KeyValuePair<string, object?>("reason", "a"));
        var text = await CollectAsync();
        Assert.Single(Regex.Matches(text, "# TYPE events_total counter"));
        Assert.Equal(11, Parse(text, out _)["events_total{reason=\"a\"}"]);
    }

    [Fact]
    public async Task The_runtime_the_process_and_the_build_are_measured_too()
    {
        var samples = Parse(await CollectAsync(), out _);
        Assert.True(samples["process_memory_usage_bytes"] > 1 << 20);
        Assert.True(samples["process_cpu_time_seconds_total{cpu_mode=\"user\"}"] > 0);
        Assert.Contains(samples.Keys, k => k.StartsWith("dotnet_gc_collections_total", StringComparison.Ordinal));
        Assert.Contains(samples.Keys, k => k.StartsWith("target_info", StringComparison.Ordinal)
            && k.Contains("service_version=", StringComparison.Ordinal));
    }

    [Fact]
    public void Each_outcome_of_a_commit_is_there_from_the_start_at_0()
    {
        var (mine, seen) = (Environment.CurrentManagedThreadId, new List<string>());
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, all) =>
            {
                if (instrument.Name == "streamengine.commits") all.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((_, value, tags, _) =>
        {
            if (Environment.CurrentManagedThreadId == mine) seen.Add($"{tags[0].Value} {value}"); // other tests' engines count too
        });
        listener.Start();
        using var engine = Scenario.Compile(Scenario.Options(), new LinearModels(1));
        using var metrics = new EngineMetrics(engine);
        Assert.Equal(["aborted 0", "committed 0", "fenced 0", "unknown 0"], seen.Order());
    }

    [Fact]
    public async Task Nothing_in_the_surroundings_opens_another_listener()
    {
        Environment.SetEnvironmentVariable("ASPNETCORE_URLS", "http://127.0.0.1:1");
        Environment.SetEnvironmentVariable("Kestrel__Endpoints__Other__Url", "http://127.0.0.1:2");
        try
        {
            await using var http = await ListenAsync();
            Assert.NotEqual(1, new Uri(http.Address).Port);
        }
        finally
        {
            Environment.SetEnvironmentVariable("ASPNETCORE_URLS", null);
            Environment.SetEnvironmentVariable("Kestrel__Endpoints__Other__Url", null);
        }
    }

    [Fact]
    public async Task Http_serves_metrics_and_health()
    {
        _meter.CreateCounter<long>("events").Add(1);
        var (report, alive) =
            (new HealthReport(false, [new ShardHealth(3, 0.25)], [new WorkerTurn(0, TimeSpan.FromSeconds(0.5), false)], []), true);
        await using var http = await HttpEndpoint.ListenAsync("127.0.0.1", 0, _metrics, () => report, () => alive);
        using var client = new HttpClient { BaseAddress = new Uri(http.Address) };

        Assert.Equal(1, Parse(await client.GetStringAsync("/metrics"), out _)["events_total"]);
        foreach (var path in new[] { "/metrics", "/healthz", "/healthz/live" })
        {
            var head = await client.SendAsync(new HttpRequestMessage(HttpMethod.Head, path));
            Assert.Equal((await client.GetAsync(path)).StatusCode, head.StatusCode);
            Assert.Empty(await head.Content.ReadAsByteArrayAsync());
        }
        var restoring = await client.GetAsync("/healthz/ready");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, restoring.StatusCode);
        Assert.Equal("""{"status":"restoring","restoring":[{"partition":3,"progress":0.25}],"workers":[{"worker":0,"since_turn":0.5,"stalled":false}],"away":[]}""", await restoring.Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/healthz/live")).StatusCode);

        report = new HealthReport(false, [], [new WorkerTurn(1, TimeSpan.FromMinutes(3), true)], []);
        var stalled = await client.GetAsync("/healthz");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, stalled.StatusCode);
        Assert.Equal("""{"status":"stalled","restoring":[],"workers":[{"worker":1,"since_turn":180,"stalled":true}],"away":[]}""", await stalled.Content.ReadAsStringAsync());

        report = new HealthReport(false, [], [], [new AwayHealth("schema-registry", 12.5, "500 InternalServerError")]);
        var waiting = await client.GetAsync("/healthz");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, waiting.StatusCode);
        Assert.Equal("""{"status":"waiting","restoring":[],"workers":[],"away":[{"dependency":"schema-registry","seconds":12.5,"reason":"500 InternalServerError"}]}""", await waiting.Content.ReadAsStringAsync());

        (report, alive) = (new HealthReport(true, [], [], []), false);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/healthz")).StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await client.GetAsync("/healthz/live")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/")).StatusCode);
    }

    private Task<HttpEndpoint> ListenAsync() =>
        HttpEndpoint.ListenAsync("127.0.0.1", 0, _metrics, () => new HealthReport(true, [], [], []), () => true);

    private async Task<string> CollectAsync()
    {
        await using var http = await ListenAsync();
        using var client = new HttpClient { BaseAddress = new Uri(http.Address) };
        return await client.GetStringAsync("/metrics");
    }

    /// <summary>A strict reader of the text format: every line is a comment or a sample whose name was typed before.</summary>
    private static Dictionary<string, double> Parse(string text, out Dictionary<string, string> types)
    {
        types = [];
        var samples = new Dictionary<string, double>();
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (Regex.Match(line, "^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)$") is { Success: true } type)
            {
                types.Add(type.Groups[1].Value, type.Groups[2].Value);
                continue;
            }
            if (line.StartsWith("# HELP ", StringComparison.Ordinal)) continue;
            var sample = Regex.Match(line, """^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\["\\n])*",?)*\})? ([^ ]+)$""");
            Assert.True(sample.Success, line);
            var family = Regex.Replace(sample.Groups[1].Value, "_(bucket|sum|count)$", "");
            Assert.True(types.ContainsKey(family) || types.ContainsKey(sample.Groups[1].Value), line);
            samples.Add(sample.Groups[1].Value + sample.Groups[2].Value.Replace("{}", ""),
                double.Parse(sample.Groups[5].Value, CultureInfo.InvariantCulture));
        }
        return samples;
    }
}
