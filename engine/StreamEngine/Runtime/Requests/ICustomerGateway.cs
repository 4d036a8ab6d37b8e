namespace StreamEngine.Runtime.Requests;

/// <summary>
/// How everybody else speaks to a customer: the decision API, dashboards, actors. The request goes to the shard that owns the customer,
/// wherever that is, and is served by its loop between two batches of events.
/// </summary>
public interface ICustomerGateway
{
    /// <summary>Asks for a decision. It is logged like any other; a repeat of the request's id gets the same decision.</summary>
    /// <returns>Always a reply: what went wrong is its status, never an exception.</returns>
    ValueTask<DecideReply> DecideAsync(DecideRequest request, CancellationToken cancel = default);

    /// <summary>Reads what is known of a customer: everything that was committed before the request is in it.</summary>
    /// <returns>Always a reply: what went wrong is its status, never an exception.</returns>
    ValueTask<ProfileReply> ReadAsync(ReadRequest request, CancellationToken cancel = default);
}
