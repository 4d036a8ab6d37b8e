using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace StreamEngine.Testing;

/// <summary>
/// A small schema registry on loopback: the part of the REST API that clients read, with what can go wrong. It can be stopped and started
/// again at the same address. Its path <c>/token</c> gives OAuth tokens.
/// </summary>
public sealed class RegistryServer : IAsyncDisposable
{
    private readonly ConcurrentQueue<string> _requests = [];
    private WebApplication? _app;
    private int _port;

    /// <summary>Answers by method and path, as <c>GET /schemas/ids/1</c>.</summary>
    public ConcurrentDictionary<string, string> Answers { get; } = [];

    /// <summary>The newest id that it gave.</summary>
    public int Newest { get; set; } = 2_000;

    /// <summary>What was registered with it, by subject.</summary>
    public ConcurrentDictionary<string, (int Id, string Schema)> Registered { get; } = [];

    /// <summary>Subjects under which nothing may be registered that is not there.</summary>
    public HashSet<string> Closed { get; } = [];

    /// <summary>The status of every answer; null where the table tells.</summary>
    public int? Status { get; set; }

    /// <summary>What is answered together with <see cref="Status"/>; <c>{authorization}</c> is what the request brought.</summary>
    public string Body { get; set; } = """{"error_code":50001,"message":"out of order"}""";

    /// <summary>The header that requests must bring; null for none.</summary>
    public string? Wanted { get; set; }

    /// <summary>The certificate to show; null for plain HTTP.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>Whether clients must show a certificate; the thumbprint of the last one is in <see cref="Client"/>.</summary>
    public bool WantsCertificate { get; init; }

    public string? Client { get; private set; }

    /// <summary>What the last request for a token said, and how many there were.</summary>
    public string TokenRequest { get; private set; } = "";

    public int Tokens { get; private set; }

    public string? Authorization { get; private set; }

    /// <summary>The requests so far, but those for tokens.</summary>
    public IReadOnlyList<string> Requests => [.. _requests];

    public string Url => $"{(Certificate is null ? "http" : "https")}://127.0.0.1:{_port}";

    public static async Task<RegistryServer> RunAsync(X509Certificate2? certificate = null, bool wantsCertificate = false)
    {
        var server = new RegistryServer { Certificate = certificate, WantsCertificate = wantsCertificate };
        await server.StartAsync();
        return server;
    }

    /// <summary>A schema under an id, and as the newest of a subject.</summary>
    public void Add(int id, string schema, string? subject = null, int version = 1, string references = "")
    {
        var body = $"\"schema\":{JsonSerializer.Serialize(schema)}{(references.Length == 0 ? "" : $",\"references\":[{references}]")}";
        Answers[$"GET /schemas/ids/{id}"] = $"{{{body}}}";
        if (subject is null) return;
        var full = $$"""{"subject":"{{subject}}","version":{{version}},"id":{{id}},{{body}}}""";
        Answers[$"GET /subjects/{Uri.EscapeDataString(subject)}/versions/latest"] = full;
        Answers[$"GET /subjects/{Uri.EscapeDataString(subject)}/versions/{version}"] = full;
    }

    public async Task StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.Loopback, _port, listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                if (Certificate is null) return;
                listen.UseHttps(https =>
                {
                    https.ServerCertificate = Certificate;
                    https.ClientCertificateMode =
                        WantsCertificate ? ClientCertificateMode.RequireCertificate : ClientCertificateMode.NoCertificate;
                    https.ClientCertificateValidation = (certificate, _, _) =>
                    {
                        Client = certificate.Thumbprint;
                        return true;
                    };
                });
            }));
        _app = builder.Build();
        _app.Run(AnswerAsync);
        await _app.StartAsync();
        _port = new Uri(_app.Urls.First()).Port;
    }

    /// <summary>Goes away: the port is closed.</summary>
    public async Task StopAsync()
    {
        if (_app is null) return;
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
        _app = null;
    }

    public ValueTask DisposeAsync() => new(StopAsync());

    private async Task AnswerAsync(HttpContext context)
    {
        if (context.Request.Path == "/token")
        {
            using var form = new StreamReader(context.Request.Body);
            TokenRequest = await form.ReadToEndAsync();
            Tokens++;
            await context.Response.WriteAsync($$"""{"access_token":"token-{{Tokens}}-of-the-server","token_type":"Bearer","expires_in":3600}""");
            return;
        }
        var raw = context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestFeature>()!.RawTarget.Split('?')[0];
        var asked = $"{context.Request.Method} {raw}";
        _requests.Enqueue(asked);
        Authorization = context.Request.Headers.Authorization.ToString() is { Length: > 0 } header ? header : null;
        var refused = Wanted is not null && Authorization != Wanted;
        using var sent = new StreamReader(context.Request.Body);
        var (status, body) = Status is { } all ? (all, Body)
            : refused ? (401, Body)
            : context.Request.Method == "POST" ? Posted(raw, await sent.ReadToEndAsync())
            : Answers.TryGetValue(asked, out var answer) ? (200, answer)
            : (404, raw.StartsWith("/schemas", StringComparison.Ordinal) ? """{"error_code":40403,"message":"Schema not found"}"""
                : """{"error_code":40401,"message":"Subject not found."}""");
        context.Response.StatusCode = status;
        await context.Response.WriteAsync(body.Replace("{authorization}", Authorization, StringComparison.Ordinal));
    }

    /// <summary>Registers a schema, looks one up, or tells whether it may be registered.</summary>
    private (int Status, string Body) Posted(string path, string body)
    {
        var schema = JsonDocument.Parse(body).RootElement.GetProperty("schema").GetString()!;
        var parts = path.Trim('/').Split('/');
        var subject = Uri.UnescapeDataString(parts[parts[0] == "compatibility" ? 2 : 1]);
        var there = Registered.TryGetValue(subject, out var known) && known.Schema == schema;
        if (parts[0] == "compatibility") return (200, $$"""{"is_compatible":{{(there || !Closed.Contains(subject) ? "true" : "false")}}}""");
        if (parts.Length == 2)
            return there ? (200, $$"""{"subject":"{{subject}}","version":1,"id":{{known.Id}},"schema":{{JsonSerializer.Serialize(schema)}}}""")
                : (404, """{"error_code":40403,"message":"Schema not found"}""");
        if (!there && Closed.Contains(subject))
            return (409, """{"error_code":409,"message":"Schema being registered is incompatible with an earlier schema"}""");
        if (!there) Registered[subject] = known = (++Newest, schema);
        Answers[$"GET /schemas/ids/{known.Id}"] = $$"""{"schema":{{JsonSerializer.Serialize(schema)}}}""";
        return (200, $$"""{"id":{{known.Id}}}""");
    }
}
