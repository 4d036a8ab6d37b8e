using Grpc.Core;
using StreamEngine.Runtime.Requests;

namespace StreamEngine.Host.Rpc;

/// <summary><c>streamengine.v1.Decisions</c>: what <c>POST /v1/decisions</c> is over HTTP.</summary>
/// <param name="customers">Where requests go.</param>
/// <param name="timeout">How long a request is tried that says nothing else.</param>
internal sealed class DecisionsService(ICustomerGateway customers, TimeSpan timeout) : V1.Decisions.DecisionsBase
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);

    /// <inheritdoc/>
    public override async Task<V1.DecideResponse> Decide(V1.DecideRequest request, ServerCallContext context)
    {
        var faults = new List<string>();
        if (request.Customer.Length == 0) faults.Add("customer: it is missing");
        var asked = request.Timeout?.ToTimeSpan();
        if (asked is { } t && (t < TimeSpan.FromMilliseconds(1) || t > Longest))
            faults.Add($"timeout: {t.TotalMilliseconds:0.###} ms are not from 1 to 60000");
        var values = new Dictionary<string, object?>();
        foreach (var (name, value) in request.Context) values[name] = RpcMessages.Of(name, value, faults);
        if (faults.Count > 0) throw RpcFaults.Invalid(string.Join("; ", faults));
        var reply = await customers.DecideAsync(new DecideRequest
        {
            Customer = request.Customer,
            Id = request.Id,
            Placement = request.Placement,
            Context = values,
            Offers = request.Offers == 0 ? 1 : request.Offers,
            Timeout = RpcDeadline.Timeout(asked ?? timeout, context),
        }, context.CancellationToken).ConfigureAwait(false);
        return reply.IsFallback || reply.Status == RequestStatus.Done ? RpcMessages.Of(reply) : throw RpcFaults.Of(reply, reply.RequestId);
    }
}
