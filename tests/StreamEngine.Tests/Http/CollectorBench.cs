using System.Collections;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Embedded;
using StreamEngine.Host.Collector;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Http;
using StreamEngine.Host.Telemetry;
using StreamEngine.Runtime;
using Xunit;

namespace StreamEngine.Tests.Http;

/// <summary>A record as the log has it.</summary>
internal sealed record Written(int Partition, string Key, string Value, long Timestamp)
{
    /// <summary>The value as JSON.</summary>
    public JsonNode Json => JsonNode.Parse(Value)!;
}

/// <summary>The collector of a config behind a real Kestrel, before an embedded log whose writer can be held up.</summary>
internal sealed class CollectorBench : IAsyncDisposable
{
    public const int Partitions = 3;

    private const string Config = """
        name: collected
        purposes: [ads]
        events:
          track:
            topic: track
            format: json
            customer: [userId, anonymousId]
            id: messageId
            time: [timestamp, receivedAt]
            type: event
            consent: { ads: context.consent.categoryPreferences.ads }
            requires: [ads]
            fields: { revenue: { from: properties.revenue, type: decimal(2) }, call: { from: type, type: string } }
          shop: { topic: shop, format: json, customer: c, id: id, time: t, fields: { v: double } }
          packed: { topic: packed, format: avro, schema: packed.avsc, framing: bare, customer: c, id: id, time: t }
        features:
          n: { op: count }
        collector:
          segment: track
          hash_key_file: secret
          max_body: 100kb
          max_events: 100
          max_depth: 8
          queue: 2mb
          sources:
            track: { origins: ['https://shop.example'], arrival: receivedAt, make_id: messageId, hash: [context.traits.email] }
            shop: {}
            packed: {}

        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("collector-").FullName;
    private readonly MetricsEndpoint _metrics = new();
    private readonly CompiledEngine _compiled;
    private readonly EmbeddedLog _log;
    private HttpEndpoint _http = null!;

    private CollectorBench(string? file, string[] sets)
    {
        if (file is null) File.WriteAllText(file = Path.Combine(_folder, "c.yaml"), Config);
        File.WriteAllText(Path.Combine(_folder, "secret"), "pepper\n");
        File.WriteAllText(Path.Combine(_folder, "packed.avsc"), """
            {"type":"record","name":"E","fields":[{"name":"c","type":"string"},{"name":"id","type":"string"},{"name":"t","type":"long"}]}
            """);
        var errors = new ConfigErrors();
        Loaded = ConfigLoader.Load(file, sets, new Hashtable(), errors);
        var compiled = ConfigCheck.CompileForTopics(Loaded, errors);
        errors.ThrowIfAny();
        _compiled = compiled!;
        _log = new EmbeddedLog(new EmbeddedLogOptions(Path.Combine(_folder, "log"))
        {
            WriteMemoryBytes = 4 << 20,
            PageBytes = 1 << 20,
            SegmentBytes = 16 << 20,
        });
        _log.CreateTopics(Topics.Needed(Loaded.Options, Partitions));
        Collector = new EventCollector(Loaded.Options.Collector!, _compiled, () => new HeldWriter(_log.OpenWriter(), Gate),
            "pepper"u8.ToArray(), 1_000_000, Said.Add);
    }

    public LoadedConfig Loaded { get; }

    public EventCollector Collector { get; }

    public List<string> Said { get; } = [];

    /// <summary>Closed, the log makes nothing durable.</summary>
    public ManualResetEventSlim Gate { get; } = new(true);

    public HttpClient Client { get; private set; } = null!;

    public string Address => _http.Address;

    public static Task<CollectorBench> Open(params string[] sets) => OpenFile(null, sets);

    /// <summary>The same with a config of its own.</summary>
    public static async Task<CollectorBench> OpenFile(string? file, params string[] sets)
    {
        var bench = new CollectorBench(file, sets);
        var http = bench.Loaded.Options.Http;
        bench._http = await HttpEndpoint.ListenAsync("127.0.0.1", 0, bench._metrics, () => new HealthReport(true, [], [], []), () => true,
            app => CollectorEndpoints.Map(app, bench.Collector), http.Hosts, http, say: bench.Said.Add);
        bench.Client = new HttpClient { BaseAddress = new Uri(bench._http.Address) };
        return bench;
    }

    /// <summary>Sends events; the answer's status and body.</summary>
    public async Task<(int Status, JsonNode Body)> Post(string path, string body, string type = "application/json",
        Action<HttpRequestMessage>? change = null)
    {
        using var reply = await Send(path, Encoding.UTF8.GetBytes(body), type, change);
        return ((int)reply.StatusCode, JsonNode.Parse(await reply.Content.ReadAsStringAsync())!);
    }

    public async Task<HttpResponseMessage> Send(string path, byte[] body, string type, Action<HttpRequestMessage>? change = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        change?.Invoke(request);
        return await Client.SendAsync(request);
    }

    /// <summary>What a topic holds.</summary>
    public List<Written> Read(string topic) => Read(_log, topic);

    public static List<Written> Read(ILog log, string topic)
    {
        var found = new List<Written>();
        using var reader = log.OpenReader();
        var batch = new RecordBatch();
        for (var p = 0; p < log.Partitions(topic); p++)
        {
            var at = new TopicPartition(topic, p);
            var (low, high) = log.Watermarks(at);
            reader.Assign(at, low);
            while (reader.Position < high)
            {
                reader.Read(batch, 1_000, TimeSpan.FromMilliseconds(100));
                for (var i = 0; i < batch.Count; i++)
                    found.Add(new Written(p, Encoding.UTF8.GetString(batch.Key(i)), Encoding.UTF8.GetString(batch.Value(i)),
                        batch[i].Timestamp));
            }
        }
        Assert.All(found, r => Assert.Equal(Murmur2.Partition(Encoding.UTF8.GetBytes(r.Key), log.Partitions(topic)), r.Partition));
        return found;
    }

    public async ValueTask DisposeAsync()
    {
        Gate.Set();
        Client?.Dispose();
        if (_http is not null) await _http.DisposeAsync();
        Collector.Dispose();
        _metrics.Dispose();
        _compiled.Dispose();
        _log.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private sealed class HeldWriter(ILogWriter writer, ManualResetEventSlim gate) : ILogWriter
    {
        public void Write(string topic, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long timestamp) =>
            writer.Write(topic, key, value, timestamp);

        public void Flush()
        {
            gate.Wait();
            writer.Flush();
        }

        public void Dispose() => writer.Dispose();
    }
}
