using System.Net;
using System.Net.Sockets;

namespace StreamEngine.Testing;

/// <summary>
/// Passes connections on to a port of this machine, until it is blocked: then nothing more comes through, in either direction, and nobody
/// is told, as with a cable that was pulled.
/// </summary>
public sealed class TcpProxy : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Socket> _open = [];
    private readonly int _to;
    private volatile TaskCompletionSource _free = Freed();

    /// <param name="to">The port that is behind it.</param>
    public TcpProxy(int to)
    {
        _to = to;
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _ = AcceptAsync();
    }

    /// <summary>Where it listens.</summary>
    public int Port { get; }

    /// <summary>Nothing comes through from now on.</summary>
    public void Block() => _free = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What was held back goes on.</summary>
    public void Unblock() => _free.TrySetResult();

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Cancel();
        _free.TrySetResult();
        _listener.Dispose();
        lock (_open)
            foreach (var socket in _open) socket.Dispose();
    }

    private static TaskCompletionSource Freed()
    {
        var free = new TaskCompletionSource();
        free.SetResult();
        return free;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptSocketAsync(_stop.Token);
                _ = ConnectAsync(client);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The end.
        }
    }

    private async Task ConnectAsync(Socket client)
    {
        var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        lock (_open) _open.AddRange([client, server]);
        try
        {
            await server.ConnectAsync(IPAddress.Loopback, _to, _stop.Token);
            await Task.WhenAny(PassAsync(client, server), PassAsync(server, client));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // One end is gone, and so is the other.
        }
        client.Dispose();
        server.Dispose();
        lock (_open) _open.RemoveAll(s => s == client || s == server);
    }

    private async Task PassAsync(Socket from, Socket to)
    {
        var buffer = new byte[64 << 10];
        while (await from.ReceiveAsync(buffer.AsMemory(), _stop.Token) is var read and > 0)
        {
            await _free.Task;
            for (var sent = 0; sent < read;) sent += await to.SendAsync(buffer.AsMemory(sent, read - sent), _stop.Token);
        }
    }
}
