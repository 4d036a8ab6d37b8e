using System.Net;
using System.Net.Sockets;

namespace StreamEngine.Testing;

/// <summary>Ports of this machine that nobody listens on.</summary>
public static class FreePort
{
    /// <summary>One below those that the system gives to clients, so that it is still free when a server on it starts again.</summary>
    public static int Find()
    {
        var random = new Random(Guid.NewGuid().GetHashCode());
        while (true)
        {
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, random.Next(10_000, 30_000));
                listener.Start();
                return ((IPEndPoint)listener.LocalEndpoint).Port;
            }
            catch (SocketException)
            {
                // taken: try another
            }
        }
    }
}
