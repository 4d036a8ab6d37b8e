using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace StreamEngine.Cluster.Membership;

/// <summary>
/// Whether the cluster's port is free: what Akka says where it is not fills a page, and leaves half an actor system behind.
/// </summary>
internal static class PortCheck
{
    /// <summary>Tries the port that will be listened on.</summary>
    /// <exception cref="IOException">It is taken, or the address is not this machine's; names the remedy.</exception>
    public static void ThrowIfTaken(ClusterOptions options)
    {
        var host = options.BindAddress ?? options.Address ?? Environment.MachineName;
        var (port, option) = options.BindPort is { } other ? (other, "cluster.bind_port") : (options.Port, "cluster.port");
        var where = string.Create(CultureInfo.InvariantCulture, $"{host}:{port}");
        try
        {
            var ip = IPAddress.TryParse(host, out var address) ? address : Dns.GetHostAddresses(host, AddressFamily.InterNetwork)[0];
            using var listener = new TcpListener(ip, port);
            listener.Start();
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new IOException($"the port {where} is taken: set {option} to a free one, or end what listens there", e);
        }
        catch (Exception e) when (e is SocketException or IndexOutOfRangeException)
        {
            throw new IOException($"{where} can't be listened on: {e.Message}. Set cluster.bind_address to an address of this machine, "
                + "or cluster.address to a name that leads to one", e);
        }
    }
}
