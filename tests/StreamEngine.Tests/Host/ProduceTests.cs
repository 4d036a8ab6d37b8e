using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Embedded;
using StreamEngine.Tests.Events.Avro;
using Xunit;

namespace StreamEngine.Tests.Host;

public sealed class ProduceTests : IDisposable
{
    private const string Config = """
        name: small
        events:
          orders: { topic: orders, format: json, time: { field: at, format: iso }, id: order, customer: who }
          clicks: { topic: clicks, format: csv, columns: [id, who, at], time: { field: at, format: iso }, id: id, customer: who }
        runtime: { max_record_bytes: 200 }
        """;

    private const string Ann = """{"order":"1", "who":"ann","at":"2020-01-01T10:00:00Z"}""";
    private const string Bob = """{"order":"2","who":"bob","at":"2020-01-01T11:00:00Z"  }""";

    private readonly string _folder = Directory.CreateTempSubdirectory("produce-test-").FullName;

    public ProduceTests() => Write("config.yaml", Config);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Lines_go_byte_for_byte_to_the_partition_of_their_customer_and_what_has_none_is_told()
    {
        Write("orders.ndjson", $"{Ann}\n\n{Bob}\r\noh no\n" + """{"order":"3"}""" + "\n" + """{"order":"4","who":"ann","at":"never"}"""
            + $"\n{{\"order\":\"5\",\"who\":\"{new string('x', 300)}\"}}\n{Ann}");
        var (code, output, error) = await RunAsync("--events", In("orders.ndjson"), "--json");
        Assert.True(code == 0, error);
        var summary = JsonNode.Parse(output)!;
        Assert.Equal((7, 4), ((int)summary["read"]!, (int)summary["written"]!));
        Assert.Equal("""{"oversized":1,"malformed":1,"missing-customer":1}""".Length, summary["rejected"]!.ToJsonString().Length);
        Assert.Equal(["4 malformed", "5 missing-customer", "7 oversized"],
            summary["rejects"]!.AsArray().Select(r => $"{r!["line"]} {r["reason"]}"));
        Assert.Contains($"{In("orders.ndjson")}:5: missing-customer: no value in 'who'", error, StringComparison.Ordinal);
        Assert.Contains("created the topics orders, clicks, ", error, StringComparison.Ordinal);

        // What the engine can reject itself, with a dead letter, is its to reject.
        Assert.Equal([(Ann, 1_577_872_800_000), ("""{"order":"4","who":"ann","at":"never"}""", -1), (Ann, 1_577_872_800_000)],
            Read("orders", "ann").Select(r => (r.Value, r.Value == Ann ? r.Timestamp : -1)));
        Assert.Equal([Bob], Read("orders", "bob").Select(r => r.Value));
    }

