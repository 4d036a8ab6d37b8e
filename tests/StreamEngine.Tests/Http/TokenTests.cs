using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Time.Testing;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using StreamEngine.Configuration;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Http;
using StreamEngine.Host.Http.Security;
using StreamEngine.Host.Telemetry;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Http;

/// <summary>Callers with tokens of an identity provider, on a real Kestrel, with a provider on loopback.</summary>
public sealed class TokenTests : IAsyncLifetime
{
    private const string Issuer = "https://login.example", Audience = "streamengine";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly RsaSecurityKey Rsa = new(RSA.Create(2_048)) { KeyId = "rsa" }, Other = new(RSA.Create(2_048)) { KeyId = "rsa" };
    private static readonly ECDsaSecurityKey Ec = new(ECDsa.Create(ECCurve.NamedCurves.nistP256)) { KeyId = "ec" };
    private static readonly (string Key, string Sha256) Shop = KeyRing.New();

    private readonly string _folder = Directory.CreateTempSubdirectory("tokens-").FullName;
    private HttpEndpoint _http = null!;
    private HttpClient _client = null!;

    private JwtOptions Options => new()
    {
        Issuer = Issuer,
        Audiences = ["another", Audience],
        KeysFile = "keys.json",
    };

    public async Task InitializeAsync()
    {
        await File.WriteAllTextAsync(KeysFile, Set(Rsa, Ec));
        _http = await Listen(Options);
        _client = new HttpClient { BaseAddress = new Uri(_http.Address) };
    }

    public async Task DisposeAsync()
    {
        _client.Dispose();
        await _http.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("decide read", 200, 200, 403)]
    [InlineData("read", 403, 200, 403)]
    [InlineData("email Read reader", 403, 403, 403)]
    [InlineData("admin", 200, 200, 200)]
    public async Task A_token_may_what_its_scopes_say(string scope, int decide, int read, int admin)
    {
        foreach (var key in new SecurityKey[] { Rsa, Ec })
        {
            var token = Token(key, scope);
            Assert.Equal((decide, read, admin),
                ((await Get("/decide", token)).Status, (await Get("/read", token)).Status, (await Get("/admin", token)).Status));
        }
    }

    [Fact]
    public async Task Keys_go_on_beside_tokens_and_a_token_in_an_address_is_none()
    {
        Assert.Equal(200, (await Get("/read", Shop.Key)).Status);
        Assert.Equal((401, "no_key"), await Get("/read", null));
        Assert.Equal((401, "unknown_key"), await Get("/read", "sek_unknown"));
        Assert.Equal((401, "unknown_key"), await Get($"/page?key={Token(Rsa, "collect")}", null));
        Assert.Equal(200, (await Get("/page", Token(Rsa, "collect"))).Status);
    }

