using System.Net;
using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Events.Registry;
using StreamEngine.Tests.Configuration;
using Xunit;

namespace StreamEngine.Tests.Events;

/// <summary>Registries: a folder, and HTTP against a small server.</summary>
public sealed class SchemaRegistryTests
{
    [Fact]
    public void TheCheckoutsFolderHasTheShopEvent()
    {
        var registry = new FolderSchemaRegistry(Repository.Path("schemas"));
        Assert.Equal("streamengine.events.ShopEvent", registry.ById(1)!.FullName);
        Assert.Same(registry.ById(1), registry.ByFingerprint(registry.ById(1)!.Fingerprint));
        Assert.Equal(1, registry.Latest("events-value")!.Id);
        Assert.Null(registry.ById(999));
        Assert.Null(registry.Latest("none"));
    }

    [Fact]
    public void FilesWithoutAnEntryTellByTheirNames()
    {
        var folder = Directory.CreateTempSubdirectory("schemas").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "7.avsc"), "\"int\"");
            File.WriteAllText(Path.Combine(folder, "orders-value-v2.avsc"), "\"long\"");
            File.WriteAllText(Path.Combine(folder, "orders-value-v10.avsc"), "\"string\"");
            var registry = new FolderSchemaRegistry(folder);
            Assert.Equal("int", registry.ById(7)!.FullName);
            Assert.Equal((10, "string"), (registry.Latest("orders-value")!.Version, registry.Latest("orders-value")!.Schema.FullName));
            File.WriteAllText(Path.Combine(folder, "8.avsc"), "\"strng\"");
            var errors = new ConfigErrors();
            SchemaRegistry.Open(new SchemaOptions { Registry = "." }, folder, TimeProvider.System, errors);
            Assert.Contains("8.avsc: line 1: unknown type 'strng' (did you mean 'string')", Assert.Single(errors.All).Message,
                StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void SchemasThatDifferInTheirMeaningAloneAreNotTakenForOneAnother()
    {
        var folder = Directory.CreateTempSubdirectory("schemas").FullName;
        try
        {
            string Money(int scale) =>
                $$$"""{"type":"record","name":"M","fields":[{"name":"id","type":"string"},{"name":"value","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":{{{scale}}}}}]}""";
            File.WriteAllText(Path.Combine(folder, "1.avsc"), Money(2));
            File.WriteAllText(Path.Combine(folder, "2.avsc"), Money(4));
            var registry = new FolderSchemaRegistry(folder);
            var source = new EventSourceOptions
            {
                Name = "m",
                Topic = "m",
                Id = "id",
                Customer = "id",
                Time = new TimeFieldOptions { Field = "timestamp" },
                Fields = [Decoding.Field("value", "decimal(2)")],
            };
            var decoding = new Decoding(source, registry);
            byte[] value = [2, 65, 4, 3, 232];
            Assert.Equal(RejectReason.None, decoding.Decode([0, 0, 0, 0, 1, .. value]));
            Assert.Equal(1000, decoding["value"].Bits);
            Assert.Equal(RejectReason.None, decoding.Decode([0, 0, 0, 0, 2, .. value]));
            Assert.Equal(10, decoding["value"].Bits);
            // The fingerprint is that of both.
            byte[] single = [0xc3, 1, .. BitConverter.GetBytes(registry.ById(1)!.Fingerprint), .. value];
            for (var i = 0; i < 2; i++) Assert.Equal(RejectReason.UnknownSchema, decoding.Decode(single));
            Assert.Contains("can't be told apart", Assert.Single(decoding.Problems), StringComparison.Ordinal);

            File.WriteAllText(Path.Combine(folder, "index.json"),
                """{"schemas":[{"id":1,"file":"1.avsc"},{"id":1,"file":"2.avsc"}]}""");
            Assert.Contains("has another schema", Assert.Throws<SchemaRegistryException>(() => new FolderSchemaRegistry(folder)).Message);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void HttpSchemasAreFetchedOnceAndUnknownOnesAskedAgainAfterAWhile()
    {
        using var server = new Server();
        var clock = new Clock();
        using var registry = new HttpSchemaRegistry(new Uri(server.Url + "base"), "user:päss", clock);
        server.Answers["GET /base/schemas/ids/5"] = (200, """{"schema":"\"long\""}""");
        Assert.Equal("long", registry.ById(5)!.FullName);
        Assert.Same(registry.ById(5), registry.ById(5));
        Assert.Equal("Basic " + Convert.ToBase64String("user:päss"u8), server.Authorization);
        Assert.NotNull(registry.ByFingerprint(registry.ById(5)!.Fingerprint));

        Assert.Null(registry.ById(6));
        Assert.Null(registry.ById(6));
        Assert.Equal(2, server.Requests);
        server.Answers["GET /base/schemas/ids/6"] = (200, """{"schema":"\"int\""}""");
        clock.Now += TimeSpan.FromSeconds(31);
        Assert.Equal("int", registry.ById(6)!.FullName);
        Assert.Equal(3, server.Requests);
    }

    [Fact]
    public void HttpSubjectsAreFoundAndRegistered()
    {
        using var server = new Server();
        using var registry = new HttpSchemaRegistry(new Uri(server.Url), null, TimeProvider.System);
        server.Answers["GET /subjects/a%2Fb-value/versions/latest"] = (200, """{"subject":"a/b-value","id":3,"version":2,"schema":"\"int\""}""");
        server.Answers["POST /subjects/s/versions"] = (200, """{"id":9}""");
        server.Answers["POST /subjects/s"] = (200, """{"subject":"s","id":9,"version":1,"schema":"\"int\""}""");
        Assert.Equal((3, 2), (registry.Latest("a/b-value")!.Id, registry.Latest("a/b-value")!.Version));
        Assert.Null(registry.Latest("none"));
        Assert.Equal(9, registry.Register("s", "\"int\""));
        Assert.Equal("""{"schema":"\u0022int\u0022"}""", server.Body);
        Assert.Equal(9, registry.Find("s", "\"int\"")!.Id);
        server.Answers["POST /subjects/bad/versions"] = (409, """{"error_code":409,"message":"incompatible"}""");
        Assert.Contains("incompatible", Assert.Throws<SchemaRegistryException>(() => registry.Register("bad", "\"int\"")).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void ARegistryThatIsAwayIsNotAnUnknownSchema()
    {
        using var server = new Server();
        using var registry = new HttpSchemaRegistry(new Uri(server.Url), null, TimeProvider.System);
        server.Answers["GET /schemas/ids/1"] = (503, "busy");
        Assert.Contains("503 busy", Assert.Throws<SchemaRegistryException>(() => registry.ById(1)).Message, StringComparison.Ordinal);
        Assert.Equal(3, server.Requests);
        server.Answers["GET /schemas/ids/2"] = (200, """{"schemaType":"PROTOBUF","schema":"x"}""");
        Assert.Contains("not Avro", Assert.Throws<SchemaRegistryException>(() => registry.ById(2)).Message, StringComparison.Ordinal);
        server.Answers["GET /schemas/ids/3"] = (200, """{"schema":"\"int\"","references":[{"name":"x"}]}""");
        Assert.Contains("refers to other", Assert.Throws<SchemaRegistryException>(() => registry.ById(3)).Message,
            StringComparison.Ordinal);
        server.Answers["GET /schemas/ids/1"] = (200, """{"schema":"\"int\""}""");
        Assert.NotNull(registry.ById(1));
        using var nobody = new HttpSchemaRegistry(new Uri("http://127.0.0.1:1"), null,
            TimeProvider.System)
        { Timeout = TimeSpan.FromSeconds(2) };
        Assert.Throws<SchemaRegistryException>(() => nobody.ById(1));
    }

    [Fact]
    public void AConfigsUrlOpensTheHttpRegistryAndRecordsAreReadWithItsSchemas()
    {
        using var server = new Server();
        var schema = System.Text.Json.JsonSerializer.Serialize(File.ReadAllText(Repository.Path("schemas", "shop-event.avsc")));
        server.Answers["GET /schemas/ids/70001"] = (200, $$"""{"schema":{{schema}}}""");
        server.Answers["GET /subjects/events-value/versions/latest"] = (200, $$"""{"subject":"events-value","id":70001,"version":4,"schema":{{schema}}}""");
        var errors = new ConfigErrors();
        var registry = SchemaRegistry.Open(new SchemaOptions { Registry = server.Url.TrimEnd('/'), Credentials = "ann:secret" }, "",
            TimeProvider.System, errors);
        Assert.Empty(errors.All);
        using var http = Assert.IsType<HttpSchemaRegistry>(registry);
        var decoding = new Decoding(ShopEvents.Source, registry, "analytics", "personalization");
        byte[] record = [0, 0, 1, 0x11, 0x71, .. ShopEvents.Encode().AsSpan(5)];
        Assert.Equal(RejectReason.None, decoding.Decode(record));
        Assert.Equal("customer-000017", Encoding.UTF8.GetString(decoding.Event.Customer.Text));
        Assert.Equal("Basic " + Convert.ToBase64String("ann:secret"u8), server.Authorization);
        var asked = server.Requests;
        Assert.Equal(RejectReason.None, decoding.Decode(record));
        Assert.Equal(asked, server.Requests);
        record[4]++;
        Assert.Equal(RejectReason.UnknownSchema, decoding.Decode(record));
        Assert.Throws<ConfigException>(() => new Decoding(ShopEvents.Source with { Id = "evnt_id" }, registry, "personalization"));

        SchemaRegistry.Open(new SchemaOptions { Registry = "http://:x" }, "", TimeProvider.System, errors);
        Assert.Contains("is no address", Assert.Single(errors.All).Message, StringComparison.Ordinal);
    }

    private sealed class Clock : TimeProvider
    {
        public TimeSpan Now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }

    /// <summary>Answers requests from a table, and counts them.</summary>
    private sealed class Server : IDisposable
    {
        private readonly HttpListener _listener = new();

        public Server()
        {
            for (var port = 20_000 + Environment.ProcessId % 10_000; ; port++)
            {
                try
                {
                    Url = $"http://127.0.0.1:{port}/";
                    _listener.Prefixes.Add(Url);
                    _listener.Start();
                    break;
                }
                catch (HttpListenerException) when (port < 60_000)
                {
                    _listener.Prefixes.Clear();
                }
            }
            _ = Task.Run(Serve);
        }

        public string Url { get; }

        public Dictionary<string, (int Status, string Body)> Answers { get; } = [];

        public int Requests { get; private set; }

        public string? Authorization { get; private set; }

        public string Body { get; private set; } = "";

        public void Dispose() => _listener.Close();

        private void Serve()
        {
            try
            {
                while (true)
                {
                    var context = _listener.GetContext();
                    Requests++;
                    Authorization = context.Request.Headers["Authorization"];
                    Body = new StreamReader(context.Request.InputStream).ReadToEnd();
                    var (status, body) = Answers.GetValueOrDefault($"{context.Request.HttpMethod} {context.Request.RawUrl}", (404, """{"error_code":40403,"message":"not found"}"""));
                    context.Response.StatusCode = status;
                    context.Response.OutputStream.Write(Encoding.UTF8.GetBytes(body));
                    context.Response.Close();
                }
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                // The test is over.
            }
        }
    }
}
