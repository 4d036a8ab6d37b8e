using System.Net;
using System.Text;
using Grpc.Core;
using Grpc.Net.Client;

namespace StreamEngine.Benchmarks.Processes;

/// <summary>A way to ask nodes for decisions.</summary>
internal interface IAsking : IDisposable
{
    /// <summary>Asks a node; false where it did not serve.</summary>
    Task<bool> Ask(int place, string customer);
}

/// <summary>By JSON over HTTP/1.1.</summary>
/// <param name="ports">The nodes' ports.</param>
internal sealed class HttpAsking(IReadOnlyList<int> ports) : IAsking
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(30) };

    public async Task<bool> Ask(int place, string customer)
    {
        try
        {
            using var body = new StringContent($$"""{"customer":"{{customer}}","placement":"home"}""", Encoding.UTF8, "application/json");
            using var reply = await _http.PostAsync($"http://127.0.0.1:{ports[place]}/v1/decisions", body);
            return reply.StatusCode == HttpStatusCode.OK;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }

    public void Dispose() => _http.Dispose();
}

/// <summary>By gRPC over HTTP/2.</summary>
/// <param name="ports">The nodes' ports of gRPC.</param>
internal sealed class RpcAsking(IReadOnlyList<int> ports) : IAsking
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>A connection carries a hundred calls at a time, and an open loop may have more under way.</summary>
    private readonly GrpcChannel[] _channels = [.. ports.Select(p => GrpcChannel.ForAddress($"http://127.0.0.1:{p}",
        new GrpcChannelOptions { HttpHandler = new SocketsHttpHandler { UseProxy = false, EnableMultipleHttp2Connections = true } }))];

    public async Task<bool> Ask(int place, string customer)
    {
        try
        {
            var decided = await new V1.Decisions.DecisionsClient(_channels[place]).DecideAsync(
                new V1.DecideRequest { Customer = customer, Placement = "home" },
                deadline: TimeProvider.System.GetUtcNow().UtcDateTime + Patience);
            return !decided.Fallback;
        }
        catch (RpcException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        foreach (var channel in _channels) channel.Dispose();
    }
}