    [Fact]
    public async Task Files_find_their_sources_and_csv_goes_without_its_header()
    {
        Write("a.csv", "id,who,at\n1,ann,2020-01-01T10:00:00Z\n2,\"bob\",2020-01-01T10:00:00Z\n");
        Write("b.ndjson", Ann);
        var (code, output, error) = await RunAsync("--events", In("*.csv"), In("b.ndjson"));
        Assert.True(code == 0, error);
        Assert.Contains("orders 1, clicks 2", output, StringComparison.Ordinal);
        Assert.Equal(["1,ann,2020-01-01T10:00:00Z"], Read("clicks", "ann").Select(r => r.Value));
        (code, _, error) = await RunAsync("--source", "orders", "--events", In("a.csv"));
        Assert.Equal(2, code);
        Assert.Contains("looks like csv, the source 'orders' is json", error, StringComparison.Ordinal);
        (code, _, error) = await RunAsync("--source", "ordres", "--events", In("a.csv"));
        Assert.Equal(2, code);
        Assert.Contains("there is no source 'ordres'. Sources are orders, clicks.", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Records_that_would_all_be_late_or_without_customer_are_warned_of()
    {
        Write("a.ndjson", $"{Ann}\n{Ann.Replace("2020", "2019", StringComparison.Ordinal)}");
        var (code, _, error) = await RunAsync("--events", In("a.ndjson"));
        Assert.Equal(0, code);
        Assert.Contains("1 events are older by more than time.lateness, 1h,", error, StringComparison.Ordinal);
        Write("a.ndjson", "{}\n{}");
        (code, _, error) = await RunAsync("--events", In("a.ndjson"));
        Assert.Equal(3, code);
        Assert.Contains("no record could be written", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("auto", 5)]
    [InlineData("single-object", 10)]
    [InlineData("bare", 0)]
    public async Task Avro_values_get_the_frame_by_which_the_source_knows_their_schema(string framing, int frame)
    {
        const string schema = """{"type":"record","name":"O","fields":[{"name":"who","type":"string"},{"name":"at","type":"long"}]}""";
        byte[] record = [6, .. "ann"u8, 20];
        File.WriteAllBytes(In("a.avro"), AvroContainer.Of(schema, [record]));
        File.WriteAllBytes(In("b.avro"), AvroContainer.Of(schema.Replace("\"at\"", "\"at2\"", StringComparison.Ordinal), [record]));
        Directory.CreateDirectory(In("schemas"));
        Write("schemas/orders-value-v1.avsc", "\"int\"");
        Write("schemas/orders.avsc", schema);
        Write("schemas/index.json", """{"schemas":[{"id":7,"subject":"orders-value","version":2,"file":"orders.avsc"}]}""");
        var reader = framing == "bare" ? ", schema: schemas/orders.avsc" : "";
        Write("config.yaml", $$"""
            name: small
            events: { orders: { topic: orders, format: avro, framing: {{framing}}, time: at, id: who, customer: who{{reader}} } }
            schemas: { registry: schemas }
            """);
        var (code, _, error) = await RunAsync("--events", In("a.avro"));
        Assert.True(code == 0, error);
        var value = Assert.Single(Read("orders", "ann")).Bytes;
        Assert.Equal(record, value[frame..]);
        if (frame == 5) Assert.Equal([0, 0, 0, 0, 7], value[..5]);
        if (frame == 10) Assert.Equal([0xc3, 1], value[..2]);
        (code, _, error) = await RunAsync("--events", In("b.avro"));
        Assert.Equal(2, code);
        Assert.Contains($"{In("b.avro")}: ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stop_amid_a_pipe_that_rests_tells_what_is_in_the_log()
    {
        using (var made = Process.Start("mkfifo", In("fifo"))) await made.WaitForExitAsync();
        using var stop = new CancellationTokenSource();
        string[] line = ["produce", "--config", In("config.yaml"), "--embedded", In("log"), "--events", $"orders={In("fifo")}", "--rate",
            "1000/s"];
        var producing = Task.Run(() => Cli.RunAsync(line, stop.Token));
        using var pipe = await Task.Run(() => new FileStream(In("fifo"), FileMode.Open, FileAccess.Write));
        pipe.Write(Encoding.UTF8.GetBytes($"{Ann}\n{Bob}\n"));
        pipe.Flush();
        stop.Cancel();
        var (code, output, error) = await producing.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(130, code);
        var written = output.Split('\n').Single(l => l.StartsWith("written ", StringComparison.Ordinal)).Split(' ')[^1];
        Assert.Contains($"stopped after {written} records", error, StringComparison.Ordinal);
        Assert.Equal(written, $"{Read("orders", "ann").Count + Read("orders", "bob").Count}");
    }

    [Fact]
    public async Task Events_reach_a_log_that_another_process_has_open()
    {
        Write("a.ndjson", $"{Ann}\n{Bob}");
        using var open = EmbeddedLog.OpenShared(new EmbeddedLogOptions(In("log")), asOwner: true);
        open.CreateTopics([new TopicSpec("orders", 3)]);
        var (code, output, error) = await RunAsync("--events", In("a.ndjson"));
        Assert.True(code == 0, error);
        Assert.Contains("orders 2", output, StringComparison.Ordinal);
        Assert.Equal(3, open.Partitions("dead-letter"));
        Assert.Equal(2, open.ListTopics().Single(t => t.Name == "orders").Records);
    }

    private Task<(int Code, string Output, string Error)> RunAsync(params string[] more) =>
        Cli.RunAsync(["produce", "--config", In("config.yaml"), "--embedded", In("log"), .. more]);

    /// <summary>The records of a customer: of the one partition that they belong to.</summary>
    private List<(string Value, byte[] Bytes, long Timestamp)> Read(string topic, string customer)
    {
        using var log = new EmbeddedLog(new EmbeddedLogOptions(In("log")));
        if (log.Partitions(topic) == 0) return [];
        var key = Encoding.UTF8.GetBytes(customer);
        using var reader = log.OpenReader();
        reader.Assign(new TopicPartition(topic, Murmur2.Partition(key, log.Partitions(topic))), 0);
        var batch = new RecordBatch();
        reader.Read(batch, 1_000, TimeSpan.Zero);
        return [.. Enumerable.Range(0, batch.Count).Where(i => batch.Key(i).SequenceEqual(key)).Select(i =>
            (Encoding.UTF8.GetString(batch.Value(i)), batch.Value(i).ToArray(), batch[i].Timestamp))];
    }

    private void Write(string name, string text) => File.WriteAllText(In(name), text);

    private string In(string name) => Path.Combine(_folder, name);
}
