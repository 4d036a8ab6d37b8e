using System.Globalization;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace StreamEngine.Host.Live;

/// <summary>How a stream's events get to its listener.</summary>
internal interface ILiveSink
{
    /// <summary>Begins.</summary>
    /// <param name="retry">After how long a client should connect again when the stream has ended.</param>
    /// <param name="cancel">The listener has gone.</param>
    ValueTask BeginAsync(TimeSpan retry, CancellationToken cancel);

    /// <summary>Sends an event.</summary>
    ValueTask SendAsync(LiveMessage message, CancellationToken cancel);

    /// <summary>Sends a sign of life, which a page does not see.</summary>
    ValueTask BeatAsync(CancellationToken cancel);

    /// <summary>Ends in order.</summary>
    ValueTask EndAsync(CancellationToken cancel);
}

/// <summary>Server-sent events, as the HTML standard has them (text/event-stream).</summary>
internal sealed class EventStreamSink(HttpResponse response) : ILiveSink
{
    /// <inheritdoc/>
    public ValueTask BeginAsync(TimeSpan retry, CancellationToken cancel)
    {
        response.ContentType = "text/event-stream";
        response.Headers["X-Accel-Buffering"] = "no"; // or nginx would collect events before it passes them on
        return WriteAsync(string.Create(CultureInfo.InvariantCulture, $"retry: {(long)retry.TotalMilliseconds}\n\n"), cancel);
    }

    /// <inheritdoc/>
    public ValueTask SendAsync(LiveMessage message, CancellationToken cancel) => WriteAsync(
        $"{(message.Id is { } id ? $"id: {id}\n" : "")}event: {message.Type}\ndata: {Encoding.UTF8.GetString(message.DataBytes())}\n\n",
        cancel);

    /// <inheritdoc/>
    public ValueTask BeatAsync(CancellationToken cancel) => WriteAsync(":\n\n", cancel);

    /// <inheritdoc/>
    public ValueTask EndAsync(CancellationToken cancel) => ValueTask.CompletedTask;

    private async ValueTask WriteAsync(string text, CancellationToken cancel) =>
        await response.BodyWriter.WriteAsync(Encoding.UTF8.GetBytes(text), cancel).ConfigureAwait(false);
}

/// <summary>One JSON object a message: <c>{"type":...,"id":...,"data":{...}}</c>.</summary>
internal sealed class WebSocketSink(WebSocket socket) : ILiveSink
{
    /// <inheritdoc/>
    public ValueTask BeginAsync(TimeSpan retry, CancellationToken cancel) => ValueTask.CompletedTask;

    /// <inheritdoc/>
    public ValueTask SendAsync(LiveMessage message, CancellationToken cancel) =>
        socket.SendAsync(message.Bytes().AsMemory(), WebSocketMessageType.Text, endOfMessage: true, cancel);

    /// <summary>The socket's own pings are the sign of life.</summary>
    public ValueTask BeatAsync(CancellationToken cancel) => ValueTask.CompletedTask;

    /// <inheritdoc/>
    public async ValueTask EndAsync(CancellationToken cancel) =>
        await socket.CloseOutputAsync(WebSocketCloseStatus.EndpointUnavailable, null, cancel).ConfigureAwait(false);
}
