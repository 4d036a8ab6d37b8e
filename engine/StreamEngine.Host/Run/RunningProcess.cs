using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Http.Security;

namespace StreamEngine.Host.Run;

/// <summary>The process of a config that runs on this machine, as other commands ask it: by its HTTP address.</summary>
internal static class RunningProcess
{
    /// <summary>The variable with the key that commands present: a command line can be seen by all users of the machine.</summary>
    public const string KeyVariable = "STREAMENGINE_KEY";

    /// <summary>
    /// A client of it; its port must not be 0. With TLS it takes the config's own certificate for good, and shows it too.
    /// </summary>
    /// <param name="options">The config's section.</param>
    /// <param name="folder">The config's folder, where relative files start.</param>
    /// <param name="timeout">How long an answer may take.</param>
    public static HttpClient Client(HttpOptions options, string folder, TimeSpan timeout)
    {
        if (options.Tls is not { } tls) return Client(new UriBuilder("http", Host(options.Address), options.Port).Uri, timeout);
        X509Certificate2 own;
        try
        {
            own = Certificates.ReadOwn(Path.Combine(folder, tls.CertificateFile), Path.Combine(folder, tls.KeyFile)).Own;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new LogException($"http.tls: '{tls.CertificateFile}' and '{tls.KeyFile}' can't be read as a certificate and its key: "
                + e.Message, e);
        }
        return Client(new UriBuilder("https", Host(options.Address), options.Port).Uri, timeout, new SslClientAuthenticationOptions
        {
            RemoteCertificateValidationCallback = (_, shown, _, faults) => faults == SslPolicyErrors.None
                || shown is X509Certificate2 certificate && certificate.RawDataMemory.Span.SequenceEqual(own.RawDataMemory.Span),
            LocalCertificateSelectionCallback = (_, _, _, _, _) => own,
        });
    }

    /// <summary>A client of what listens at an address, which ends with a slash.</summary>
    public static HttpClient Client(Uri address, TimeSpan timeout, SslClientAuthenticationOptions? tls = null)
    {
        var handler = new SocketsHttpHandler { UseProxy = false };
        if (tls is not null) handler.SslOptions = tls;
        var client = new HttpClient(handler) { BaseAddress = address, Timeout = timeout };
        if (Environment.GetEnvironmentVariable(KeyVariable) is { Length: > 0 } key)
            client.DefaultRequestHeaders.TryAddWithoutValidation(PresentedKey.Header, key);
        return client;
    }

    /// <summary>What to say where it wants a key, or another one; null where it does not.</summary>
    public static string? Refused(HttpResponseMessage response, HttpClient client, Scope scope) =>
        response.StatusCode is not (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
            || response.Content.Headers.ContentType?.MediaType != "application/problem+json" ? null
        // A key or a token is asked for by WWW-Authenticate.
        : response is { StatusCode: HttpStatusCode.Unauthorized, Headers.WwwAuthenticate.Count: 0 }
            ? $"What listens at {client.BaseAddress} refuses this call: it needs a caller's certificate (http.tls.client_ca_file). Call it "
                + "on its machine by its config, without --url."
        : $"What listens at {client.BaseAddress} refuses this call ({(int)response.StatusCode}): its config has http.keys. Put a key with "
            + $"the scope {Spelling.Snake(scope.ToString())} into the variable {KeyVariable}.";

    /// <summary>What to say where an answer breaks off, or is none.</summary>
    public static string NoWholeAnswer(HttpClient client, Exception fault) =>
        $"What listens at {client.BaseAddress} gave no whole answer: {(fault.InnerException ?? fault).Message.TrimEnd('.')}.";

    /// <summary>What to say where nothing listens.</summary>
    public static string Nobody(HttpClient client) => $"Nothing listens at {client.BaseAddress}: no process of this config runs on this "
        + "machine, or with another http.port (--set http.port=N).";

    /// <summary>Where a process that listens on this address is reached from the same machine.</summary>
    private static string Host(string address) => !IPAddress.TryParse(address, out var ip) ? address
        : ip.Equals(IPAddress.Any) ? "127.0.0.1"
        : ip.Equals(IPAddress.IPv6Any) ? "[::1]"
        : ip.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{ip}]" : ip.ToString();
}
