using System.Diagnostics;
using StreamEngine.Testing;
using StreamEngine.Tests.Configuration;
using Xunit;

namespace StreamEngine.Tests.Host;

/// <summary>What a start asks the schema registry, and what it does while nobody answers.</summary>
public sealed class RegistryStartTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("registry-start-").FullName;
    private RegistryServer _registry = null!;

    private string[] Line(string command, params string[] more) =>
        [command, "--config", Path.Combine(_folder, "shop.yaml"), .. more, "--set", $"schemas.registry={_registry.Url}"];

    public async Task InitializeAsync()
    {
        _registry = await RegistryServer.RunAsync();
        File.WriteAllText(Path.Combine(_folder, "shop.yaml"), """
            name: shop
            schemas: { basic_auth_user_info: "ann:secret-4711" }
            events:
              shop: { topic: events, schema: reader.avsc, customer: who, id: id, time: at, fields: { total: double } }
            features: { n: { op: count } }
            http: { port: 0 }
            state: { store: memory }
            """);
        File.WriteAllText(Path.Combine(_folder, "reader.avsc"), Schema("""{"name":"total","type":"double"}"""));
        _registry.Add(1, Schema("""{"name":"total","type":"double"}"""), "events-value", 4);
    }

    public async Task DisposeAsync()
    {
        await _registry.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_readers_schema_that_can_read_the_newest_one_starts()
    {
        var (code, _, error) = await Cli.RunAsync(Line("validate"));
        Assert.Equal((0, ""), (code, error));
        Assert.Equal(["GET /subjects/events-value/versions/latest", "POST /compatibility/subjects/decisions-value/versions/latest",
            "POST /compatibility/subjects/dead-letter-value/versions/latest"], _registry.Requests);
        Assert.Empty(_registry.Registered);
    }

    [Fact]
    public async Task What_the_registry_does_not_take_is_told_by_every_command()
    {
        string[] lookup = ["--set", "outputs.register=false"];
        string[] log = ["--embedded", Path.Combine(_folder, "log")];
        await Cli.RunAsync(["topics", "create", .. Line("")[1..], .. log]);
        _registry.Closed.Add("decisions-value");
        foreach (var line in new[] { Line("validate"), Line("run", [.. log, "--drain"]) })
        {
            var (code, _, error) = await Cli.RunAsync(line);
            Assert.True(code == 2, error);
            Assert.Contains("the schema of topic 'decisions' (decision.avsc) has no id: ", error, StringComparison.Ordinal);
            Assert.Contains("set outputs.register: false", error, StringComparison.Ordinal);
        }
        Assert.DoesNotContain("decisions-value", _registry.Registered.Keys);

        // Registered by somebody else, from the file; then only looked up.
        foreach (var line in new[] { Line("validate", lookup), Line("run", [.. log, "--drain", .. lookup]) })
        {
            var (code, _, error) = await Cli.RunAsync(line);
            Assert.True(code == 2, error);
            Assert.Contains("it is not registered under 'decisions-value'", error, StringComparison.Ordinal);
            Assert.Contains("Register schemas/decision.avsc under 'decisions-value', or set outputs.register: true", error,
                StringComparison.Ordinal);
        }
        foreach (var (topic, file) in new[] { ("decisions", "decision"), ("dead-letter", "dead-letter") })
            _registry.Registered[$"{topic}-value"] = (31, File.ReadAllText(Repository.Path("schemas", $"{file}.avsc")));
        foreach (var line in new[] { Line("validate", lookup), Line("run", [.. log, "--drain", .. lookup]) })
        {
            var (code, _, error) = await Cli.RunAsync(line);
            Assert.True(code == 0, error);
        }
        Assert.DoesNotContain("POST /subjects/dead-letter-value/versions", _registry.Requests.TakeLast(4));
    }

    [Fact]
    public async Task Every_place_where_the_newest_schema_can_not_be_read_is_told()
    {
        _registry.Add(7, """
            {"type":"record","name":"Shop","fields":[{"name":"id","type":"string"},{"name":"who","type":"string"},
              {"name":"at","type":{"type":"long","logicalType":"timestamp-micros"}},{"name":"total","type":"string"}]}
            """, "events-value", 5);
        foreach (var line in new[] { Line("validate"), Line("run", "--embedded", Path.Combine(_folder, "log")) })
        {
            var (code, _, error) = await Cli.RunAsync(line);
            Assert.Equal(2, code);
            Assert.Contains("2 mistakes", error, StringComparison.Ordinal);
            Assert.Contains("reader.avsc can't read 'events-value' version 5 (id 7), the newest that is registered, at 'total': "
                + "string can't be read as double", error, StringComparison.Ordinal);
            Assert.Contains("at 'at': a TimestampMicros would be read as a TimestampMillis", error, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_registry_that_does_not_answer_is_told_and_the_start_goes_on(bool answers500)
    {
        if (answers500)
        {
            _registry.Status = 500;
            _registry.Body = """{"error_code":50001,"message":"no leader for {authorization}"}""";
        }
        else await _registry.StopAsync();
        var (code, _, error) = await Cli.RunAsync(Line("validate"));
        Assert.Equal(0, code);
        Assert.Contains("warning: the source 'shop' is not checked against the newest schema of 'events-value': ", error,
            StringComparison.Ordinal);
        if (answers500) Assert.Contains("no leader for Basic ***", error, StringComparison.Ordinal);
        Assert.DoesNotContain("secret-4711", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_start_that_waits_is_told_and_ends_by_an_answer_or_by_a_signal()
    {
        string[] run = [.. Line("run", "--embedded", Path.Combine(_folder, "log"), "--drain"), "--set", "schemas.at_start=wait"];
        _registry.Status = 500;
        using (var stop = new CancellationTokenSource(TimeSpan.FromSeconds(3)))
        {
            var began = Stopwatch.GetTimestamp();
            var (code, _, error) = await Cli.RunAsync(run, stop.Token);
            Assert.Equal(0, code);
            Assert.Contains("the start waits for the schema registry (schemas.at_start: wait): ", error, StringComparison.Ordinal);
            Assert.True(Stopwatch.GetElapsedTime(began) > TimeSpan.FromSeconds(2), error);
        }
        await Cli.RunAsync(["topics", "create", .. Line("")[1..], "--embedded", Path.Combine(_folder, "log")]);
        var running = Task.Run(() => Cli.RunAsync(run));
        await Task.Delay(2_000);
        Assert.False(running.IsCompleted);
        _registry.Status = null;
        var ended = await running.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.True(ended.Code == 0, ended.Error);
    }

    private static string Schema(string field) => """
        {"type":"record","name":"Shop","fields":[{"name":"id","type":"string"},{"name":"who","type":"string"},
          {"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},{FIELD}]}
        """.Replace("{FIELD}", field, StringComparison.Ordinal);
}
