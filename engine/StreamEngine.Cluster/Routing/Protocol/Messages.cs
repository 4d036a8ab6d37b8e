using System.Diagnostics;
using Akka.Actor;
using StreamEngine.Runtime.Requests;

namespace StreamEngine.Cluster.Routing.Protocol;

/// <summary>A message that may travel to another node: <see cref="RoutingSerializer"/> knows how to write it.</summary>
internal interface IWireMessage;

/// <summary>A message to a customer's actor: the customer tells the way.</summary>
internal interface IForCustomer : IWireMessage
{
    /// <summary>The customer id.</summary>
    string Customer { get; }
}

/// <summary>
/// Asks a customer's actor for something. The answer goes to the message's sender, whoever passed the message on in between.
/// </summary>
/// <param name="Customer">The customer id.</param>
internal abstract record Ask(string Customer) : IForCustomer
{
    /// <summary>Names the request at its asker: every attempt has the same, and answers come back under it.</summary>
    public long Correlation { get; init; }

    /// <summary>Which attempt this is, from 1.</summary>
    public int Attempt { get; init; }

    /// <summary>
    /// Until when somebody waits, by the monotonic clock of the ActorSystem that holds the message. Clocks of nodes differ, so what
    /// travels is the time that is left when the message is written.
    /// </summary>
    public TimeSpan Deadline { get; init; }

    /// <summary>The span of whoever asks; none where that is not sampled.</summary>
    public ActivityContext Trace { get; init; }

    /// <summary>A reply to this kind of request that says why it was not served.</summary>
    public abstract Reply Fail(RequestStatus status, string message);
}

/// <summary>Asks for a decision.</summary>
internal sealed record DecideAsk(DecideRequest Request) : Ask(Request.Customer)
{
    public override Reply Fail(RequestStatus status, string message) => new DecideReply { Status = status, Message = message };
}

/// <summary>Asks for a profile.</summary>
internal sealed record ReadAsk(ReadRequest Request) : Ask(Request.Customer)
{
    public override Reply Fail(RequestStatus status, string message) => new ProfileReply { Status = status, Message = message };
}

/// <summary>Asks to be told live what happens to a customer.</summary>
/// <param name="Customer">The customer id.</param>
/// <param name="Watcher">Who is told, with <see cref="Watched"/>, <see cref="WatchTold"/> and <see cref="WatchMoved"/>.</param>
/// <param name="Number">Counts the watcher's calls: the end of an earlier watch, which may come later, does not end this one.</param>
internal sealed record WatchAsk(string Customer, IActorRef Watcher, long Number) : Ask(Customer)
{
    public override Reply Fail(RequestStatus status, string message) => new WatchReply { Status = status, Message = message };
}

/// <summary>Whether a watch began.</summary>
internal sealed record WatchReply : Reply;

/// <summary>Answers an <see cref="Ask"/>.</summary>
/// <param name="Correlation">The request's.</param>
/// <param name="Attempt">The newest attempt that the answering actor had seen.</param>
/// <param name="Reply">The reply.</param>
/// <param name="Owner">Who owns the customer's partition as far as the answering node knows, where it does not itself.</param>
internal sealed record Answer(long Correlation, int Attempt, Reply Reply, Claim? Owner) : IWireMessage;

/// <summary>Asks by way of the region where a partition's home is. It is answered by the customer's actor, whatever that owns.</summary>
internal sealed record HomeProbe(string Customer, int Partition) : IForCustomer;

/// <summary>Answers a <see cref="HomeProbe"/>: the home is where this comes from.</summary>
internal sealed record HomeProbed(int Partition) : IWireMessage;

/// <summary>A node's word that it owns a partition, restored or not yet.</summary>
/// <param name="Node">Its address.</param>
/// <param name="Since">
/// Orders claims of one partition: ms since 1970 by the node's clock, and always more than the newest claim that the node had heard of.
/// </param>
internal sealed record Claim(Address Node, long Since);

/// <summary>Tells every node which partitions the sender owns: all of them, each time.</summary>
/// <param name="Node">The sender's address.</param>
/// <param name="Uid">Which life of that address it is.</param>
/// <param name="Sequence">Counts the sender's announcements, so that a late one does not undo a newer.</param>
/// <param name="Owned">The partitions, each with <see cref="Claim.Since"/>.</param>
internal sealed record Announcement(Address Node, long Uid, long Sequence, IReadOnlyList<KeyValuePair<int, long>> Owned) : IWireMessage;

/// <summary>Tells a watcher that its watch began; the sender is the customer's actor.</summary>
internal sealed record Watched(string Customer) : IWireMessage;

/// <summary>Tells a watcher what was committed.</summary>
internal sealed record WatchTold(CustomerUpdate Update) : IWireMessage;

/// <summary>Tells a watcher that the customer's shard leaves: it is to watch again, elsewhere.</summary>
internal sealed record WatchMoved(string Customer) : IWireMessage;

/// <summary>Ends the sender's watch, where it is none that was called for later.</summary>
/// <param name="Customer">The customer id.</param>
/// <param name="Number">The newest <see cref="WatchAsk.Number"/> that is ended.</param>
internal sealed record Unwatch(string Customer, long Number) : IForCustomer;
