using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using StreamEngine.Configuration;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Http;
using StreamEngine.Host.Http.Security;
using StreamEngine.Host.Run;
using StreamEngine.Host.Telemetry;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Http;

/// <summary>TLS and callers' certificates, on a real Kestrel, with authorities of the test's own.</summary>
public sealed class TlsTests : IDisposable
{
    private static readonly (string Key, string Sha256) Shop = KeyRing.New();

    private readonly string _folder = Directory.CreateTempSubdirectory("tls-").FullName;
    private readonly X509Certificate2 _root = Authority("root"), _partners = Authority("partners");

    public TlsTests()
    {
        Write("server", Signed(_root, "localhost", client: false));
        File.WriteAllText(In("partners.pem"), _partners.ExportCertificatePem());
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Calls_come_over_TLS_alone_and_need_their_key()
    {
        await using var http = await Listen(clientCa: null, keys: true);
        Assert.StartsWith("https://", http.Address, StringComparison.Ordinal);
        using var client = Client(http);
        Assert.Equal(401, (int)(await client.GetAsync("/read")).StatusCode);
        client.DefaultRequestHeaders.Add("X-Api-Key", Shop.Key);
        using var reply = await client.GetAsync("/read");
        Assert.Equal("ok", await reply.Content.ReadAsStringAsync());
        Assert.Equal("max-age=31536000", Assert.Single(reply.Headers.GetValues("Strict-Transport-Security")));

        using var plain = new HttpClient();
        var address = http.Address.Replace("https", "http", StringComparison.Ordinal);
        await Assert.ThrowsAsync<HttpRequestException>(() => plain.GetAsync(address));
    }

    [Fact]
    public async Task A_caller_shows_a_certificate_of_an_authority_that_is_named_and_health_is_for_all()
    {
        await using var http = await Listen("partners.pem", keys: false);
        using var without = Client(http);
        Assert.Equal(200, (int)(await without.GetAsync("/healthz/live")).StatusCode);
        using var refused = await without.GetAsync("/read");
        Assert.Equal((401, "no_certificate"), ((int)refused.StatusCode,
            (string?)JsonNode.Parse(await refused.Content.ReadAsStringAsync())!["reason"]));

        using var good = Client(http, Signed(_partners, "shop", client: true));
        Assert.Equal("ok", await good.GetStringAsync("/read"));
        // The engine's own commands show the engine's own certificate.
        using var own = RunningProcess.Client(new HttpOptions { Port = new Uri(http.Address).Port, Tls = Tls("partners.pem") }, _folder,
            TimeSpan.FromSeconds(60));
        Assert.Equal("ok", await own.GetStringAsync("/read"));
        foreach (var bad in new[] { Signed(_root, "shop", client: true), Signed(_partners, "shop", client: false),
            Signed(_partners, "shop", client: true, over: true) })
        {
            using var stranger = Client(http, bad);
            await Assert.ThrowsAnyAsync<HttpRequestException>(() => stranger.GetAsync("/healthz/live"));
        }
    }

    [Fact]
    public async Task A_certificate_may_come_through_another_authority_again_and_again()
    {
        await using var http = await Listen("partners.pem", keys: false);
        var between = Authority("between", _partners);
        var own = Signed(between, "shop", client: true);
        var context = SslStreamCertificateContext.Create(own, [between], offline: true);
        for (var i = 0; i < 3; i++) // each on a connection of its own, which may resume the session of the one before
        {
            var handler = Handler(null);
            handler.SslOptions.ClientCertificateContext = context;
            using var client = new HttpClient(handler) { BaseAddress = new UriBuilder(http.Address) { Host = "localhost" }.Uri };
            Assert.Equal("ok", await client.GetStringAsync("/read"));
        }
    }

    [Fact]
    public void The_own_certificate_is_a_callers_on_this_machine_alone()
    {
        using var certificates = new Certificates(Tls("partners.pem"), _folder, TimeProvider.System);
        var own = Certificates.ReadOwn(In("server.pem"), In("server.key")).Own;
        var (here, there) = (new IPEndPoint(IPAddress.Parse("192.0.2.1"), 1), new IPEndPoint(IPAddress.Parse("192.0.2.2"), 1));
        Assert.True(Takes(new IPEndPoint(IPAddress.Loopback, 1)));
        Assert.True(Takes(here));
        Assert.False(Takes(there));

        bool Takes(IPEndPoint from) => certificates.ForConnection(from, here)
            .RemoteCertificateValidationCallback!(this, own, null, SslPolicyErrors.None);
    }

    [Fact]
    public async Task Without_a_certificate_there_is_health_and_nothing_else()
    {
        await using var http = await Listen("partners.pem", keys: true);
        using var client = Client(http);
        client.DefaultRequestHeaders.Add("X-Api-Key", Shop.Key);
        foreach (var path in new[] { "/read", "/metrics", "/openapi/v1.json" })
            Assert.Equal(401, (int)(await client.GetAsync(path)).StatusCode);
    }

    [Fact]
    public async Task A_certificate_does_not_stand_for_a_key()
    {
        await using var http = await Listen("partners.pem", keys: true);
        using var client = Client(http, Signed(_partners, "shop", client: true));
        Assert.Equal(401, (int)(await client.GetAsync("/read")).StatusCode);
        client.DefaultRequestHeaders.Add("X-Api-Key", Shop.Key);
        Assert.Equal("ok", await client.GetStringAsync("/read"));
    }

    [Fact]
    public async Task gRPC_has_it_too()
    {
        var port = FreePort.Find();
        await using var http = await Listen("partners.pem", keys: false, port);
        Assert.Equal(StatusCode.Unauthenticated, await Ask(null));
        Assert.Equal(StatusCode.Unimplemented, await Ask(Signed(_partners, "shop", client: true)));

        async Task<StatusCode> Ask(X509Certificate2? certificate)
        {
            using var channel = GrpcChannel.ForAddress($"https://localhost:{port}",
                new GrpcChannelOptions { HttpHandler = Handler(certificate) });
            var refused = await Assert.ThrowsAsync<RpcException>(async () =>
                await new V1.Decisions.DecisionsClient(channel).DecideAsync(new V1.DecideRequest { Customer = "c1" }));
            return refused.StatusCode;
        }
    }

    [Fact]
    public void A_renewed_certificate_is_shown_and_half_of_one_is_not()
    {
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        using var certificates = new Certificates(Tls(null), _folder, clock);
        var first = Shown();
        Write("server", Signed(_root, "localhost", client: false), keyToo: false);
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(first, Shown());
        Write("server", Signed(_root, "localhost", client: false));
        Assert.Equal(first, Shown()); // it was looked at a moment ago
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.NotEqual(first, Shown());

        string Shown() => certificates.ForConnection().ServerCertificateContext!.TargetCertificate.Thumbprint;
    }

    [Fact]
    public void A_renewed_certificate_that_cannot_be_read_is_told_once_and_the_old_one_stays()
    {
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var told = new List<string>();
        using var certificates = new Certificates(Tls(null), _folder, clock, told.Add);
        var first = Look();
        // A look may come amid a renewal: the next one finds both files.
        Write("server", Signed(_root, "localhost", client: false), keyToo: false);
        Assert.Equal(first, Look());
        Assert.Empty(told);
        Assert.Equal([first, first], [Look(), Look()]);
        Assert.Contains("the key is not this certificate's", Assert.Single(told), StringComparison.Ordinal);
        Assert.Contains(In("server.key"), told[0], StringComparison.Ordinal);
        // Another change that is none either.
        File.WriteAllText(In("server.pem"), "no certificate");
        Assert.Equal([first, first, first], [Look(), Look(), Look()]);
        Assert.Equal(2, told.Count);
        File.Delete(In("server.pem"));
        Assert.Equal([first, first, first], [Look(), Look(), Look()]);
        Assert.Equal(3, told.Count);
        Write("server", Signed(_root, "localhost", client: false));
        Assert.NotEqual(first, Look());
        Assert.Equal(3, told.Count);

        string Look()
        {
            clock.Advance(TimeSpan.FromMinutes(1));
            return certificates.ForConnection().ServerCertificateContext!.TargetCertificate.Thumbprint;
        }
    }

    [Fact]
    public void Every_mistake_of_the_files_is_told()
    {
        Write("other", Signed(_root, "localhost", client: false));
        Write("old", Signed(_root, "localhost", client: false, over: true));
        File.WriteAllText(In("empty.pem"), "");
        Assert.Equal([], Mistakes(Tls("partners.pem")));
        Assert.Equal(["certificate_file: it is missing", "key_file: it is missing"], Mistakes(new TlsOptions()));
        Assert.Contains("can't be read as a certificate and its key",
            Assert.Single(Mistakes(Tls(null) with { KeyFile = "other.key" })), StringComparison.Ordinal);
        Assert.Contains("'none.pem' and 'server.key'", Assert.Single(Mistakes(Tls(null) with { CertificateFile = "none.pem" })),
            StringComparison.Ordinal);
        Assert.Contains("the certificate is over since",
            Assert.Single(Mistakes(new TlsOptions { CertificateFile = "old.pem", KeyFile = "old.key" })), StringComparison.Ordinal);
        Assert.Contains("client_ca_file: 'empty.pem' can't be read as certificates of authorities: it holds no certificate",
            Assert.Single(Mistakes(Tls("empty.pem"))), StringComparison.Ordinal);
        File.WriteAllText(In("between.pem"), Authority("between", _partners).ExportCertificatePem());
        Assert.Contains("'CN=between' is no root", Assert.Single(Mistakes(Tls("between.pem"))), StringComparison.Ordinal);
        // Who shows a certificate is known, so that other machines may call without a key.
        Assert.Single(Mistakes(Tls(null), "0.0.0.0"));
        Assert.Empty(Mistakes(Tls("partners.pem"), "0.0.0.0"));

        List<string> Mistakes(TlsOptions tls, string address = "127.0.0.1")
        {
            var errors = new ConfigErrors();
            HttpCheck.Check(new HttpOptions { Address = address, Tls = tls }, _folder, errors);
            return [.. errors.All.Select(e => $"{e.At.Path}: {e.Message}")];
        }
    }

    private Task<HttpEndpoint> Listen(string? clientCa, bool keys, int grpcPort = 0) => HttpEndpoint.ListenAsync("127.0.0.1", 0,
        new MetricsEndpoint(), () => new HealthReport(true, [], [], []), () => true, app =>
        {
            app.MapGet("/read", () => "ok").Needs(Scope.Read);
            app.MapPost("/streamengine.v1.Decisions/Decide", () => Results.NotFound()).Needs(Scope.Decide); // as where there is no method
        },
        options: new HttpOptions
        {
            Keys = keys ? [new() { Name = "shop", Sha256 = Shop.Sha256, Scopes = [Scope.Read] }] : [],
            Tls = Tls(clientCa),
            GrpcPort = grpcPort,
        }, folder: _folder);

    private static TlsOptions Tls(string? clientCa) =>
        new() { CertificateFile = "server.pem", KeyFile = "server.key", ClientCaFile = clientCa };

    /// <summary>A client that knows the root, and calls by the name that the certificate has.</summary>
    private HttpClient Client(HttpEndpoint http, X509Certificate2? certificate = null) =>
        new(Handler(certificate)) { BaseAddress = new UriBuilder(http.Address) { Host = "localhost" }.Uri };

    private SocketsHttpHandler Handler(X509Certificate2? certificate) => new()
    {
        SslOptions = new SslClientAuthenticationOptions
        {
            CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                CustomTrustStore = { _root },
                RevocationMode = X509RevocationMode.NoCheck,
            },
            LocalCertificateSelectionCallback = certificate is null ? null : (_, _, _, _, _) => certificate,
        },
    };

    private string In(string file) => Path.Combine(_folder, file);

    private void Write(string name, X509Certificate2 certificate, bool keyToo = true)
    {
        File.WriteAllText(In($"{name}.pem"), certificate.ExportCertificatePem());
        if (keyToo) File.WriteAllText(In($"{name}.key"), certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>A root, or an authority that another one has signed.</summary>
    private static X509Certificate2 Authority(string name, X509Certificate2? by = null)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var now = TimeProvider.System.GetUtcNow();
        if (by is null) return request.CreateSelfSigned(now.AddDays(-2), now.AddDays(2));
        using var signed = request.Create(by, now.AddDays(-1.5), now.AddDays(1.5), RandomNumberGenerator.GetBytes(8));
        return signed.CopyWithPrivateKey(key);
    }

    private static X509Certificate2 Signed(X509Certificate2 authority, string name, bool client, bool over = false)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(
            [new Oid(client ? "1.3.6.1.5.5.7.3.2" : "1.3.6.1.5.5.7.3.1")], critical: false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        using var signed = request.Create(authority, now.AddDays(-1), over ? now.AddMinutes(-5) : now.AddDays(1),
            RandomNumberGenerator.GetBytes(8));
        return signed.CopyWithPrivateKey(key);
    }
}
