using System.Net;
using System.Net.Sockets;
using StreamEngine.Configuration;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Http.Security;

namespace StreamEngine.Host.Run;

/// <summary>The process of a config that runs on this machine, as other commands ask it: by its HTTP address.</summary>
internal static class RunningProcess
{
    /// <summary>The variable with the key that commands present: a command line can be seen by all users of the machine.</summary>
    public const string KeyVariable = "STREAMENGINE_KEY";

    /// <summary>A client of it; its port must not be 0.</summary>
    public static HttpClient Client(HttpOptions options, TimeSpan timeout) =>
        Client(new UriBuilder("http", Host(options.Address), options.Port).Uri, timeout);

    /// <summary>A client of what listens at an address, which ends with a slash.</summary>
    public static HttpClient Client(Uri address, TimeSpan timeout)
    {
        var client = new HttpClient(new SocketsHttpHandler { UseProxy = false })
        {
            BaseAddress = address,
            Timeout = timeout,
        };
        if (Environment.GetEnvironmentVariable(KeyVariable) is { Length: > 0 } key)
            client.DefaultRequestHeaders.TryAddWithoutValidation(PresentedKey.Header, key);
        return client;
    }

    /// <summary>What to say where it wants a key, or another one; null where it does not.</summary>
    public static string? Refused(HttpResponseMessage response, HttpClient client, Scope scope) =>
        response.StatusCode is not (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
            || response.Content.Headers.ContentType?.MediaType != "application/problem+json" ? null
        : $"What listens at {client.BaseAddress} refuses this call ({(int)response.StatusCode}): its config has http.keys. Put a key with "
            + $"the scope {Spelling.Snake(scope.ToString())} into the variable {KeyVariable}.";

    /// <summary>What to say where nothing listens.</summary>
    public static string Nobody(HttpClient client) => $"Nothing listens at {client.BaseAddress}: no process of this config runs on this "
        + "machine, or with another http.port (--set http.port=N).";

    /// <summary>Where a process that listens on this address is reached from the same machine.</summary>
    private static string Host(string address) => !IPAddress.TryParse(address, out var ip) ? address
        : ip.Equals(IPAddress.Any) ? "127.0.0.1"
        : ip.Equals(IPAddress.IPv6Any) ? "[::1]"
        : ip.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{ip}]" : ip.ToString();
}
