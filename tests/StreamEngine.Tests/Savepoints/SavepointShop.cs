using System.Text;
using System.Text.Json.Nodes;
using Avro.Generic;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Embedded;
using StreamEngine.Connectors.Kafka;
using StreamEngine.Events;
using StreamEngine.Host.Demo;
using StreamEngine.State.Checkpoints;
using StreamEngine.State.Savepoints;
using StreamEngine.Tests.Events.Avro;
using StreamEngine.Tests.Host;
using Xunit;

namespace StreamEngine.Tests.Savepoints;

/// <summary>A shop with a log of its own, run by the real command line under a config that changes.</summary>
internal sealed class SavepointShop : IDisposable
{
    public const int Partitions = 2;

    private readonly string _folder = Directory.CreateTempSubdirectory("savepoint-").FullName;
    private readonly Demo _shop = new();
    private readonly string? _kafka;
    private readonly string _prefix;

    /// <param name="kafka">A broker; null for an embedded log.</param>
    public SavepointShop(string? kafka = null)
    {
        _kafka = kafka;
        _prefix = kafka is null ? "" : $"sp-{Guid.NewGuid():N}-";
    }

    /// <summary>What both configs have: offers and caps decide the same under both.</summary>
    public string Base => $$"""
        name: {{_prefix}}shop
        purposes: [analytics, marketing]
        events:
          shop:
            topic: {{_prefix}}events
            format: json
            customer: customer_id
            id: event_id
            type: type
            time: { field: event_time, format: millis }
            consent: consent
            fields: { placement: string, value: decimal(2), category: string }
        time: { lateness: 1h }
        duplicates: { horizon: 1h }
        outputs: { decisions: {{_prefix}}decisions, actions: {{_prefix}}actions, dead_letter: {{_prefix}}dead, late: {{_prefix}}late }
        state: { store: {{Store}}, memory: 1mb, directory: state }
        checkpoints: { interval: 20ms }
        http: { port: 0 }
        decisions:
          triggers:
            page: { when: "event.type == 'page_view' && event.placement != ''", placement: event.placement }
            session_end: { timer: session_end, placement: "'push'" }
          caps:
            hourly: { per: customer, max: 3, window: 1h }
            same_offer: { per: offer, max: 2, window: 1d }
        offers:
          club: { eligible: features.buyer_frequency >= 2.0, propensity: 0.05, value: "4.0" }
          often: { applicable: features.views_1h >= 3.0, propensity: 0.03, value: "3.0" }
          newsletter: { propensity: 0.02, value: "1.0" }

        """;

    public const string Features = """
          session_events: { op: count, window: { session: 30m } }
          session_minutes: { op: duration, unit: minutes, window: { session: 30m } }
          views_1h: { op: count, where: event.type == 'page_view', window: { sliding: 1h, every: 5m } }
          buyer: { op: rfm, of: event.value, where: event.type == 'purchase' }
          since: { op: time_since, previous: true }

        """;

    public string Old => Base + "features:\n" + Features + """
          carts_24h: { op: count, where: event.type == 'cart_add', window: { sliding: 24h, every: 1h } }
        timers:
          session_end: { after: 30m }

        """;

    /// <summary>
    /// One feature fewer; new ones in a session, in a ring of panes and in the life time that others have, in a window of their own, a
    /// timer and a cap.
    /// </summary>
    public string New => Base.Replace("same_offer:", "weekly: { per: customer, max: 100, window: 7d }\n    same_offer:", StringComparison.Ordinal) + "features:\n" + Features + """
          session_max: { op: max, of: event.value, window: { session: 30m } }
          carts_1h: { op: sum, of: event.value, where: event.type == 'cart_add', window: { sliding: 1h, every: 5m } }
          returns_7d: { op: count, where: event.type == 'return', window: { sliding: 7d, every: 1d } }
          last_value: { op: last, of: event.value }
          drawn_to: { op: top, of: event.category, half_life: 1d, k: 2, slots: 8 }
          last_type: { op: last, of: event.type, window: { sliding: 7d, every: 1d } }
        timers:
          session_end: { after: 30m }
          win_back: { start: event.type == 'purchase', after: 3h }

        """;

    /// <summary>The kind of store.</summary>
    public string Store { get; init; } = "memory";

    /// <summary>The source topic.</summary>
    public string Events => $"{_prefix}events";

    /// <summary>The folder of everything.</summary>
    public string Folder => _folder;

    /// <summary>Where a shard's checkpoints are.</summary>
    public string Checkpoints(int shard) => Path.Combine(_folder, "state", "checkpoints", $"{_prefix}shop", $"shard-{shard}");

    /// <summary>A savepoint's folder.</summary>
    public string Savepoint(string name) => Path.Combine(_folder, "state", "savepoints", name);

    private string[] Log => _kafka is null ? ["--embedded", Path.Combine(_folder, "log")] : ["--kafka", _kafka];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Runs a command on the log, with a config.</summary>
    public async Task<(int Code, string Output, string Error)> Run(string config, CancellationToken stop, params string[] words)
    {
        var path = Path.Combine(_folder, "streamengine.yaml");
        File.WriteAllText(path, config);
        return await Cli.RunAsync([.. words, "--config", path, .. Log], stop);
    }