    [Fact]
    public async Task What_is_wrong_with_a_token_is_told_and_nothing_of_it()
    {
        var good = Token(Rsa, "admin");
        var parts = good.Split('.');
        var spki = Convert.ToBase64String(Rsa.Rsa.ExportSubjectPublicKeyInfo());
        foreach (var (token, words) in new (string, string)[]
        {
            (Token(Rsa, "admin", d => d.Expires = DateTime.UtcNow.AddMinutes(-2)), "time is over"),
            (Token(Rsa, "admin", d => d.NotBefore = DateTime.UtcNow.AddMinutes(2)), "not valid yet"),
            (Token(Rsa, "admin", d => d.Audience = "billing"), "for somebody else"),
            (Token(Rsa, "admin", d => d.Issuer = "https://evil.example"), "of another provider"),
            (Token(Other, "admin"), "can't be verified"),
            (Token(new RsaSecurityKey(Other.Rsa) { KeyId = "unknown" }, "admin"), "key is none"),
            // Signed with what everybody knows, or not at all.
            (Token(new SymmetricSecurityKey(Encoding.ASCII.GetBytes(spki)) { KeyId = "rsa" }, "admin"), ""),
            ($"{Encode("""{"alg":"none","typ":"JWT"}""")}.{parts[1]}.", ""),
            ($"{parts[0]}.{Encode("""{"iss":"https://login.example","aud":"streamengine","sub":"a","scope":"admin","exp":9999999999}""")}"
                + $".{parts[2]}", "can't be verified"),
            ($"{parts[0]}.{parts[1]}.", ""),
            ("ey.ey.ey", "can't be verified"),
            (Token(Rsa, "admin", d => d.Claims.Remove("sub")), "does not say whose"),
            (Token(Rsa, "admin", d => d.Claims["sub"] = "a\nb"), "does not say whose"),
            (Token(Rsa, new string('x', 20_000)), "longer than"),
        })
        {
            using var request = Request("/read", token);
            using var reply = await _client.SendAsync(request);
            var text = await reply.Content.ReadAsStringAsync();
            var problem = JsonNode.Parse(text)!;
            Assert.True((int)reply.StatusCode == 401 && (string)problem["reason"]! == "token", $"{words}: {text}");
            Assert.Contains(words, (string)problem["detail"]!, StringComparison.Ordinal);
            Assert.Equal("Bearer error=\"invalid_token\"", reply.Headers.WwwAuthenticate.ToString());
            Assert.DoesNotContain(token[..Math.Min(12, token.Length)], text, StringComparison.Ordinal);
        }
        var end = new SecurityTokenDescriptor { Issuer = Issuer, Audience = Audience, SigningCredentials = Signed(Rsa) };
        var endless = new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(end);
        Assert.Equal((401, "token"), await Get("/read", endless));
    }

    [Fact]
    public async Task Scopes_may_be_a_list_under_another_name_with_a_prefix()
    {
        await using var http = await Listen(Options with { ScopeClaim = "roles", ScopePrefix = "streamengine." });
        using var client = new HttpClient { BaseAddress = new Uri(http.Address) };
        var token = Token(Rsa, "admin", d => d.Claims["roles"] = new[] { "decide", "streamengine.read", "other.admin" });
        Assert.Equal((403, "scope"), await Get("/decide", token, client));
        Assert.Equal(200, (await Get("/read", token, client)).Status);
    }

    [Fact]
    public async Task Each_caller_has_a_rate_of_its_own()
    {
        await using var http = await Listen(Options with { Rate = 1 });
        using var client = new HttpClient { BaseAddress = new Uri(http.Address) };
        string Of(string who) => Token(Rsa, "read", d => d.Claims["sub"] = who);
        var busy = Of("shop"); // a key has the same name
        for (var status = 200; status != 429;) status = (await Get("/read", busy, client)).Status;
        Assert.Equal(200, (await Get("/read", Of("b"), client)).Status);
        Assert.Equal(200, (await Get("/read", Shop.Key, client)).Status);
    }

    [Fact]
    public async Task A_key_that_the_file_has_only_now_is_taken_soon()
    {
        var next = new RsaSecurityKey(RSA.Create(2_048)) { KeyId = "next" };
        var verifier = new TokenVerifier(Options, _folder, TimeProvider.System, TimeSpan.FromSeconds(1));
        Assert.Null((await verifier.VerifyAsync(Token(next, "read"), default)).Caller);
        await File.WriteAllTextAsync(KeysFile, Set(next));
        var started = TimeProvider.System.GetTimestamp();
        while ((await verifier.VerifyAsync(Token(next, "read"), default)).Caller is null)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Patience);
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }
        Assert.Equal("token", (await verifier.VerifyAsync(Token(Ec, "read"), default)).Reason);
    }

    [Fact]
    public async Task A_provider_that_is_away_is_asked_again_after_a_while()
    {
        await using var provider = await RegistryServer.RunAsync();
        provider.Answers["GET /.well-known/openid-configuration"] =
            $$"""{"issuer":"{{provider.Url}}","jwks_uri":"{{provider.Url}}/keys"}""";
        provider.Answers["GET /keys"] = Set(Rsa);
        provider.Status = 500;
        var time = new FakeTimeProvider();
        var verifier = new TokenVerifier(Options with { Issuer = provider.Url + "/", KeysFile = null }, "", time);
        var token = Token(Rsa, "read", d => d.Issuer = provider.Url + "/");
        Assert.Equal((503, "issuer_away"), Of(await verifier.VerifyAsync(token, default)));
        var asked = provider.Requests.Count;
        provider.Status = null;
        Assert.Equal((503, "issuer_away"), Of(await verifier.VerifyAsync(token, default)));
        Assert.Equal(asked, provider.Requests.Count);
        time.Advance(TimeSpan.FromSeconds(6));
        var caller = (await verifier.VerifyAsync(token, default)).Caller!;
        Assert.Equal(("ann", Scope.Read, true), (caller.Name, caller.Scopes.Single(), caller.ByToken));

        static (int, string) Of(TokenVerdict verdict) => (verdict.Status, verdict.Reason);
    }

    [Fact]
    public void Mistakes_in_the_config_are_told_all_at_once()
    {
        File.WriteAllText(Path.Combine(_folder, "secret.json"), """{"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"a"}]}""");
        var errors = new ConfigErrors();
        foreach (var jwt in new[]
        {
            new JwtOptions(), new JwtOptions { Issuer = "http://login.example", Audiences = ["a"] },
            Options with { KeysFile = "none.json" }, Options with { KeysFile = "secret.json" },
        })
            HttpCheck.Check(new HttpOptions { Jwt = jwt }, _folder, errors);
        HttpCheck.Check(new HttpOptions { Jwt = Options, Address = "0.0.0.0" }, _folder, errors);
        Assert.Equal(["it is missing", "none is given, so", "'http://login.example' is no https", "'none.json' can't be read",
            "'secret.json' can't be read"], errors.All.Select(e => new[] { "it is missing", "none is given, so",
            "'http://login.example' is no https", "'none.json' can't be read", "'secret.json' can't be read" }
            .FirstOrDefault(w => e.Message.StartsWith(w, StringComparison.Ordinal)) ?? e.Message));
    }

    private string KeysFile => Path.Combine(_folder, "keys.json");

    private static SigningCredentials Signed(SecurityKey key) => new(key, key switch
    {
        ECDsaSecurityKey => SecurityAlgorithms.EcdsaSha256,
        SymmetricSecurityKey => SecurityAlgorithms.HmacSha256,
        _ => SecurityAlgorithms.RsaSha256,
    });

    private static string Token(SecurityKey key, string scope, Action<SecurityTokenDescriptor>? change = null)
    {
        var token = new SecurityTokenDescriptor
        {
            Issuer = Issuer,
            Audience = Audience,
            IssuedAt = DateTime.UtcNow.AddMinutes(-10),
            NotBefore = DateTime.UtcNow.AddMinutes(-10),
            Expires = DateTime.UtcNow.AddMinutes(10),
            Claims = new Dictionary<string, object> { ["sub"] = "ann", ["scope"] = scope },
            SigningCredentials = Signed(key),
        };
        change?.Invoke(token);
        return new JsonWebTokenHandler().CreateToken(token);
    }

    private static string Set(params SecurityKey[] keys)
    {
        var all = keys.Select(k => k is ECDsaSecurityKey ec ? JsonWebKeyConverter.ConvertFromECDsaSecurityKey(ec)
            : JsonWebKeyConverter.ConvertFromRSASecurityKey(
                new RsaSecurityKey(((RsaSecurityKey)k).Rsa.ExportParameters(false)) { KeyId = k.KeyId }));
        return JsonSerializer.Serialize(new
        {
            keys = all.Select(k => new { kty = k.Kty, kid = k.Kid, use = "sig", n = k.N, e = k.E, crv = k.Crv, x = k.X, y = k.Y }),
        });
    }

    private static string Encode(string json) => Base64UrlEncoder.Encode(json);

    private static HttpRequestMessage Request(string path, string? token)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return request;
    }

    private async Task<(int Status, string Reason)> Get(string path, string? token, HttpClient? client = null)
    {
        using var request = Request(path, token);
        using var reply = await (client ?? _client).SendAsync(request);
        var status = (int)reply.StatusCode;
        return (status, status == 200 ? "" : (string)JsonNode.Parse(await reply.Content.ReadAsStringAsync())!["reason"]!);
    }

    private Task<HttpEndpoint> Listen(JwtOptions jwt) => HttpEndpoint.ListenAsync("127.0.0.1", 0, new MetricsEndpoint(),
        () => new HealthReport(true, [], [], []), () => true, app =>
        {
            app.MapGet("/decide", () => "ok").Needs(Scope.Decide);
            app.MapGet("/read", () => "ok").Needs(Scope.Read);
            app.MapGet("/admin", () => "ok").Needs(Scope.Admin);
            app.MapGet("/page", () => "ok").WithMetadata(new Demand(Scope.Collect, FromPages: true));
        }, options: new HttpOptions
        {
            Jwt = jwt,
            Keys = [new() { Name = "shop", Sha256 = Shop.Sha256, Scopes = [Scope.Read] }],
        }, folder: _folder);
}
