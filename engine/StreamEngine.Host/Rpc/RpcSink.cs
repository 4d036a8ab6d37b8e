using System.Text;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using StreamEngine.Host.Live;

namespace StreamEngine.Host.Rpc;

/// <summary>A live stream's events as messages of a call.</summary>
internal sealed class RpcSink(IServerStreamWriter<V1.CustomerEvent> events) : ILiveSink
{
    /// <summary>When to connect again is the client's own matter: its library knows how.</summary>
    public ValueTask BeginAsync(TimeSpan retry, CancellationToken cancel) => ValueTask.CompletedTask;

    /// <inheritdoc/>
    public ValueTask SendAsync(LiveMessage message, CancellationToken cancel) => new(events.WriteAsync(new V1.CustomerEvent
    {
        Type = message.Type,
        Id = message.Id ?? "",
        Data = Struct.Parser.ParseJson(Encoding.UTF8.GetString(message.DataBytes())),
    }, cancel));

    /// <inheritdoc/>
    public ValueTask BeatAsync(CancellationToken cancel) =>
        new(events.WriteAsync(new V1.CustomerEvent { Type = "beat" }, cancel));

    /// <inheritdoc/>
    public ValueTask EndAsync(CancellationToken cancel) => ValueTask.CompletedTask;
}
