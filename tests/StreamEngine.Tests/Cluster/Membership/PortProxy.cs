using System.Net;
using System.Net.Sockets;

namespace StreamEngine.Tests.Cluster.Membership;

/// <summary>A cable to a port: carries connections from one port to another one, and can be cut and mended.</summary>
internal sealed class PortProxy : IDisposable
{
    private readonly Lock _changing = new();
    private readonly HashSet<TcpClient> _ends = [];
    private readonly TcpListener _listener;
    private readonly int _to;
    private bool _cut;

    /// <summary>Carries what comes to <paramref name="port"/> on to a free port.</summary>
    public PortProxy(int port, out int to)
    {
        to = _to = TestNode.FreePorts(1)[0];
        _listener = new TcpListener(IPAddress.Loopback, port);
        _listener.Start();
        _ = AcceptAsync();
    }

    /// <summary>Ends all connections, and takes no more.</summary>
    public void Cut()
    {
        lock (_changing)
        {
            _cut = true;
            foreach (var end in _ends) end.Dispose();
            _ends.Clear();
        }
    }

    /// <summary>Carries again.</summary>
    public void Heal()
    {
        lock (_changing) _cut = false;
    }

    public void Dispose()
    {
        Cut();
        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            TcpClient near;
            try
            {
                near = await _listener.AcceptTcpClientAsync();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }
            _ = CarryAsync(near);
        }
    }

    private async Task CarryAsync(TcpClient near)
    {
        using var far = new TcpClient();
        using var first = near;
        try
        {
            await far.ConnectAsync(IPAddress.Loopback, _to);
            lock (_changing)
            {
                if (_cut) return;
                _ends.UnionWith([near, far]);
            }
            await Task.WhenAny(near.GetStream().CopyToAsync(far.GetStream()), far.GetStream().CopyToAsync(near.GetStream()));
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // It was cut, or one end went.
        }
    }
}
