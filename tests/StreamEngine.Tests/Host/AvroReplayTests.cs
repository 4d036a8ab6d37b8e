using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Avro.Generic;
using StreamEngine.Tests.Events.Avro;
using Xunit;

namespace StreamEngine.Tests.Host;

/// <summary>Replays of Avro files that were written with several versions of a schema, leniently, or to do harm.</summary>
public sealed class AvroReplayTests : IDisposable
{
    private const string Config = """
        name: small
        events:
          orders: { topic: orders, format: avro, time: at, id: order, customer: who, fields: { value: decimal(2) } }
        features: { spent: { op: sum, of: event.value } }
        state: { store: memory }
        """;

    private const string Money = """{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}""";
    private const string Millis = """{"type":"long","logicalType":"timestamp-millis"}""";
    private const long Day = 1_577_880_000_000;

    private readonly string _folder = Directory.CreateTempSubdirectory("avro-replay-").FullName;

    public AvroReplayTests() => Write("config.yaml", Config);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Every_file_is_read_by_its_own_scale_and_unit_of_time()
    {
        WriteFile("a.avro", Order(Money, Millis), ("1", Day, Decimal(10_00)));
        WriteFile("b.avro", Order(Money.Replace("2}", "4}"), Millis), ("2", Day + 1, Decimal(10_0000)));
        WriteFile("c.avro", Order(Money, Millis.Replace("millis", "micros")), ("3", (Day + 2) * 1000, Decimal(10_00)));
        Assert.Equal("customer_id,spent\nann,30\n", await FeaturesAsync());
    }

    [Fact]
    public async Task Files_of_several_versions_are_resolved_by_the_readers_schema()
    {
        Write("config.yaml", Config.Replace("format: avro", "format: avro, schema: order.avsc"));
        Write("order.avsc", Order("\"double\"", "\"long\"").Replace("\"value\"", "\"value\",\"aliases\":[\"price\"],\"default\":7"));
        WriteFile("a.avro", Order("\"int\"", "\"long\""), ("1", Day, 3));
        WriteFile("b.avro", Order("\"float\"", "\"long\"").Replace("\"value\"", "\"price\""), ("2", Day + 1, 2.5f));
        WriteFile("c.avro", Order("\"float\"", "\"long\"").Replace("\"value\"", "\"other\""), ("3", Day + 2, 2.5f));
        Assert.Equal("customer_id,spent\nann,12.5\n", await FeaturesAsync());
    }

