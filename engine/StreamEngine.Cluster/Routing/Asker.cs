using Akka.Actor;
using StreamEngine.Cluster.Routing.Protocol;
using StreamEngine.Runtime.Requests;

namespace StreamEngine.Cluster.Routing;

/// <summary>
/// Asks for this process's requests until they are answered, always under the same request id, so that a decision whose answer was lost is
/// told and not made again. One actor, so that what it knows of the ways needs no lock.
/// (1) Choose the way: the region, or the owner's door where the region is not known to lead to the owner.
/// (2) Ask. (3) Moved and restoring are asked again after a pause, silence after 250 ms. (4) Answer; what comes later is dropped.
/// </summary>
/// <param name="node">This node.</param>
/// <param name="region">The customers' region.</param>
/// <param name="doorOf">A node's door.</param>
internal sealed class Asker(RoutingNode node, IActorRef region, Func<Address, ICanTell> doorOf) : UntypedActor
{
    private readonly Dictionary<long, PendingRequest> _pending = [];
    private readonly Homes _homes = new(node.Directory.Partitions);
    private long _correlation;

    protected override void PostStop()
    {
        foreach (var request in _pending.Values)
        {
            request.Timer?.Cancel();
            request.Answer(null);
        }
        node.Metrics.InFlight(-_pending.Count);
    }

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case PendingRequest request: Begin(request); break;
            case Answer answer: Heard(answer); break;
            case Wake wake: Woken(wake); break;
            case HomeProbed probed: Probed(probed.Partition); break;
            default: Unhandled(message); break;
        }
    }

    private void Begin(PendingRequest request)
    {
        var correlation = ++_correlation;
        _pending[correlation] = request;
        node.Metrics.InFlight(1);
        if (Left(request) > TimeSpan.Zero) Send(correlation, request);
        else Finish(correlation, request, request.AtDeadline());
    }

    private void Send(long correlation, PendingRequest request)
    {
        request.Rule.Begin();
        var owner = ReachableOwner(request.Partition);
        request.Door = ChooseDoor(request, owner);
        request.ClaimSince = owner?.Since ?? 0;
        var ask = request.Ask with { Correlation = correlation, Attempt = request.Rule.Attempt };
        if (request.Door is { } door)
        {
            if (door != node.Self) node.Metrics.Hop();
            doorOf(door).Tell(ask, Self);
            if (_homes.MayProbe(request.Partition, owner!, node.Clock()))
                region.Tell(new HomeProbe(request.Ask.Customer, request.Partition), Self);
        }
        else region.Tell(ask, Self);
        WakeAfter(correlation, request, request.Rule.Sent(Left(request)));
    }

    /// <summary>(1) The owner's door, or null for the region.</summary>
    private Address? ChooseDoor(PendingRequest request, Claim? owner)
    {
        if (owner is null) return null;
        if (!request.Rule.TriesAnother) return _homes.IsProven(request.Partition, owner) ? null : owner.Node;
        // The way that did not lead to an answer is not taken twice in a row, unless the door is another node's by now.
        return request.Door is null || request.Door != owner.Node ? owner.Node : null;
    }

    private Claim? ReachableOwner(int partition) =>
        node.Owners.Of(partition) is { } owner && node.Owners.IsReachable(owner.Node) ? owner : null;

    /// <summary>(3) and (4): what an attempt brought.</summary>
    private void Heard(Answer answer)
    {
        if (!_pending.TryGetValue(answer.Correlation, out var request))
        {
            node.Metrics.Dropped();
            return;
        }
        var status = answer.Reply.Status;
        var from = node.NodeOf(Sender);
        if (request.Rule.IsNewest(answer.Attempt) && request.Door is null)
            _homes.Seen(request.Partition, from, status == RequestStatus.Moved ? 0 : request.ClaimSince);
        if (answer.Owner is { } owner) node.Assignments.Tell(new OwnerHeard(request.Partition, owner));
        var step = request.Rule.Heard(status, answer.Attempt, Left(request));
        if (step == AskStep.Nothing)
        {
            node.Metrics.Dropped();
            return;
        }
        if (request.Door is null && from != node.Self) node.Metrics.Hop();
        var told = request.Hear(answer.Reply);
        if (step == AskStep.Pause)
        {
            WakeAfter(answer.Correlation, request, request.Rule.NextPause());
            return;
        }
        node.Metrics.Answered(from == node.Self ? Way.Local : request.Door is null ? Way.Forwarded : Way.Direct);
        Finish(answer.Correlation, request, told);
    }

    private void Woken(Wake wake)
    {
        if (!_pending.TryGetValue(wake.Correlation, out var request)) return;
        var step = request.Rule.Woken(wake.Attempt, Left(request));
        if (step == AskStep.Nothing) return;
        if (step == AskStep.End || request.Answered.IsCompleted)
        {
            Finish(wake.Correlation, request, request.AtDeadline());
            return;
        }
        node.Metrics.AsksAgain(request.Rule.Failure switch
        {
            RequestStatus.Moved => "moved",
            RequestStatus.Restoring => "restoring",
            _ => "silent",
        });
        Send(wake.Correlation, request);
    }

    private void Finish(long correlation, PendingRequest request, Reply reply)
    {
        _pending.Remove(correlation);
        request.Timer?.Cancel();
        request.Answer(reply);
        node.Metrics.InFlight(-1);
    }

    /// <summary>The region has led to a node: where that is the owner, requests go by the region again.</summary>
    private void Probed(int partition)
    {
        if (partition < 0 || partition >= node.Directory.Partitions) return;
        _homes.Seen(partition, node.NodeOf(Sender), 0);
    }

    private void WakeAfter(long correlation, PendingRequest request, TimeSpan after)
    {
        request.Timer?.Cancel();
        // The deadline may have passed since it was looked at, and the scheduler takes no time that is over.
        if (after < TimeSpan.Zero) after = TimeSpan.Zero;
        request.Timer = Context.System.Scheduler.ScheduleTellOnceCancelable(after, Self, new Wake(correlation, request.Rule.Attempt), Self);
    }

    private TimeSpan Left(PendingRequest request) => request.Ask.Deadline - node.Clock();

    private sealed record Wake(long Correlation, int Attempt);
}
