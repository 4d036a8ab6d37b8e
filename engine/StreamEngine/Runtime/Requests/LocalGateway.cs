using StreamEngine.Configuration;
using StreamEngine.Telemetry;

namespace StreamEngine.Runtime.Requests;

/// <summary>
/// The gateway of one process, without a cluster. A shard that is moving or being restored is asked again, with the same request id, until
/// the deadline.
/// </summary>
/// <param name="shards">Tries once.</param>
/// <param name="options">How long a request is tried where it does not say.</param>
/// <param name="metrics">Counts requests and their durations.</param>
/// <param name="time">The clock of deadlines.</param>
public sealed class LocalGateway(ICustomerGateway shards, Decisions.RequestOptions options, EngineMetrics metrics, TimeProvider time)
    : ICustomerGateway
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(320);

    /// <inheritdoc/>
    public async ValueTask<DecideReply> DecideAsync(DecideRequest request, CancellationToken cancel = default)
    {
        if (request.Id.Length == 0) request = request with { Id = Guid.NewGuid().ToString("N") };
        var at = request.Time ?? time.GetUtcNow();
        var reply = await AskAsync("decide", request.Timeout, left =>
            shards.DecideAsync(request with { Time = at, Timeout = left }, cancel), cancel).ConfigureAwait(false);
        return reply with { RequestId = request.Id };
    }

    /// <inheritdoc/>
    public ValueTask<ProfileReply> ReadAsync(ReadRequest request, CancellationToken cancel = default)
    {
        var at = request.Time ?? time.GetUtcNow();
        return AskAsync("read", request.Timeout, left => shards.ReadAsync(request with { Time = at, Timeout = left }, cancel), cancel);
    }

    private async ValueTask<TReply> AskAsync<TReply>(string kind, TimeSpan? timeout, Func<TimeSpan, ValueTask<TReply>> ask,
        CancellationToken cancel)
        where TReply : Reply
    {
        using var span = EngineTraces.Source.StartActivity(kind, System.Diagnostics.ActivityKind.Server);
        var started = time.GetTimestamp();
        var patience = timeout ?? options.Timeout;
        TReply reply;
        for (var pause = FirstPause; ; pause = pause < LongestPause ? pause * 2 : pause)
        {
            reply = await ask(patience - time.GetElapsedTime(started)).ConfigureAwait(false);
            var left = patience - time.GetElapsedTime(started);
            if (reply.Status is not (RequestStatus.Moved or RequestStatus.Restoring) || left <= pause) break;
            await Task.Delay(pause, time, cancel).ConfigureAwait(false);
        }
        span?.SetTag("streamengine.status", Spelling.Snake(reply.Status.ToString()));
        metrics.RequestDone(kind, reply.Status, time.GetElapsedTime(started));
        return reply;
    }
}
