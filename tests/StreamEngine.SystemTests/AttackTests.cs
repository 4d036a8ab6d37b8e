using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text;
using System.Text.Json;
using StreamEngine.SystemTests.Runs;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.SystemTests;

/// <summary>
/// What an outsider would try, against the program as a process of its own: configs, files and requests that are made to end it, to
/// fill its memory, to forge what it prints or to get at secrets. Each attack ends in time, in little memory, with a plain message.
/// </summary>
[Collection(nameof(EmbeddedChaosTests)), UnsupportedOSPlatform("windows")]
public sealed class AttackTests : IDisposable
{
    private const string Secret = "geheim123", Escape = "\u001b[31m";
    private const int ConfigMb = 400, FileMb = 500;

    private const string Config = """
        name: attacked
        purposes: []
        events:
          e: { topic: e, format: json, customer: c, id: id, time: t, type: type, fields: { v: double } }
        features:
          n: { op: count }

        """;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly string _folder = Directory.CreateTempSubdirectory("streamengine-attack-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>The config, what must be said of it, and the exit code 2.</summary>
    public static TheoryData<string, string, string> Configs => new()
    {
        { "lists that never close", $"{Config}x: {new string('[', 12_000)}\n", "nested more than 100 levels deep" },
        { "a staircase", string.Concat(Enumerable.Range(0, 5_000).Select(i => $"{new string(' ', i)}a:\n")), "more than 100 levels deep" },
        { "aliases of aliases", Hostile.Laughs() + Config, "more than 2000000 values" },
        { "an alias of itself", $"a: &a\n  b: *a\n{Config}", "no anchor above" },
        { "a tag that names code", "name: !!python/object/apply:os.system [\"ls\"]\n", "name: " },
        { "100,000 unknown names", Config + string.Concat(Enumerable.Range(0, 100_000).Select(i => $"k{i}: 1\n")),
            "more names here are no options" },
        { "escape sequences in a name", Config.Replace("name: attacked", "name: \"\\e[31mred\\n[error] forged\"", StringComparison.Ordinal),
            "can't be an engine's name" },
        { "a topic that is a path", Config.Replace("topic: e,", "topic: ../x,", StringComparison.Ordinal), "can't be a topic's name" },
        { "a mistyped secret", $"{Config}kafka: {{ settings: {{ sasl.pasword: {Secret}, ssl.keystore.location: /none }} }}\n",
            "librdkafka has no setting of that name" },
        { "a secret of another client", $"{Config}kafka: {{ settings: {{ sasl.jaas.config: 'x password={Secret};' }} }}\n",
            "sasl.jaas.config" },
        { "brackets without end", $"{Config}  x: {{ expr: '{new string('(', 50_000)}1{new string(')', 50_000)}' }}\n",
            "deeper than 250 levels" },
        { "a sum without end", $"{Config}  x: {{ expr: '{string.Join('+', Enumerable.Repeat("1.0", 100_000))}' }}\n",
            "deeper than 250 levels" },
        { "more panes than memory", $"{Config}  x: {{ op: count, window: {{ sliding: 36500d, every: 1ms }} }}\n",
            "at most 10000 can be kept" },
    };

    [Theory]
    [MemberData(nameof(Configs))]
    public async Task A_hostile_config_is_refused(string attack, string config, string message)
    {
        var result = await Run("validate", "--config", Write("c.yaml", config));
        Assert.True(result.Code == 2 && result.All.Contains(message, StringComparison.Ordinal), $"{attack}: {result}");
        Holds(result, ConfigMb);
    }

    [Theory]
    [InlineData("x", "[")]
    [InlineData("kafka.settings.sasl.pasword", Secret)]
    [InlineData("kafka.settings", $"{{ sasl.jaas.config: {Secret} }}")]
    [InlineData("name", Escape)]
    [InlineData("http.port", Secret)]
    public async Task A_hostile_value_on_the_command_line_is_refused(string path, string value)
    {
        if (value == "[") value = new string('[', 12_000);
        var result = await Run("validate", "--config", Write("c.yaml", Config), "--set", $"{path}={value}");
        Assert.Equal(2, result.Code);
        Holds(result, ConfigMb, secret: path.StartsWith("kafka", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("/dev/zero", "longer than")]
    [InlineData("/", "can't be read")]
    public async Task A_config_that_is_no_file_is_refused(string path, string message)
    {
        var result = await Run("validate", "--config", path);
        Assert.Equal(2, result.Code);
        Assert.Contains(message, result.All, StringComparison.Ordinal);
        Holds(result, ConfigMb);
    }

    [Theory]
    [InlineData("run")]
    [InlineData("savepoint")]
    public async Task A_name_that_leaves_its_folder_is_refused(string command)
    {
        var inner = Directory.CreateDirectory(Path.Combine(_folder, "inner")).FullName;
        var (config, log) = (Write("inner/c.yaml", Config), Directory.CreateDirectory(Path.Combine(inner, "log")).FullName);
        foreach (var name in new[] { "", "../x", "a\n[error] forged", Escape })
        {
            var result = await Run(command == "run" ? ["run", "--config", config, "--embedded", log, "--drain", "--set", $"name={name}"]
                : ["savepoint", "create", name, "--config", config, "--embedded", log]);
            Assert.True(result.Code != 0, $"'{name}': {result}");
            Assert.Equal(["c.yaml", "log"], Directory.GetFileSystemEntries(inner).Select(Path.GetFileName).Order());
            Assert.DoesNotContain("\n[error] forged", result.All, StringComparison.Ordinal);
            Holds(result, ConfigMb);
        }
    }

    [Fact]
    public async Task A_line_without_end_is_one_oversized_record()
    {
        var path = Path.Combine(_folder, "e.json.gz");
        await using (var packed = new GZipStream(File.Create(path), CompressionLevel.Fastest))
        {
            await packed.WriteAsync("{\"c\":\""u8.ToArray());
            var part = Encoding.ASCII.GetBytes(new string('a', 1_000_000));
            for (var i = 0; i < 300; i++) await packed.WriteAsync(part);
            await packed.WriteAsync(Encoding.ASCII.GetBytes($"\n{Event("a", 1)}\n"));
        }
        var summary = await Replay("json", path);
        Assert.Equal((2, 1), (Number(summary, "read"), Number(summary, "admitted")));
        Assert.Equal(1, summary.GetProperty("rejected").GetProperty("oversized").GetInt64());
    }

    [Fact]
    public async Task Records_that_are_damaged_at_random_are_all_accounted_for()
    {
        var random = new Random(7);
        var lines = Enumerable.Range(0, 20_000).Select(i => Encoding.UTF8.GetBytes(Event($"c{i % 50}", i)))
            .Select(line => Hostile.Damaged(line, random)).ToList();
        var path = Path.Combine(_folder, "e.json");
        await using (var file = File.Create(path))
            foreach (var line in lines)
            {
                await file.WriteAsync(line);
                file.WriteByte((byte)'\n');
            }
        var summary = await Replay("json", path);
        var rejected = summary.GetProperty("rejected").EnumerateObject().Sum(r => r.Value.GetInt64());
        Assert.Equal(lines.Count(l => l.AsSpan().ContainsAnyExcept(" \t\r"u8)), Number(summary, "read"));
        Assert.Equal(Number(summary, "read"), Number(summary, "admitted") + Number(summary, "late")
            + Number(summary, "duplicates") + rejected);
        Assert.True(rejected > 1_000 && Number(summary, "admitted") > 1_000, summary.ToString());
    }

    [Theory]
    [InlineData("nested", 1)]
    [InlineData("long number", 0)]
    [InlineData("many names", 2)]
    [InlineData("long id", 1)]
    [InlineData("escape sequences", 1)]
    public async Task A_hostile_record_harms_no_other(string kind, int admitted)
    {
        var hostile = kind switch
        {
            "nested" => $"{{\"c\":\"a\",\"v\":{new string('[', 200_000)}{new string(']', 200_000)}}}",
            "long number" => Event("a", 1).Replace("\"v\":1", $"\"v\":{new string('9', 500_000)}", StringComparison.Ordinal),
            "many names" => $"{{{string.Concat(Enumerable.Range(0, 60_000).Select(i => $"\"k{i}\":1,"))}{Event("a", 2)[1..]}",
            "long id" => Event("a", 1).Replace("\"id\":\"1\"", $"\"id\":\"{new string('x', 900_000)}\"", StringComparison.Ordinal),
            _ => "{\"c\":\"\\u001b[31m\",\"id\":\"\\u001b[31m\\n[error] forged\",\"t\":\"\\u001b[31m\",\"type\":\"p\"}",
        };
        var summary = await Replay("json", Write("e.json", $"{hostile}\n{Event("b", 3)}\n"));
        Assert.Equal(2, Number(summary, "read"));
        Assert.True(Number(summary, "admitted") >= 1, summary.ToString());
        if (admitted > 0) Assert.Equal(admitted, Number(summary, "admitted"));
    }

