using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Avro.Generic;
using Avro.IO;
using Confluent.SchemaRegistry;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Embedded;
using StreamEngine.Decisions;
using StreamEngine.Events;
using StreamEngine.Host.Demo;
using StreamEngine.Host.Replay;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Host;

/// <summary>What ordinary consumers meet in the output topics: Avro under a registry's ids, with the features' names, or JSON.</summary>
public sealed class OutputFormatTests : IAsyncLifetime
{
    private const int Count = 600;
    private readonly string _folder = Directory.CreateTempSubdirectory("format-").FullName;
    private readonly string _config = Configuration.Repository.Path("deploy", "samples", "demo", "streamengine.yaml");
    private readonly Shop _shop = new(5, 50);
    private RegistryServer _registry = null!;
    private long _time = 1_700_000_000_000;

    public async Task InitializeAsync() => _registry = await RegistryServer.RunAsync();

    public async Task DisposeAsync()
    {
        await _registry.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_consumer_with_the_registry_reads_every_output_and_the_names_of_the_features()
    {
        WriteEvents("log");
        await DrainAsync("log", $"schemas.registry={_registry.Url}");
        Assert.Equal(["actions-value", "dead-letter-value", "decisions-value"], _registry.Registered.Keys.Order());
        using var client = new CachedSchemaRegistryClient(new SchemaRegistryConfig { Url = _registry.Url });
        foreach (var (topic, key) in new[] { ("actions", "action_id"), ("dead-letter", "sha256"), ("decisions", "decision_id") })
        {
            var records = Read("log", topic);
            Assert.NotEmpty(records);
            foreach (var value in records)
            {
                var id = BinaryPrimitives.ReadInt32BigEndian(value.AsSpan(1));
                Assert.Equal(_registry.Registered[$"{topic}-value"].Id, id);
                var schema = global::Avro.Schema.Parse((await client.GetSchemaAsync(id)).SchemaString);
                using var bytes = new MemoryStream(value, 5, value.Length - 5);
                var record = new GenericDatumReader<GenericRecord>(schema, schema).Read(null!, new BinaryDecoder(bytes));
                Assert.Equal(bytes.Length, bytes.Position);
                Assert.NotEqual("", record[key]);
                if (topic != "decisions" || ((object[])record["features"]!).Length is not (> 0 and var length)) continue;
                var names = JsonSerializer.Deserialize<string[]>(record.Schema["features"].GetProperty("names"))!;
                Assert.Equal((length, "session_events"), (names.Length, names.FirstOrDefault(n => n == "session_events")));
            }
        }
    }

    [Fact]
    public async Task What_was_decided_is_restored_under_other_ids_and_without_the_registry()
    {
        WriteEvents("log");
        var decisions = await DrainAsync("log", $"schemas.registry={_registry.Url}");
        await using (var other = await RegistryServer.RunAsync())
        {
            other.Newest = OutputSchemas.DecisionWithoutOrigin - 1; // the next is another schema's fixed id
            await DrainAsync("log", $"schemas.registry={other.Url}");
            WriteEvents("log");
            decisions += await DrainAsync("log", $"schemas.registry={other.Url}");
        }
        WriteEvents("log");
        decisions += await DrainAsync("log");
        Assert.Equal(decisions, Read("log", "decisions").Select(v => Convert.ToHexString(v)).Distinct().Count());
        Assert.Equal(3, Read("log", "decisions").Select(v => BinaryPrimitives.ReadInt32BigEndian(v.AsSpan(1))).Distinct().Count());
    }

    [Fact]
    public async Task Json_says_what_Avro_says()
    {
        WriteEvents("avro");
        (_time, var again) = (1_700_000_000_000, new Shop(5, 50));
        WriteEvents("json", again);
        await DrainAsync("avro");
        await DrainAsync("json", "outputs.format=json");
        Assert.Equal(Read("avro", "decisions").Select(Convert.ToHexString), Read("json", "decisions").Select(Convert.ToHexString));
        foreach (var (topic, schema) in new[] { ("actions", "action"), ("dead-letter", "dead-letter") })
        {
            var avro = Lines(Read("avro", topic), schema);
            Assert.NotEmpty(avro);
            Assert.Equal(avro, Read("json", topic).Select(Encoding.UTF8.GetString));
            Assert.All(avro, line => Assert.NotNull(JsonNode.Parse(line)));
        }
    }

    /// <summary>Runs the engine to the log's end; how many decisions it made.</summary>
    private async Task<int> DrainAsync(string log, params string[] sets)
    {
        string[] common = ["--config", _config, "--embedded", Path.Combine(_folder, log), "--set", "events.shop.format=json", "--set",
            "state.store=memory", "--set", "http.port=0", .. sets.SelectMany(s => new[] { "--set", s })];
        var (code, output, error) = await Cli.RunAsync(["run", "--drain", .. common]);
        Assert.True(code == 0, error);
        return (int)JsonNode.Parse(output)!["decisions"]!;
    }

    private void WriteEvents(string folder, Shop? shop = null)
    {
        using var log = new EmbeddedLog(new EmbeddedLogOptions(Path.Combine(_folder, folder)));
        log.CreateTopics([.. new[] { "events", "decisions", "dead-letter", "late", "actions" }.Select(t => new TopicSpec(t, 1))]);
        using var writer = log.OpenWriter();
        using var encoder = new ShopEventWriter(RecordFormat.Json);
        for (var i = 0; i < Count; i++)
        {
            var e = (shop ?? _shop).Next(_time += 1_000);
            writer.Write("events", Encoding.UTF8.GetBytes(e.CustomerId), encoder.Write(e), e.Time);
        }
        writer.Write("events", "c1"u8, "{\"who\":\"\\u0001 \"quoted\" zwölf €"u8, _time);
        writer.Write("events", "c1"u8, [0xFF, 0x00, 0x80], _time);
        writer.Flush();
    }

    private List<byte[]> Read(string folder, string topic)
    {
        using var log = new EmbeddedLog(new EmbeddedLogOptions(Path.Combine(_folder, folder)));
        using var reader = log.OpenReader();
        var (values, batch) = (new List<byte[]>(), new RecordBatch());
        reader.Assign(new TopicPartition(topic, 0), 0);
        for (reader.Read(batch, 1_000, TimeSpan.Zero); batch.Count > 0; reader.Read(batch, 1_000, TimeSpan.Zero))
            for (var i = 0; i < batch.Count; i++) values.Add(batch.Value(i).ToArray());
        return values;
    }

    /// <summary>The records as replay's files have them, which Apache's implementation reads.</summary>
    private static string[] Lines(List<byte[]> values, string schema)
    {
        using var text = new MemoryStream();
        using (var json = new AvroJson(schema, text))
            foreach (var value in values) json.Write(json.Read(value));
        return Encoding.UTF8.GetString(text.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
