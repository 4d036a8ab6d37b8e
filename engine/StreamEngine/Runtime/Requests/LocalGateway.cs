using StreamEngine.Configuration;
using StreamEngine.Telemetry;

namespace StreamEngine.Runtime.Requests;

/// <summary>
/// The gateway of one process, without a cluster: finds the customer's shard by the same hash that places its events, and hands the request
/// to its loop. A shard that is moving or being restored is asked again, with the same request id, until the deadline.
/// </summary>
public sealed class LocalGateway : ICustomerGateway
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(320);

    private readonly ShardDirectory _directory;
    private readonly CompiledEngine _engine;
    private readonly RequestCompiler _compiler;
    private readonly EngineMetrics _metrics;
    private readonly TimeProvider _time;

    /// <summary>Serves the shards of a directory.</summary>
    /// <param name="engine">The compiled config; its requests are enabled.</param>
    /// <param name="directory">The shards.</param>
    /// <param name="metrics">Counts requests and their durations.</param>
    /// <param name="time">The clock of requests without a time, and of deadlines.</param>
    public LocalGateway(CompiledEngine engine, ShardDirectory directory, EngineMetrics metrics, TimeProvider time)
    {
        (_engine, _directory, _metrics, _time) = (engine, directory, metrics, time);
        _compiler = new RequestCompiler(engine);
    }

    /// <inheritdoc/>
    public ValueTask<DecideReply> DecideAsync(DecideRequest request, CancellationToken cancel = default)
    {
        if (request.Id.Length == 0) request = request with { Id = Guid.NewGuid().ToString("N") };
        var at = Ms(request.Time);
        return AskAsync("decide", request.Timeout, (deadline, faults) => _compiler.Compile(request, at, deadline, faults), cancel,
            reply => reply with { RequestId = request.Id });
    }

    /// <inheritdoc/>
    public ValueTask<ProfileReply> ReadAsync(ReadRequest request, CancellationToken cancel = default)
    {
        var at = Ms(request.Time);
        return AskAsync("read", request.Timeout, (deadline, faults) => _compiler.Compile(request, at, deadline, faults), cancel, reply =>
            reply);
    }

    private async ValueTask<TReply> AskAsync<TReply>(string kind, TimeSpan? timeout, Func<long, List<string>,
        ShardRequest<TReply>?> compile,
        CancellationToken cancel, Func<TReply, TReply> complete)
        where TReply : Reply, new()
    {
        using var span = EngineTraces.Source.StartActivity(kind, System.Diagnostics.ActivityKind.Server);
        var started = _time.GetTimestamp();
        var patience = timeout ?? _engine.Options.Requests.Timeout;
        var deadline = started + (long)(patience.TotalSeconds * _time.TimestampFrequency);
        TReply reply;
        for (var pause = FirstPause; ; pause = pause < LongestPause ? pause * 2 : pause)
        {
            reply = await TryAsync(compile, deadline, patience - _time.GetElapsedTime(started), cancel).ConfigureAwait(false);
            var left = patience - _time.GetElapsedTime(started);
            if (reply.Status is not (RequestStatus.Moved or RequestStatus.Restoring) || left <= pause) break;
            await Task.Delay(pause, _time, cancel).ConfigureAwait(false);
        }
        span?.SetTag("streamengine.status", Spelling.Snake(reply.Status.ToString()));
        _metrics.RequestDone(kind, reply.Status, _time.GetElapsedTime(started));
        return complete(reply);
    }

    private async ValueTask<TReply> TryAsync<TReply>(Func<long, List<string>, ShardRequest<TReply>?> compile, long deadline, TimeSpan left,
        CancellationToken cancel)
        where TReply : Reply, new()
    {
        var faults = new List<string>();
        if (compile(deadline, faults) is not { } call)
            return new TReply { Status = RequestStatus.Invalid, Message = string.Join("; ", faults) };
        var partition = _directory.Partitions == 1 ? 0 : Connectors.Murmur2.Partition(call.Customer, _directory.Partitions);
        if (_directory.Find(partition) is not { } inbox)
            return new TReply
            {
                Status = RequestStatus.Moved,
                Message = $"shard {partition}, which the customer belongs to, is not in this process"
            };
        inbox.Enqueue(call);
        if (left <= TimeSpan.Zero) left = TimeSpan.FromTicks(1);
        try
        {
            return await call.Answered.WaitAsync(left, _time, cancel).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return new TReply { Status = RequestStatus.TimedOut, Message = "no answer in time; ask again with the same id" };
        }
    }

    private long Ms(DateTimeOffset? time) => (time ?? _time.GetUtcNow()).ToUnixTimeMilliseconds();
}