    /// <summary>Container files that are small and mean much: what the message says of them.</summary>
    [Theory]
    [InlineData("records of no bytes", "values of no bytes")]
    [InlineData("a block that unpacks to 2 GB", "larger than 256 MiB")]
    [InlineData("a schema without end", "depth")]
    [InlineData("a codec that is an escape sequence", "codec")]
    [InlineData("80,000 symbols", null)]
    public async Task A_hostile_container_file_is_refused(string kind, string? message)
    {
        const string empty = """{"type":"record","name":"e","fields":[]}""";
        const string one = """{"type":"record","name":"e","fields":[{"name":"c","type":"string"}]}""";
        var symbols = string.Join(',', Enumerable.Range(0, 80_000).Select(i => $"\"s{i}\""));
        var file = kind switch
        {
            "records of no bytes" => Hostile.Container(empty, "null", 10_000_000, []),
            "a block that unpacks to 2 GB" => Hostile.Container(one, "deflate", 1, Hostile.Bomb(2_000)),
            "a schema without end" => Hostile.Container($"{Repeat("{\"type\":\"array\",\"items\":", 20_000)}\"int\"{Repeat("}", 20_000)}",
                "null", 1, [0]),
            "a codec that is an escape sequence" => Hostile.Container(empty, $"{Escape}evil", 1, []),
            _ => Hostile.Container(one.Replace("\"string\"", $$"""{"type":"enum","name":"q","symbols":[{{symbols}}] }""",
                StringComparison.Ordinal), "null", 1, [0]),
        };
        var path = Path.Combine(_folder, "e.avro");
        File.WriteAllBytes(path, file);
        var result = await RunReplay("avro", path);
        Holds(result, FileMb);
        Assert.True(message is null ? result.Code == 0 : result.Code is 2 or 3 && result.All.Contains(message, StringComparison.Ordinal),
            $"{kind}: {result}");
    }

    [Fact]
    public async Task A_running_engine_withstands_its_callers()
    {
        // A settings file and variables that open listeners in other hosts.
        var ambient = Free();
        var elsewhere = $"http://127.0.0.1:{ambient}";
        File.WriteAllText(Path.Combine(_folder, "appsettings.json"),
            $$"""{ "Urls": "{{elsewhere}}", "Kestrel": { "Endpoints": { "X": { "Url": "{{elsewhere}}" } } } }""");
        var environment = new Dictionary<string, string>
        {
            ["URLS"] = elsewhere,
            ["ASPNETCORE_URLS"] = elsewhere,
            ["Kestrel__Endpoints__X__Url"] = elsewhere,
        };
        var (config, log) = (Write("c.yaml", Config), Path.Combine(_folder, "log"));
        Assert.Equal(0, (await Run("topics", "create", "--config", config, "--embedded", log)).Code);
        using var engine = EngineProcess.Start(["run", "--config", config, "--embedded", log], directory: _folder,
            environment: environment);
        Assert.True(await engine.Until(async () => await engine.MetricsText() != "", Limit), engine.Output);
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{engine.Port}"), Timeout = Limit };

        // Pages of other sites, and names that only point here.
        foreach (var (name, value) in new[] { ("Host", "evil.example"), ("Origin", "http://evil.example"), ("Origin", "null") })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/leave")
            {
                Content = new StringContent("""{"engine":"attacked"}""", Encoding.UTF8, "application/json")
            };
            request.Headers.TryAddWithoutValidation(name, value);
            using var reply = await client.SendAsync(request);
            Assert.True((int)reply.StatusCode is >= 400 and < 500, $"{name}: {reply.StatusCode}");
            Assert.DoesNotContain("attacked", await reply.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        // Requests that are no HTTP, never end, are too long, or ask for files; many of them stand at once.
        const string us = " HTTP/1.1\r\nHost: 127.0.0.1\r\n", json = us + "Content-Type: application/json\r\n";
        var slow = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Send(engine.Port, $"POST /v1/decisions{us}X: ")));
        foreach (var raw in new[]
                 {
                     "\u0000\u0001\u0002\r\n\r\n", $"GET /../../etc/passwd{us}\r\n", $"TRACE /{us}\r\n", "GET /healthz HTTP/1.1\r\n\r\n",
                     $"GET /healthz{us}X: {new string('a', 200_000)}\r\n\r\n",
                     $"POST /v1/decisions{json}Content-Length: 9999999999\r\n\r\n{{",
                     $"POST /leave{json}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                 })
        {
            using var socket = await Send(engine.Port, raw);
            var reply = await Reply(socket);
            Assert.DoesNotContain("root:", reply, StringComparison.Ordinal);
            Assert.True(reply.Length == 0 || reply.StartsWith("HTTP/1.1 4", StringComparison.Ordinal),
                $"{raw[..Math.Min(raw.Length, 60)]}: {reply}");
        }
        var longName = $"{{\"customer\":\"{new string('x', 2_000_000)}\"}}";
        foreach (var body in new[] { Repeat("[", 100_000), "{\"customer\":", "null", "\"\u0000\"", longName })
        {
            using var reply = await client.PostAsync("/v1/decisions", new StringContent(body, Encoding.UTF8, "application/json"));
            Assert.True((int)reply.StatusCode is >= 400 and < 500, $"{body[..Math.Min(20, body.Length)]}: {reply.StatusCode}");
        }
        using (var health = await client.GetAsync("/healthz")) Assert.Equal(HttpStatusCode.OK, health.StatusCode);
        foreach (var socket in slow) socket.Dispose();
        using (var other = new TcpClient())
            await Assert.ThrowsAnyAsync<SocketException>(() => other.ConnectAsync(IPAddress.Loopback, ambient));

        // What it keeps is its user's alone.
        foreach (var path in Directory.EnumerateFileSystemEntries(log, "*", SearchOption.AllDirectories).Append(log))
            Assert.True((File.GetUnixFileMode(path) & (UnixFileMode)0b000_111_111) == 0, $"{path} is {File.GetUnixFileMode(path)}");
        Assert.True(engine.ResidentBytes < (long)FileMb << 20, $"{engine.ResidentBytes >> 20} MB");
        engine.Terminate();
        Assert.Equal(0, await engine.Exit(Limit));
        Assert.DoesNotContain("   at StreamEngine", engine.Output, StringComparison.Ordinal);
    }

    private Task<CommandResult> Run(params string[] arguments) => CommandProcess.Run(Limit, arguments, _folder);

    private Task<CommandResult> RunReplay(string format, string events) => Run("replay", "--config",
        Write("c.yaml", Config.Replace("format: json", $"format: {format}", StringComparison.Ordinal)), "--events", events, "--out",
        Path.Combine(_folder, "out"), "--json");

    private async Task<JsonElement> Replay(string format, string events)
    {
        var result = await RunReplay(format, events);
        Assert.True(result.Code == 0, result.ToString());
        Holds(result, FileMb);
        return JsonDocument.Parse(result.Output).RootElement;
    }

    private static long Number(JsonElement summary, string name) => summary.GetProperty(name).GetInt64();

    /// <summary>What every answer keeps to: no trace, no escape sequence, no secret, little memory.</summary>
    private static void Holds(CommandResult result, int megabytes, bool secret = true)
    {
        Assert.DoesNotContain("   at ", result.All, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled", result.All, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', result.All);
        if (secret) Assert.DoesNotContain(Secret, result.All, StringComparison.Ordinal);
        Assert.True(result.PeakBytes < (long)megabytes << 20, result.ToString());
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    private static string Event(string customer, int id) =>
        $"{{\"c\":\"{customer}\",\"id\":\"{id}\",\"t\":{1_709_251_200_000 + id * 1_000L},\"type\":\"p\",\"v\":1}}";

    private static string Repeat(string text, int times) => string.Concat(Enumerable.Repeat(text, times));

    private static int Free()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task<TcpClient> Send(int port, string request)
    {
        var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port);
        await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(request));
        return client;
    }

    /// <summary>The answer's first part; empty where the connection was closed without one.</summary>
    private static async Task<string> Reply(TcpClient client)
    {
        using var patience = new CancellationTokenSource(Limit);
        var buffer = new byte[4_096];
        try
        {
            return Encoding.Latin1.GetString(buffer, 0, await client.GetStream().ReadAsync(buffer, patience.Token));
        }
        catch (IOException)
        {
            return "";
        }
    }
}
