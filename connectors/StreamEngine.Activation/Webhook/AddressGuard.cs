using System.Net;
using System.Net.Sockets;

namespace StreamEngine.Activation.Webhook;

/// <summary>
/// Keeps a webhook from reaching what is private to this network. The check is made at the address that is connected to, after the name was
/// resolved, so that no name can lead past it, and none that resolves differently the second time.
/// </summary>
internal static class AddressGuard
{
    /// <summary>Networks that are not of the public internet (IANA's special-purpose registries).</summary>
    private static readonly IPNetwork[] Private =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
            "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
            "::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10",
            "fec0::/10", "ff00::/8",
        }.Select(n => IPNetwork.Parse(n)),
    ];

    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96"), SixToFour = IPNetwork.Parse("2002::/16");

    /// <summary>Whether the address is of the public internet.</summary>
    public static bool IsPublic(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        // An IPv4 address inside an IPv6 one counts as itself.
        var bytes = address.GetAddressBytes();
        if (Nat64.Contains(address)) return IsPublic(new IPAddress(bytes.AsSpan(12, 4)));
        if (SixToFour.Contains(address)) return IsPublic(new IPAddress(bytes.AsSpan(2, 4)));
        return !Private.Any(n => n.Contains(address));
    }

    /// <summary>Connects to the first of the name's addresses that is allowed and answers.</summary>
    /// <exception cref="HttpRequestException">None is allowed, or none answers.</exception>
    public static async ValueTask<Stream> ConnectAsync(DnsEndPoint target, bool allowPrivate, CancellationToken stop)
    {
        var all = IPAddress.TryParse(target.Host, out var literal) ? [literal]
            : await Dns.GetHostAddressesAsync(target.Host, stop).ConfigureAwait(false);
        var allowed = allowPrivate ? all : [.. all.Where(IsPublic)];
        if (allowed.Length == 0)
            throw new HttpRequestException($"{target.Host} leads to {string.Join(", ", all.Select(a => a.ToString()))}, which is no public "
                + "address; where that is meant, set webhook.allow_private to true");
        SocketException? last = null;
        foreach (var address in allowed)
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(address, target.Port, stop).ConfigureAwait(false);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException e)
            {
                socket.Dispose();
                last = e;
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
        throw new HttpRequestException($"{target.Host}:{target.Port}: {last!.Message}", last);
    }
}
