using System.Buffers;
using System.Globalization;
using System.Text.Json;
using HdrHistogram;
using StreamEngine.Testing;

namespace StreamEngine.Benchmarks.Processes;

/// <summary>The engine of <c>perf/edges</c> on a broker of its own: JSON events in, actions out.</summary>
internal sealed class EdgeSite : IDisposable
{
    /// <summary>Partitions of each topic.</summary>
    public const int Partitions = 12;

    private const string Name = "edges";
    private const long Start = 1_700_000_000_000, Step = 10;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private readonly KafkaBroker _broker = KafkaBroker.Start();
    private readonly string[] _settings;

    private EdgeSite(string[] settings)
    {
        _settings = settings;
        Site = new Site(_broker.Address, Partitions) { Config = "perf/edges/streamengine.yaml" };
    }

    /// <summary>Log and folders.</summary>
    public Site Site { get; }

    /// <summary>Opens one whose topics are there.</summary>
    /// <param name="settings">Settings of each process.</param>
    public static async Task<EdgeSite> Open(string[] settings)
    {
        var site = new EdgeSite(settings);
        using var making = site.Command("topics", "create", "--partitions", Partitions.ToString(CultureInfo.InvariantCulture));
        if (await making.Exit(Patience) != 0) throw new InvalidOperationException($"the topics can't be made:\n{making.Output}");
        return site;
    }

    /// <summary>Starts an engine and waits until it is ready.</summary>
    public async Task<EngineProcess> Run()
    {
        var engine = Command("run");
        await NodeCluster.Ready(engine);
        await NodeCluster.Until(engine, async () => await engine.Metric("streamengine_shards") >= Partitions, "has not all the shards");
        return engine;
    }

    /// <summary>Starts a command on the log.</summary>
    public EngineProcess Command(params string[] words) => Site.Command(words,
        [$"name={Name}", $"state.directory={Site.StateOf(Name, "n0")}", "kafka.node_name=n0", "runtime.commit_interval=20ms", .. _settings],
        _ => { });

    /// <summary>Writes an event, a page view that opens a decision; event times rise by 10 ms.</summary>
    public static void Event(IBufferWriter<byte> to, long number, string customer)
    {
        using var json = new Utf8JsonWriter(to);
        json.WriteStartObject();
        json.WriteString("id", string.Create(CultureInfo.InvariantCulture, $"e{number}"));
        json.WriteString("customer", customer);
        json.WriteString("type", "page_view");
        json.WriteNumber("time", Start + number * Step);
        json.WriteString("placement", "home");
        json.WriteNumber("value", number % 1_000 / 10.0);
        json.WriteEndObject();
    }

    /// <summary>A customer's id.</summary>
    public static string Customer(long number) => string.Create(CultureInfo.InvariantCulture, $"customer-{number:D7}");

    /// <summary>A percentile of a histogram of microseconds, as milliseconds.</summary>
    public static double Ms(HistogramBase micros, double percentile) =>
        micros.TotalCount == 0 ? 0 : micros.GetValueAtPercentile(percentile) / 1_000.0;

    /// <summary>A histogram of microseconds, up to a minute.</summary>
    public static LongConcurrentHistogram Histogram() => new(1, 60_000_000, 3);

    public void Dispose()
    {
        Site.Dispose();
        _broker.Dispose();
    }
}
