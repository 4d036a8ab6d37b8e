using System.Security.Cryptography.X509Certificates;
using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Connectors.SchemaRegistry;
using StreamEngine.Events;
using StreamEngine.Events.Avro;
using StreamEngine.Events.Registry;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Events;

/// <summary>Confluent's client behind the cache, against a registry on loopback.</summary>
public sealed class ConfluentSchemasTests : IDisposable
{
    private const string Password = "pa:ss wörd/4711", Token = "to:ken/4711+";
    private readonly string _folder = Directory.CreateTempSubdirectory("registry-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Schemas_are_fetched_once_and_unknown_ids_asked_for_again_after_a_while()
    {
        await using var server = await RegistryServer.RunAsync();
        var clock = new ManualTime(DateTimeOffset.UnixEpoch);
        using var registry = Open(new SchemaOptions { Registry = server.Url }, clock);
        server.Add(5, "\"long\"");
        Assert.Equal("long", registry.ById(5)!.FullName);
        Assert.Same(registry.ById(5), registry.ById(5));
        Assert.NotNull(registry.ByFingerprint(registry.ById(5)!.Fingerprint));

        Assert.Null(registry.ById(6));
        Assert.Null(registry.ById(6));
        Assert.Equal(["GET /schemas/ids/5", "GET /schemas/ids/6"], server.Requests);
        server.Add(6, "\"int\"");
        clock.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal("int", registry.ById(6)!.FullName);
        Assert.Equal(3, server.Requests.Count);
    }

    [Fact]
    public async Task The_newest_schema_of_a_subject_is_found_below_a_path_too()
    {
        await using var server = await RegistryServer.RunAsync();
        server.Answers["GET /base/subjects/a%2Fb-value/versions/latest"] = """{"subject":"a/b-value","id":3,"version":2,"schema":"\"int\""}""";
        using var registry = Open(new SchemaOptions { Registry = server.Url + "/base/" });
        Assert.Equal((3, 2, "int"), (registry.Latest("a/b-value")!.Id, registry.Latest("a/b-value")!.Version,
            registry.Latest("a/b-value")!.Schema.FullName));
        Assert.Null(registry.Latest("none"));
        Assert.Same(registry.Latest("a/b-value")!.Schema, registry.ById(3));
    }

    [Fact]
    public async Task A_registry_that_is_away_is_not_an_unknown_schema()
    {
        await using var server = await RegistryServer.RunAsync();
        server.Add(1, "\"int\"");
        server.Status = 503;
        using var registry = Open(new SchemaOptions { Registry = server.Url });
        var error = Assert.Throws<SchemaRegistryException>(() => registry.ById(1));
        Assert.False(error.Unusable);
        Assert.Contains("503", error.Message, StringComparison.Ordinal);
        Assert.Contains("out of order", error.Message, StringComparison.Ordinal);
        server.Status = null;
        Assert.Equal("int", Eventually(() => registry.ById(1))!.FullName);

        await server.StopAsync();
        Assert.Throws<SchemaRegistryException>(() => registry.ById(2));
        Assert.Throws<SchemaRegistryException>(() => registry.Latest("s"));
        Assert.Equal("int", registry.ById(1)!.FullName);
        await server.StartAsync();
        Assert.Null(Eventually(() => registry.ById(2)));

        // A page of something else at that address says nothing of schemas.
        server.Status = 404;
        server.Body = "<html>not here</html>";
        Assert.Contains("404", Assert.Throws<SchemaRegistryException>(() => registry.ById(3)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_waits_long_for_a_registry_that_does_not_answer()
    {
        // It takes connections and says nothing.
        using var mute = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        mute.Start();
        using var registry = new CachedSchemaRegistry(Source(new SchemaOptions { Registry = $"http://{mute.LocalEndpoint}" }),
            TimeSpan.Zero,
            TimeProvider.System)
        { Grace = TimeSpan.FromMilliseconds(100) };
        var began = TimeProvider.System.GetTimestamp();
        for (var i = 0; i < 5; i++) Assert.Throws<SchemaRegistryException>(() => registry.ById(i));
        Assert.True(TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromSeconds(8));
        await Task.CompletedTask;
    }

    [Fact]
    public async Task After_the_patience_an_id_counts_as_unknown_until_the_registry_answers()
    {
        await using var server = await RegistryServer.RunAsync();
        server.Add(1, "\"int\"");
        server.Status = 500;
        var clock = new ManualTime(DateTimeOffset.UnixEpoch);
        using var registry = Open(new SchemaOptions { Registry = server.Url, Patience = TimeSpan.FromMinutes(1) }, clock);
        Assert.Throws<SchemaRegistryException>(() => registry.ById(1));
        clock.Advance(TimeSpan.FromSeconds(59));
        Assert.Throws<SchemaRegistryException>(() => registry.ById(1));
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(registry.ById(1));
        Assert.Null(registry.ById(2)); // others are not waited for again
        server.Status = null;
        Until(() => Eventually(() => registry.ById(1)) is not null); // an answer about the other id may come first
        server.Status = 500;
        Assert.Throws<SchemaRegistryException>(() => registry.ById(3)); // a new patience
    }

    [Fact]
    public async Task What_is_no_Avro_is_told_as_such()
    {
        await using var server = await RegistryServer.RunAsync();
        using var registry = Open(new SchemaOptions { Registry = server.Url });
        server.Answers["GET /schemas/ids/2"] = """{"schemaType":"PROTOBUF","schema":"x"}""";
        server.Answers["GET /schemas/ids/3"] = """{"schema":"\"strng\""}""";
        server.Answers["GET /schemas/ids/4"] = """{"schemaType":"XML","schema":"x"}""";
        foreach (var (id, says) in new[] { (2, "not Avro"), (3, "strng"), (4, "XML") })
        {
            var error = Assert.Throws<SchemaRegistryException>(() => registry.ById(id));
            Assert.True(error.Unusable);
            Assert.Contains(says, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task References_to_other_subjects_are_resolved()
    {
        await using var server = await RegistryServer.RunAsync();
        server.Add(1, """{"type":"enum","name":"Currency","namespace":"acme.money","symbols":["EUR","CHF"]}""", "currency");
        server.Add(2, """{"type":"record","name":"Price","namespace":"acme.money","fields":[{"name":"amount","type":"long"},{"name":"currency","type":"Currency"}]}""", "price", 3,
            """{"name":"acme.money.Currency","subject":"currency","version":1}""");
        server.Add(3, """{"type":"record","name":"Bare","fields":[{"name":"x","type":"int"}]}""", "bare");
        server.Add(9, """
            {"type":"record","name":"Order","namespace":"acme.shop","fields":[
              {"name":"list","type":{"type":"array","items":"acme.money.Price"}},
              {"name":"paid","type":["null","acme.money.Price"],"default":null},
              {"name":"in","type":"acme.money.Currency"},
              {"name":"bare","type":"Bare"},
              {"name":"next","type":["null","Order"],"default":null}]}
            """, "orders-value", 1, """{"name":"acme.money.Price","subject":"price","version":3},{"name":"acme.money.Currency","subject":"currency","version":1},{"name":"Bare","subject":"bare","version":1}""");
        using var registry = Open(new SchemaOptions { Registry = server.Url });
        var expected = AvroSchema.Parse("""
            {"type":"record","name":"Order","namespace":"acme.shop","fields":[
              {"name":"list","type":{"type":"array","items":{"type":"record","name":"acme.money.Price","fields":[{"name":"amount","type":"long"},
                {"name":"currency","type":{"type":"enum","name":"Currency","symbols":["EUR","CHF"]}}]}}},
              {"name":"paid","type":["null","acme.money.Price"],"default":null},
              {"name":"in","type":"acme.money.Currency"},
              {"name":"bare","type":{"type":"record","name":"Bare","namespace":"","fields":[{"name":"x","type":"int"}]}},
              {"name":"next","type":["null","acme.shop.Order"],"default":null}]}
            """);
        Assert.Equal(expected.CanonicalForm, registry.ById(9)!.CanonicalForm);
        Assert.Equal(expected.CanonicalForm, registry.Latest("orders-value")!.Schema.CanonicalForm);

        server.Add(10, "\"acme.Gone\"", references: """{"name":"acme.Gone","subject":"gone","version":1}""");
        var error = Assert.Throws<SchemaRegistryException>(() => registry.ById(10));
        Assert.True(error.Unusable);
        Assert.Contains("version 1 of 'gone', which is not registered", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_several_urls_one_that_works_is_enough()
    {
        await using var ill = await RegistryServer.RunAsync();
        await using var well = await RegistryServer.RunAsync();
        ill.Status = 500;
        well.Add(1, "\"int\"");
        using var registry = Open(new SchemaOptions { Registry = $"http://127.0.0.1:1, {ill.Url},{well.Url}" });
        Assert.Equal("int", registry.ById(1)!.FullName);
        Assert.Single(ill.Requests);
        Assert.Null(registry.ById(2)); // asked where the last answer came from
        Assert.Single(ill.Requests);
    }

    [Fact]
    public async Task Certificates_are_checked_against_the_ca_and_the_host()
    {
        using var ours = new Certificates("ours");
        using var others = new Certificates("others");
        var (ca, other) = (Write("ca.pem", ours.Pem), Write("other.pem", others.Pem));
        var certificate = ours.For("localhost");
        await using var server = await RegistryServer.RunAsync(certificate);
        await using var stranger = await RegistryServer.RunAsync(ours.For("other.example"));
        foreach (var one in new[] { server, stranger }) one.Add(1, "\"int\"");

        Assert.Equal("int", Ask(new SchemaOptions { Registry = server.Url, SslCaLocation = ca }));
        Assert.Equal("int", Ask(new SchemaOptions { Registry = stranger.Url, EnableSslCertificateVerification = false }));
        Assert.Contains("PartialChain", Ask(new SchemaOptions { Registry = server.Url, SslCaLocation = other }), StringComparison.Ordinal);
        Assert.Contains("NameMismatch", Ask(new SchemaOptions { Registry = stranger.Url, SslCaLocation = ca }), StringComparison.Ordinal);
        Assert.Contains("SSL", Ask(new SchemaOptions { Registry = server.Url }), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_shows_its_certificate()
    {
        using var ours = new Certificates("ours");
        var client = ours.For("engine");
        File.WriteAllBytes(Path.Combine(_folder, "client.p12"), client.Export(X509ContentType.Pkcs12, Password));
        await using var server = await RegistryServer.RunAsync(ours.For("localhost"), wantsCertificate: true);
        server.Add(1, "\"int\"");
        var options = new SchemaOptions { Registry = server.Url, SslCaLocation = Write("ca.pem", ours.Pem) };
        Assert.Equal("int", Ask(options with
        {
            SslKeystoreLocation = "client.p12",
            SslKeystorePasswordFile = Write("pw", Password + "\n")
        }));
        Assert.Equal(client.Thumbprint, server.Client);
        Assert.NotEqual("int", Ask(options));

        var wrong = Errors(options with { SslKeystoreLocation = "client.p12", SslKeystorePassword = "another secret" });
        Assert.Contains("ssl_keystore_location: 'client.p12' can't be used", wrong, StringComparison.Ordinal);
        Assert.DoesNotContain("another secret", wrong, StringComparison.Ordinal);
        Assert.Contains("holds no certificate in PEM", Errors(options with { SslCaLocation = "pw" }), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("credentials")]
    [InlineData("basic_auth_user_info")]
    [InlineData("basic_auth_user_info_file")]
    public async Task Basic_authentication(string option)
    {
        await using var server = await RegistryServer.RunAsync();
        server.Add(1, "\"int\"");
        server.Wanted = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"ann:{Password}"));
        var info = $"ann:{Password}";
        var options = new SchemaOptions { Registry = server.Url };
        Assert.Equal("int", Ask(option switch
        {
            "credentials" => options with { Credentials = info },
            "basic_auth_user_info" => options with { BasicAuthUserInfo = info },
            _ => options with { BasicAuthUserInfoFile = Write("info", info + "\n") },
        }));
        Assert.Contains("401", Ask(options), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bearer_token_that_is_given_or_asked_for()
    {
        using var ours = new Certificates("ours");
        await using var server = await RegistryServer.RunAsync(ours.For("localhost"));
        server.Add(1, "\"int\"");
        var options = new SchemaOptions { Registry = server.Url, SslCaLocation = Write("ca.pem", ours.Pem) };
        server.Wanted = "Bearer of-the-file";
        Assert.Equal("int", Ask(options with { BearerAuthTokenFile = Write("token", "of-the-file\n") }));

        server.Wanted = "Bearer token-1-of-the-server";
        using var registry = Open(options with
        {
            BearerAuthTokenEndpointUrl = server.Url + "/token",
            BearerAuthClientId = "engine",
            BearerAuthClientSecretFile = Write("secret", Password),
            BearerAuthScope = "schemas",
        });
        Assert.Equal("int", registry.ById(1)!.FullName);
        Assert.Null(registry.ById(2));
        Assert.Equal(1, server.Tokens);
        Assert.Contains("grant_type=client_credentials&client_id=engine&client_secret=pa%3Ass", server.TokenRequest,
            StringComparison.Ordinal);
        Assert.Contains("scope=schemas", server.TokenRequest, StringComparison.Ordinal);
    }

    /// <summary>The registry repeats what it was sent; nothing of that may come out again.</summary>
    [Fact]
    public async Task No_secret_is_in_what_is_told()
    {
        await using var server = await RegistryServer.RunAsync();
        var options = new SchemaOptions { Registry = server.Url };
        var oauth = options with { BearerAuthClientId = "ann", BearerAuthClientSecret = Password };
        foreach (var (one, secrets) in new[]
        {
            (options with { BasicAuthUserInfo = $"ann:{Password}" },
                new[] { Password, Convert.ToBase64String(Encoding.UTF8.GetBytes($"ann:{Password}")) }),
            (options with { BearerAuthToken = Token }, [Token]),
            (oauth with { BearerAuthTokenEndpointUrl = server.Url + "/token" }, [Password, "-of-the-server"]),
            (oauth with { BearerAuthTokenEndpointUrl = "http://127.0.0.1:1" }, [Password]),
        })
            foreach (var status in new[] { 401, 500 })
            {
                server.Status = status;
                server.Body = $$"""{"error_code":40101,"message":"you sent {authorization}, made of {{secrets[0]}} or {{Uri.EscapeDataString(secrets[0])}}"}""";
                using var registry = Open(one);
                var told = Assert.Throws<SchemaRegistryException>(() => registry.ById(1)).ToString()
                    + Assert.Throws<SchemaRegistryException>(() => registry.Latest("s")) + one;
                foreach (var secret in secrets)
                {
                    Assert.DoesNotContain(secret, told, StringComparison.Ordinal);
                    Assert.DoesNotContain(Uri.EscapeDataString(secret), told, StringComparison.Ordinal);
                }
                Assert.Contains(one.BearerAuthTokenEndpointUrl == "http://127.0.0.1:1" ? "Connection refused" : "you sent", told,
                    StringComparison.Ordinal);
            }

        foreach (var (wrong, says) in new[]
        {
            (options with { BasicAuthUserInfo = "secret-without-a-name" }, "is not user:password"),
            (options with { Registry = "http://ann:secret-in-the-url@registry.example" }, "the address of registry.example holds"),
            (options with { BasicAuthUserInfo = "a:secret-1", BearerAuthToken = "secret-2" }, "more than one way"),
            (options with { Credentials = "a:secret-1", BasicAuthUserInfo = "a:secret-2" }, "says the same as"),
            (options with { BearerAuthToken = "secret-1", BearerAuthTokenFile = "none" }, "the file can't be read"),
            (options with { BearerAuthToken = "secret-1\nsecret-2" }, "is no token"),
            (options with { BearerAuthClientId = "x" }, "OAuth needs the client's secret"),
        })
        {
            var told = Errors(wrong);
            Assert.Contains(says, told, StringComparison.Ordinal);
            foreach (var secret in new[] { "secret-without", "secret-in", "secret-1", "secret-2" })
                Assert.DoesNotContain(secret, told, StringComparison.Ordinal);
        }
    }

    private string Write(string name, string text)
    {
        File.WriteAllText(Path.Combine(_folder, name), text);
        return name;
    }

    private ISchemaSource Source(SchemaOptions options)
    {
        var errors = new ConfigErrors();
        var source = ConfluentSchemas.Connect(options, _folder, errors);
        errors.ThrowIfAny();
        return source!;
    }

    private CachedSchemaRegistry Open(SchemaOptions options, TimeProvider? clock = null) =>
        new(Source(options), options.Patience, clock ?? TimeProvider.System) { Grace = TimeSpan.FromSeconds(20) };

    /// <summary>The name of the schema 1, or why it can't be had.</summary>
    private string Ask(SchemaOptions options)
    {
        using var registry = Open(options);
        try
        {
            return registry.ById(1)!.FullName;
        }
        catch (SchemaRegistryException e)
        {
            return e.Message;
        }
    }

    private string Errors(SchemaOptions options)
    {
        var errors = new ConfigErrors();
        Assert.Null(ConfluentSchemas.Connect(options, _folder, errors));
        return string.Join('\n', errors.All);
    }

    /// <summary>The answer, once there is one.</summary>
    private static AvroSchema? Eventually(Func<AvroSchema?> ask)
    {
        AvroSchema? answer = null;
        Until(() =>
        {
            try
            {
                answer = ask();
                return true;
            }
            catch (SchemaRegistryException)
            {
                return false;
            }
        });
        return answer;
    }

    private static void Until(Func<bool> holds) =>
        Assert.True(SpinWait.SpinUntil(() => { Thread.Yield(); return holds(); }, TimeSpan.FromSeconds(20)));
}