    /// <summary>Runs a command that must succeed.</summary>
    public async Task<(string Output, string Error)> Do(string config, params string[] words)
    {
        var (code, output, error) = await Run(config, CancellationToken.None, words);
        Assert.True(code == 0, $"{string.Join(' ', words)}: {code}\n{error}");
        return (output, error);
    }

    /// <summary>Runs a command that must fail with a code; returns what it says.</summary>
    public async Task<string> Fail(int code, string config, params string[] words)
    {
        var result = await Run(config, CancellationToken.None, words);
        Assert.True(code == result.Code, $"{string.Join(' ', words)}: {result.Code}\n{result.Output}\n{result.Error}");
        return result.Error;
    }

    /// <summary>Makes the topics.</summary>
    public Task Create(string config) => Do(config, "topics", "create", "--partitions", $"{Partitions}");

    /// <summary>Appends events, some of them late by less than the lateness.</summary>
    public void Write(int count)
    {
        using var log = OpenLog();
        using var writer = log.OpenWriter();
        using var encoder = new ShopEventWriter(RecordFormat.Json);
        foreach (var (customer, value, time) in _shop.Take(count, encoder)) writer.Write($"{_prefix}events", customer, value, time);
        writer.Flush();
    }

    /// <summary>Appends events and lets a config's engine process them.</summary>
    public async Task<string> Live(string config, int count)
    {
        Write(count);
        return (await Do(config, "run", "--drain")).Error;
    }

    public ILog OpenLog() => _kafka is null ? new EmbeddedLog(new EmbeddedLogOptions(Path.Combine(_folder, "log")))
        : new KafkaLog(new KafkaLogOptions { Bootstrap = _kafka });

    /// <summary>All decisions and marks, in order, by partition.</summary>
    public List<JsonObject> Decisions()
    {
        var schema = ApacheAvro.Of("decision");
        var all = new List<JsonObject>();
        using var log = OpenLog();
        using var reader = log.OpenReader();
        var batch = new RecordBatch();
        for (var p = 0; p < Partitions; p++)
        {
            var at = new TopicPartition($"{_prefix}decisions", p);
            var end = log.Watermarks(at).High;
            if (end == 0) continue;
            reader.Assign(at, 0);
            while (reader.Position < end)
            {
                reader.Read(batch, 1_000, TimeSpan.FromMilliseconds(100));
                for (var i = 0; i < batch.Count; i++)
                {
                    var d = schema.Record(batch.Value(i)[5..]);
                    all.Add(new JsonObject
                    {
                        ["id"] = d.Text("decision_id"),
                        ["outcome"] = d.Text("outcome"),
                        ["chosen"] = (d["chosen"] as GenericRecord)?["offer"]?.ToString(),
                        ["features"] =
                            new JsonArray([.. ((IEnumerable<object?>)d["features"]!)
                            .Select(f => JsonValue.Create(Convert.ToDouble(f, System.Globalization.CultureInfo.InvariantCulture)))]),
                    });
                }
            }
        }
        return all;
    }

    /// <summary>Saves under a config, and reads every slot of every profile: by customer and slot name, and the tail.</summary>
    public async Task<SortedDictionary<string, string>> Slots(string config, string name)
    {
        await Do(config, "savepoint", "create", name);
        return Read(Savepoint(name));
    }

    public static SortedDictionary<string, string> Read(string savepoint)
    {
        var manifest = SavepointFolder.Read(savepoint);
        var all = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var shard in manifest.Shards)
        {
            SavepointFolder.Verify(savepoint, shard);
            using var reader = new CheckpointReader(Path.Combine(savepoint, shard.File));
            byte[] room = [];
            while (reader.Next(out var block))
            {
                if (block.Kind != BlockKind.Profiles) continue;
                var payload = block.Payload;
                while (block.Next(ref payload, ref room, out var key, out var profile))
                {
                    var customer = Encoding.UTF8.GetString(key);
                    foreach (var slot in manifest.Layout.Slots) all.Add($"{customer} {slot.Name}", Convert.ToHexString(slot.In(profile)));
                    all.Add($"{customer} tail", Convert.ToHexString(profile[manifest.Layout.FixedLength..]));
                }
            }
        }
        return all;
    }

    /// <summary>A shop's events; the same in every instance.</summary>
    private sealed class Demo
    {
        private readonly Shop _shop = new(5, 60);
        private readonly Random _random = new(7);
        private int _count;

        public IEnumerable<(byte[] Customer, byte[] Value, long Time)> Take(int count, ShopEventWriter encoder)
        {
            for (var i = 0; i < count; i++)
            {
                var time = 1_700_000_000_000 + _count++ * 15_000L;
                var e = _shop.Next(_random.NextDouble() < 0.05 ? time - _random.Next(0, 3_000_000) : time);
                yield return (Encoding.UTF8.GetBytes(e.CustomerId), encoder.Write(e).ToArray(), e.Time);
            }
        }
    }
}