    [Fact]
    public async Task A_file_that_the_readers_schema_can_not_resolve_is_named()
    {
        Write("config.yaml", Config.Replace("format: avro", "format: avro, schema: order.avsc"));
        Write("order.avsc", Order("\"double\"", "\"long\""));
        WriteFile("a.avro", Order("\"double\"", "\"long\""), ("1", Day, 3.0));
        WriteFile("b.avro", Order("\"double\"", "\"long\"").Replace("\"value\"", "\"price\""), ("2", Day + 1, 3.0));
        var (code, _, error) = await RunAsync();
        Assert.Equal(2, code);
        Assert.Contains($"{In("b.avro")}: events: the file's schema can't be read with the source's", error, StringComparison.Ordinal);
        Assert.Contains("'value'", error, StringComparison.Ordinal);
        Assert.DoesNotContain("a.avro", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dead_letters_of_files_are_masked_by_the_schema_that_wrote_them()
    {
        Write("config.yaml", Config.Replace("format: avro", "format: avro, schema: order.avsc, pii: [mail]"));
        Write("order.avsc", Order("\"double\"", "\"long\"", """,{"name":"mail","type":"string","default":""}"""));
        WriteFile("a.avro", Order("\"double\"", "\"long\""), ("1", Day, 3.0));
        var mailed = Order("\"string\"", "\"long\"", """,{"name":"mail","type":"string"}""");
        WriteFile("b.avro", mailed, ("2", Day, "no number", "ann@example.com"));
        var (code, _, error) = await RunAsync();
        Assert.True(code == 0, error);
        var letter = JsonNode.Parse(File.ReadAllText(In("out/dead-letter.ndjson")))!;
        Assert.Equal("wrong-type", (string)letter["reason"]!);
        Assert.Equal((In("b.avro"), 1), ((string)letter["file"]!, (int)letter["record"]!));
        var kept = Encoding.Latin1.GetString(Convert.FromBase64String((string)letter["bytes"]!["base64"]!));
        Assert.Contains("no number\u0006***", kept, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_only_a_reader_must_keep_does_not_make_a_writers_schema_unusable()
    {
        // An unfit default, and names with a hyphen: in the namespace, of a field, of an alias and of a symbol.
        const string Odd = """,{"name":"odd-field","aliases":["x-y"],"type":{"type":"enum","name":"E","symbols":["a-b"]}},{"name":"n","type":["null","my-shop.Order"],"default":"none"}""";
        var schema = Order("\"double\"", "\"long\"", Odd).Replace("\"Order\"", "\"Order\",\"namespace\":\"my-shop\"");
        byte[] record =
        [
            2, (byte)'1', 6, .. "ann"u8, .. ApacheAvro.Encode(global::Avro.Schema.Parse("\"long\""), Day),
            .. BitConverter.GetBytes(2.5), 0, 0,
        ];
        File.WriteAllBytes(In("a.avro"), AvroContainer.Of(schema, [record]));
        Directory.CreateDirectory(In("schemas"));
        Write("schemas/1.avsc", schema);
        Assert.Equal("customer_id,spent\nann,2.5\n", await FeaturesAsync());
        Write("config.yaml", Config.Replace("format: avro", "format: avro, schema: schemas/1.avsc"));
        var (code, _, error) = await RunAsync();
        Assert.Equal(2, code);
        Assert.Contains("schemas/1.avsc: line 1: ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_small_file_takes_little_time_and_memory()
    {
        File.WriteAllBytes(In("a.avro"), AvroContainer.Of("""{"type":"record","name":"R","fields":[]}""", "null", (10_000_000, [])));
        await RefusedAsync("no bytes");
        var bomb = new MemoryStream();
        using (var deflate = new System.IO.Compression.DeflateStream(bomb, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true))
            for (var i = 0; i < 1200; i++) deflate.Write(new byte[1 << 20]);
        File.WriteAllBytes(In("a.avro"), AvroContainer.Of(Order("\"double\"", "\"long\""), "deflate", (1, bomb.ToArray())));
        // Other tests allocate meanwhile; what the bomb itself takes shows in every round.
        var least = long.MaxValue;
        for (var round = 0; round < 5; round++)
        {
            var before = GC.GetTotalAllocatedBytes();
            await RefusedAsync("larger than");
            least = Math.Min(least, GC.GetTotalAllocatedBytes() - before);
        }
        Assert.InRange(least, 0, 600 << 20); // of 1,200 that it unfolds to
        File.WriteAllBytes(In("a.avro"), AvroContainer.Of(new string(' ', 20 << 20) + "\"int\"", "null"));
        await RefusedAsync("header");
    }

    [Fact]
    public async Task A_name_in_a_file_reaches_the_terminal_escaped()
    {
        File.WriteAllBytes(In("a.avro"), AvroContainer.Of("\"int\"", "\u001b[31mred"));
        await RefusedAsync("'\\u001b[31mred'");
        File.WriteAllBytes(In("a.avro"), AvroContainer.Of("\"\\u001b[31mred\"", "null"));
        await RefusedAsync("'\\u001b[31mred'");
    }

    private async Task RefusedAsync(string message)
    {
        var clock = Stopwatch.StartNew();
        var (code, _, error) = await RunAsync();
        Assert.NotEqual(0, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', error);
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 60);
    }

    private async Task<string> FeaturesAsync()
    {
        var (code, _, error) = await RunAsync();
        Assert.True(code == 0, error);
        return File.ReadAllText(In("out/features.csv"));
    }

    private Task<(int Code, string Output, string Error)> RunAsync() =>
        Cli.RunAsync("replay", "--config", In("config.yaml"), "--events", In("*.avro"), "--out", In("out"));

    private static string Order(string value, string time, string more = "") =>
        """{"type":"record","name":"Order","fields":[{"name":"order","type":"string"},{"name":"who","type":"string"},"""
        + $$"""{"name":"at","type":{{time}}},{"name":"value","type":{{value}}}{{more}}]}""";

    private void WriteFile(string name, string schema, System.Runtime.CompilerServices.ITuple order)
    {
        // Values are written as they are: a decimal as bytes, a time as a number.
        var plain = schema.Replace("logicalType", "meaning");
        var parsed = (global::Avro.RecordSchema)global::Avro.Schema.Parse(plain);
        var record = new GenericRecord(parsed);
        foreach (var field in parsed.Fields)
            record.Add(field.Pos, field.Pos == 1 ? "ann" : order[field.Pos == 0 ? 0 : field.Pos - 1]);
        File.WriteAllBytes(In(name), AvroContainer.Of(schema, [ApacheAvro.Encode(parsed, record)]));
    }

    private static byte[] Decimal(int unscaled) => new System.Numerics.BigInteger(unscaled).ToByteArray(isBigEndian: true);

    private void Write(string name, string text) => File.WriteAllText(In(name), text);

    private string In(string name) => Path.Combine(_folder, name);
}
