using System.Diagnostics;
using StreamEngine.Cluster.Routing.Protocol;
using StreamEngine.Configuration;
using StreamEngine.Runtime.Requests;
using StreamEngine.Telemetry;

namespace StreamEngine.Cluster.Routing;

/// <summary>
/// The gateway of a process in a cluster: any node answers for any customer.
/// (1) The request's id and time are fixed once, so that every attempt asks for the same. (2) It goes into the bounded stream to the
/// customer's actor, which is asked until it is answered. (3) Without an ActorSystem the shards that are here are asked themselves.
/// </summary>
public sealed class ClusterGateway : ICustomerGateway
{
    private readonly ClusterRoutingSettings _settings;
    private readonly RoutingMetrics _metrics;
    private readonly TimeProvider _time;
    private RoutingSystem? _attached;

    internal ClusterGateway(ClusterRoutingSettings settings, RoutingMetrics metrics) =>
        (_settings, _metrics, _time) = (settings, metrics, settings.Time);

    /// <inheritdoc/>
    public async ValueTask<DecideReply> DecideAsync(DecideRequest request, CancellationToken cancel = default)
    {
        if (request.Id.Length == 0) request = request with { Id = Guid.NewGuid().ToString("N") };
        request = request with { Customer = RequestLimits.Normal(request.Customer), Time = request.Time ?? _time.GetUtcNow() };
        var reply = await AskAsync("decide", new DecideAsk(request), request.Timeout, RequestLimits.FaultOf(request.Context),
            left => _settings.Shards.DecideAsync(request with { Timeout = left }, cancel), cancel).ConfigureAwait(false);
        return reply with { RequestId = request.Id };
    }

    /// <inheritdoc/>
    public ValueTask<ProfileReply> ReadAsync(ReadRequest request, CancellationToken cancel = default)
    {
        request = request with { Customer = RequestLimits.Normal(request.Customer), Time = request.Time ?? _time.GetUtcNow() };
        return AskAsync("read", new ReadAsk(request), request.Timeout, fault: null,
            left => _settings.Shards.ReadAsync(request with { Timeout = left }, cancel), cancel);
    }

    internal void Attach(RoutingSystem? system) => Volatile.Write(ref _attached, system);

    private async ValueTask<TReply> AskAsync<TReply>(string kind, Ask ask, TimeSpan? timeout, string? fault,
        Func<TimeSpan, ValueTask<TReply>> here, CancellationToken cancel)
        where TReply : Reply
    {
        using var span = EngineTraces.Source.StartActivity(kind, ActivityKind.Server);
        var started = _time.GetTimestamp();
        var patience = timeout ?? _settings.Requests.Timeout;
        Reply reply;
        try
        {
            if (fault is not null) reply = ask.Fail(RequestStatus.Invalid, fault);
            // What can't be a customer's name travels nowhere: the shards here name every mistake of the request.
            else if (!RequestLimits.IsId(ask.Customer)) reply = await here(patience).ConfigureAwait(false);
            else reply = await RouteAsync(ask, patience, started, here, cancel).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            reply = ask.Fail(RequestStatus.TimedOut, "whoever asked did not wait for the answer");
        }
        span?.SetTag("streamengine.status", Spelling.Snake(reply.Status.ToString()));
        if (reply.Status == RequestStatus.TimedOut) _metrics.TimedOut();
        _settings.Metrics.RequestDone(kind, reply.Status, _time.GetElapsedTime(started));
        return (TReply)reply;
    }

    private async ValueTask<Reply> RouteAsync<TReply>(Ask ask, TimeSpan patience, long started,
        Func<TimeSpan, ValueTask<TReply>> here, CancellationToken cancel)
        where TReply : Reply
    {
        var partition = _settings.Directory.PartitionOf(System.Text.Encoding.UTF8.GetBytes(ask.Customer));
        var pause = Patience.FirstPause;
        while (true)
        {
            var left = patience - _time.GetElapsedTime(started);
            if (Volatile.Read(ref _attached) is { Ended.IsCancellationRequested: false } system)
            {
                if (await AskClusterAsync(system, ask, partition, left, cancel).ConfigureAwait(false) is { } answered) return answered;
                continue;
            }
            if (_settings.Directory.Presence(partition) == ShardPresence.Gone)
            {
                _metrics.NotOwner();
                return ask.Fail(RequestStatus.Moved, $"shard {partition}, which the customer belongs to, is not in this process, and this "
                    + "process has no connection to the cluster at the moment");
            }
            var reply = await here(left).ConfigureAwait(false);
            left = patience - _time.GetElapsedTime(started);
            if (reply.Status is not (RequestStatus.Moved or RequestStatus.Restoring) || left <= pause) return reply;
            await Task.Delay(pause, _time, cancel).ConfigureAwait(false);
            pause = Patience.Next(pause);
        }
    }

    /// <summary>Asks by the cluster; null where its ActorSystem ended meanwhile, so that the request has to go on in another way.</summary>
    private async ValueTask<Reply?> AskClusterAsync(RoutingSystem system, Ask ask, int partition, TimeSpan left, CancellationToken cancel)
    {
        if (left <= TimeSpan.Zero) return ask.Fail(RequestStatus.TimedOut, "no answer in time; ask again with the same id");
        var request = new PendingRequest(ask with
        {
            Deadline = system.Node.Clock() + left,
            Trace = Activity.Current?.Context ?? default,
        }, partition);
        // Before it is offered: a stream that stands still takes nothing, and one that dies takes along what is in its mailbox.
        using var ended = system.Ended.UnsafeRegister(static r => ((PendingRequest)r!).Answer(null), request);
        try
        {
            var answered = await Task.WhenAny(OfferAsync(system, request), request.Answered).WaitAsync(left, _time, cancel)
                .ConfigureAwait(false);
            return await answered.ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            request.Answer(request.AtDeadline());
        }
        catch (OperationCanceledException)
        {
            request.Answer(ask.Fail(RequestStatus.TimedOut, "whoever asked did not wait for the answer"));
        }
        return await request.Answered.ConfigureAwait(false);
    }

    /// <summary>Puts a request into the stream and waits for its answer, or tells at once that the stream is full.</summary>
    private async Task<Reply?> OfferAsync(RoutingSystem system, PendingRequest request)
    {
        if (await system.OfferAsync(request).ConfigureAwait(false)) return await request.Answered.ConfigureAwait(false);
        _metrics.Busy();
        return request.Ask.Fail(RequestStatus.Busy, $"{_settings.Options.Parallelism} requests of this process are under way and "
            + $"{_settings.Options.Queue} wait (cluster.routing.parallelism, queue)");
    }
}
