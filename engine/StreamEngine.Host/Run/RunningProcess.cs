using System.Net;
using System.Net.Sockets;
using StreamEngine.Host.Configuration;

namespace StreamEngine.Host.Run;

/// <summary>The process of a config that runs on this machine, as other commands ask it: by its HTTP address.</summary>
internal static class RunningProcess
{
    /// <summary>A client of it; its port must not be 0.</summary>
    public static HttpClient Client(HttpOptions options, TimeSpan timeout) => new(new SocketsHttpHandler { UseProxy = false })
    {
        BaseAddress = new UriBuilder("http", Host(options.Address), options.Port).Uri,
        Timeout = timeout,
    };

    /// <summary>What to say where nothing listens.</summary>
    public static string Nobody(HttpClient client) => $"Nothing listens at {client.BaseAddress}: no process of this config runs on this "
        + "machine, or with another http.port (--set http.port=N).";

    /// <summary>Where a process that listens on this address is reached from the same machine.</summary>
    private static string Host(string address) => !IPAddress.TryParse(address, out var ip) ? address
        : ip.Equals(IPAddress.Any) ? "127.0.0.1"
        : ip.Equals(IPAddress.IPv6Any) ? "[::1]"
        : ip.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{ip}]" : ip.ToString();
}
