using System.Text;
using Grpc.Core;
using StreamEngine.Host.Live;
using StreamEngine.Runtime;
using StreamEngine.Runtime.Requests;

namespace StreamEngine.Host.Rpc;

/// <summary><c>streamengine.v1.Customers</c>: what <c>GET /v1/customers/{id}</c> and its live stream are over HTTP.</summary>
/// <param name="customers">Where requests go.</param>
/// <param name="timeout">How long a request is tried.</param>
/// <param name="live">The live streams; null where the config has none.</param>
internal sealed class CustomersService(ICustomerGateway customers, TimeSpan timeout, LiveStreams? live) : V1.Customers.CustomersBase
{
    private const int LongestLastId = 1_024;

    /// <inheritdoc/>
    public override async Task<V1.Customer> Get(V1.GetCustomerRequest request, ServerCallContext context)
    {
        var reply = await customers.ReadAsync(new ReadRequest
        {
            Customer = request.Customer,
            Timeout = RpcDeadline.Timeout(timeout, context),
        }, context.CancellationToken).ConfigureAwait(false);
        return reply.Status == RequestStatus.Done ? RpcMessages.Of(request.Customer, reply) : throw RpcFaults.Of(reply);
    }

    /// <inheritdoc/>
    public override async Task Watch(V1.WatchCustomerRequest request, IServerStreamWriter<V1.CustomerEvent> events,
        ServerCallContext context)
    {
        if (live is null)
            throw RpcFaults.Refused(StatusCode.Unimplemented, "no_live", "There are no live streams: the config has no section 'live'.");
        var bytes = Encoding.UTF8.GetByteCount(request.Customer);
        if (bytes == 0) throw RpcFaults.Invalid("customer: it is missing");
        if (bytes > Shard.MaxIdBytes) throw RpcFaults.Invalid($"customer: {bytes} bytes are more than {Shard.MaxIdBytes}");
        if (request.LastEventId.Length > LongestLastId) throw RpcFaults.Invalid("last_event_id: it is none of ours");
        var (listener, limit) = live.Open(request.Customer, null, context.GetHttpContext().Abort);
        if (listener is null)
            throw limit == "customer"
                ? RpcFaults.Refused(StatusCode.ResourceExhausted, "listeners", "The customer has as many listeners as one may have: close "
                    + "one first.")
                : RpcFaults.Refused(StatusCode.Unavailable, "listeners", "There are as many listeners as this process may have: ask "
                    + "another one, or again later.");
        var last = request.LastEventId.Length == 0 ? null : request.LastEventId;
        await live.ServeAsync(listener, new RpcSink(events), last, context.CancellationToken).ConfigureAwait(false);
    }
}
