using System.Text.Json;
using Parquet;
using StreamEngine.Activation;
using StreamEngine.Activation.Files;
using Xunit;

namespace StreamEngine.Tests.Activation;

/// <summary>Files for a warehouse: every record in one of them.</summary>
public sealed class FileSinkTests : IAsyncLifetime
{
    private readonly ActivationBench _bench = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _bench.DisposeAsync();

    private ActivationOptions Options(ActivationFileFormat format = ActivationFileFormat.Ndjson, int records = 10) => new()
    {
        Name = "warehouse",
        Files = new FilesOptions { Folder = _bench.Folder, Format = format, MaxRecords = records, Interval = TimeSpan.FromMinutes(5) },
    };

    [Fact]
    public async Task Every_record_is_in_one_file_also_where_the_groups_offset_is_behind()
    {
        _bench.WriteActions(55);
        await _bench.DrainAsync(Options());
        Assert.Equal(Enumerable.Range(0, 55), Events().Order());
        var before = Files().Length;
        // A crash after a rename: the group is behind, a file that was begun lies there, and the batches are cut elsewhere.
        File.WriteAllText(Path.Combine(_bench.Folder, "actions-00000-99.ndjson.part"), "half");
        _bench.WriteActions(20, from: 55);
        _bench.ForgetOffsets("warehouse");
        await _bench.DrainAsync(Options(records: 3));
        Assert.Equal(Enumerable.Range(0, 75), Events().Order());
        Assert.True(Files().Length > before);
        Assert.Empty(Directory.EnumerateFiles(_bench.Folder, "*.part"));
    }

    [Fact]
    public async Task A_file_is_closed_by_its_interval()
    {
        _bench.WriteActions(4, customers: 1);
        var group = _bench.Start(Options());
        await _bench.UntilAsync(() => group.Connectors[0].Metrics.InFlight == 4, "the records are read", group);
        Assert.Empty(Files());
        await _bench.UntilAsync(() => Files().Length == 1, "the file", group, TimeSpan.FromSeconds(20));
        Assert.Equal(4, Events().Count);
        Assert.Matches(@"actions-0000[01]-0{20}-0{19}3\.ndjson$", Files().Single());
    }

    [Fact]
    public async Task Csv_has_a_header_and_quotes_what_needs_it()
    {
        _bench.Write("c1", ActivationBench.Action("c1", 1, offer: "a,\\\"b\\\""));
        await _bench.DrainAsync(Options(ActivationFileFormat.Csv) with
        {
            Files = Options(ActivationFileFormat.Csv).Files! with
            {
                Columns = new Dictionary<string, string> { ["who"] = "customer_id", ["what"] = "offer", ["p"] = "probability" },
            },
        });
        Assert.Equal("who,what,p\r\nc1,\"a,\"\"b\"\"\",0.25\r\n", File.ReadAllText(Files().Single()));
    }

    [Fact]
    public async Task Parquet_has_the_types_of_the_fields()
    {
        _bench.WriteActions(5, customers: 1);
        await _bench.DrainAsync(Options(ActivationFileFormat.Parquet));
        await using var reader = await ParquetReader.CreateAsync(Files().Single());
        var fields = reader.Schema.GetDataFields();
        Assert.Equal(typeof(double), fields.Single(f => f.Name == "probability").ClrType);
        Assert.Equal(typeof(DateTime), fields.Single(f => f.Name == "event_time").ClrType);
        using var group = reader.OpenRowGroupReader(0);
        var events = new string?[5];
        await group.ReadAsync(fields.Single(f => f.Name == "event_id"), events.AsMemory());
        Assert.Equal("e0,e1,e2,e3,e4", string.Join(',', events));
        var chances = new double?[5];
        await group.ReadAsync<double>(fields.Single(f => f.Name == "probability"), chances.AsMemory());
        Assert.All(chances, p => Assert.Equal(0.25, p));
    }

    private string[] Files() => [.. Directory.EnumerateFiles(_bench.Folder).Where(f => !f.EndsWith(".part")).Order()];

    private List<int> Events() => [.. Files().SelectMany(File.ReadLines).Select(l =>
        int.Parse(JsonDocument.Parse(l).RootElement.GetProperty("event_id").GetString()![1..]))];
}
