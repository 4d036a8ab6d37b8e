using Akka.Actor;
using Akka.Cluster.Sharding;
using StreamEngine.Cluster.Routing.Protocol;
using StreamEngine.Runtime.Requests;
using StreamEngine.Telemetry;

namespace StreamEngine.Cluster.Routing;

/// <summary>
/// The addressable face of one customer. It has no state of the customer's: it lets one request at a time into the shard's inbox, keeps a
/// few more in a stash, and holds who watches the customer live. Requests and watches make it, events never do.
/// </summary>
internal sealed class CustomerActor(string customer, RoutingNode node) : UntypedActor
{
    private Asked? _serving;
    private Queue<Asked>? _stash;
    private Reply? _restoring;
    private CustomerWatchers? _watchers;
    private ICancelable? _retry, _idle;
    private TimeSpan _pause, _lastUsed;
    private bool _leaving;

    /// <summary>Makes the actor of a customer.</summary>
    public static Props Props(string customer, RoutingNode node) => Akka.Actor.Props.CreateBy(new Maker(customer, node));

    protected override void PreStart()
    {
        node.Metrics.Entities(1);
        _lastUsed = node.Clock();
        WaitForIdleness(node.Options.Passivation);
    }

    protected override void PostStop()
    {
        _idle?.Cancel();
        _retry?.Cancel();
        _watchers?.Dispose();
        node.Metrics.Stashed(-(_stash?.Count ?? 0));
        node.Metrics.Entities(-1);
    }

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case WatchAsk ask: Watch(ask); break;
            case Ask ask: Receive(new Asked(ask, Sender)); break;
            case Served served: Done(served.Reply); break;
            case Retry when _retry is not null: Again(); break;
            case HomeProbe probe: Sender.Tell(new HomeProbed(probe.Partition)); break;
            case WatchTold told: _watchers?.Tell(told.Update); break;
            case Unwatch unwatch: EndWatch(Sender, unwatch.Number); break;
            case Terminated gone: EndWatch(gone.ActorRef, long.MaxValue); break;
            case ShardGone: EndWatches(); break;
            case Idle: PassivateIfIdle(); break;
            case Leave: LeaveNode(); break;
            default: Unhandled(message); break;
        }
    }

    /// <summary>(1) A request: it is served, waits, or is told that too many wait.</summary>
    private void Receive(Asked asked)
    {
        _lastUsed = node.Clock();
        if (_leaving) Answer(asked, Moved(asked.Ask));
        else if (_serving is null) Serve(asked);
        else if (_serving.IsSameAs(asked)) AskedAgain(asked);
        else Stash(asked);
    }

    /// <summary>
    /// The request that is served was asked again. Where it waits for a restore and the next try would come too late, it is told so now,
    /// while whoever asks still listens.
    /// </summary>
    private void AskedAgain(Asked asked)
    {
        _serving = asked;
        if (_retry is null || Left > _pause) return;
        EndRetry();
        Next();
    }

    private void Stash(Asked asked)
    {
        _stash ??= new Queue<Asked>();
        var count = _stash.Count;
        var repeated = false;
        // A request that was asked again, since nothing was heard of it, keeps its one place.
        for (var i = 0; i < count; i++)
        {
            var other = _stash.Dequeue();
            var same = other.IsSameAs(asked);
            repeated |= same;
            _stash.Enqueue(same ? asked : other);
        }
        if (repeated) return;
        if (count >= node.Options.Stash)
        {
            node.Metrics.Busy();
            Answer(asked, asked.Ask.Fail(RequestStatus.Busy,
                $"{count + 1} requests of this customer are under way already (cluster.routing.stash)"));
            return;
        }
        _stash.Enqueue(asked);
        node.Metrics.Stashed(1);
    }

    /// <summary>(2) Into the shard's inbox. What has an answer at once is answered at once, and the next one served.</summary>
    private void Serve(Asked asked)
    {
        _pause = Patience.FirstPause;
        _serving = asked;
        Try();
    }

    private void Try()
    {
        if (Left <= TimeSpan.Zero)
        {
            // Whoever asked has stopped waiting, and has told so itself.
            node.Metrics.Expired();
            Next();
            return;
        }
        var self = Self;
        var reply = AskShardAsync(_serving!.Ask, Left);
        if (reply.IsCompleted) Done(reply.Result);
        else reply.PipeTo(self, self, static r => new Served(r));
    }

    private async Task<Reply> AskShardAsync(Ask ask, TimeSpan left)
    {
        using var span = ask.Trace == default ? null
            : EngineTraces.Source.StartActivity("serve", System.Diagnostics.ActivityKind.Server, ask.Trace);
        try
        {
            return ask switch
            {
                DecideAsk decide => await node.Shards.DecideAsync(decide.Request with { Timeout = left }).ConfigureAwait(false),
                ReadAsk read => await node.Shards.ReadAsync(read.Request with { Timeout = left }).ConfigureAwait(false),
                _ => ask.Fail(RequestStatus.Invalid, $"{ask.GetType().Name} is no request to a shard"),
            };
        }
#pragma warning disable CA1031 // Whatever went wrong: whoever asked gets an answer.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return ask.Fail(RequestStatus.TimedOut, e.Message);
        }
    }

    /// <summary>(3) The shard has answered: one that is being restored is asked again, while there is time.</summary>
    private void Done(Reply reply)
    {
        if (reply.Status == RequestStatus.Restoring && !_leaving && Left > _pause)
        {
            _restoring = reply;
            _retry = Context.System.Scheduler.ScheduleTellOnceCancelable(_pause, Self, Retry.Instance, Self);
            _pause = Patience.Next(_pause);
            return;
        }
        if (reply.Status == RequestStatus.Moved) node.Metrics.NotOwner();
        Answer(_serving!, reply);
        Next();
    }

    /// <summary>Does not wait for the restore any longer: tells how far it was.</summary>
    private void EndRetry()
    {
        _retry!.Cancel();
        _retry = null;
        Answer(_serving!, _restoring!);
    }

    private void Again()
    {
        _retry = null;
        Try();
    }

    private void Next()
    {
        _serving = null;
        _lastUsed = node.Clock();
        if (_stash is { Count: > 0 })
        {
            node.Metrics.Stashed(-1);
            Serve(_stash.Dequeue());
        }
        else if (_leaving) Context.Stop(Self);
    }

    /// <summary>Answers whoever asked first, not who passed it on; a shard that is elsewhere with what is known of its owner.</summary>
    private void Answer(Asked asked, Reply reply)
    {
        var owner = reply.Status == RequestStatus.Moved ? node.Owners.Of(node.PartitionOf(customer)) : null;
        asked.Asker.Tell(new Answer(asked.Ask.Correlation, asked.Ask.Attempt, reply, owner?.Node == node.Self ? null : owner));
    }

    private Reply Moved(Ask ask) => ask.Fail(RequestStatus.Moved, "the customer's shard leaves this node");

    private TimeSpan Left => _serving!.Ask.Deadline - node.Clock();

    private void Watch(WatchAsk ask)
    {
        var partition = node.PartitionOf(customer);
        if (_leaving || node.Directory.Presence(partition) == ShardPresence.Gone)
        {
            node.Metrics.NotOwner();
            Answer(new Asked(ask, Sender), Moved(ask));
            return;
        }
        _watchers ??= new CustomerWatchers(customer, partition, node, Self);
        if (_watchers.Add(ask.Watcher, ask.Number)) Context.Watch(ask.Watcher);
        ask.Watcher.Tell(new Watched(customer));
        _watchers.Begin(ask.Watcher);
        Answer(new Asked(ask, Sender), new WatchReply());
    }

    private void EndWatch(IActorRef watcher, long number)
    {
        if (_watchers?.Remove(watcher, number) != true) return;
        Context.Unwatch(watcher);
        if (!_watchers.IsEmpty) return;
        _watchers.Dispose();
        _watchers = null;
        _lastUsed = node.Clock();
    }

    /// <summary>The shard goes: watchers are to watch again, where it is now.</summary>
    private void EndWatches()
    {
        if (_watchers is null) return;
        foreach (var watcher in _watchers.All)
        {
            watcher.Tell(new WatchMoved(customer));
            Context.Unwatch(watcher);
        }
        _watchers.Dispose();
        _watchers = null;
    }

    private void PassivateIfIdle()
    {
        var idle = node.Clock() - _lastUsed;
        if (_serving is not null || _watchers is not null) WaitForIdleness(node.Options.Passivation);
        else if (idle < node.Options.Passivation) WaitForIdleness(node.Options.Passivation - idle);
        else Context.Parent.Tell(new Passivate(Leave.Instance));
    }

    /// <summary>One timer for the idle time and not one per request: when it is due, it is seen how long ago the last one was.</summary>
    private void WaitForIdleness(TimeSpan after) =>
        _idle = Context.System.Scheduler.ScheduleTellOnceCancelable(after, Self, Idle.Instance, Self);

    /// <summary>
    /// The shard leaves this node, or the actor was idle. What is in the mailbox before this message was received; what waits is told to
    /// ask again; what the shard has in hand is still answered.
    /// </summary>
    private void LeaveNode()
    {
        _leaving = true;
        EndWatches();
        while (_stash is not null && _stash.TryDequeue(out var asked))
        {
            node.Metrics.Stashed(-1);
            Answer(asked, Moved(asked.Ask));
        }
        if (_retry is not null)
        {
            EndRetry();
            _serving = null;
        }
        if (_serving is null) Context.Stop(Self);
    }

    private sealed record Asked(Ask Ask, IActorRef Asker)
    {
        public bool IsSameAs(Asked other) => Ask.Correlation == other.Ask.Correlation && Asker.Equals(other.Asker);
    }

    private sealed record Served(Reply Reply);

    private sealed class Retry
    {
        public static readonly Retry Instance = new();
    }

    private sealed class Idle
    {
        public static readonly Idle Instance = new();
    }

    /// <summary>Makes the actor without the reflection and the expression tree that Akka's usual way takes.</summary>
    private sealed class Maker(string customer, RoutingNode node) : IIndirectActorProducer
    {
        public Type ActorType => typeof(CustomerActor);

        public ActorBase Produce() => new CustomerActor(customer, node);

        public void Release(ActorBase actor)
        {
            // It holds nothing beyond PostStop.
        }
    }
}

/// <summary>
/// Ends a customer's actor. A message of our own, since the default one would throw away what is behind it in the mailbox.
/// </summary>
internal sealed class Leave
{
    public static readonly Leave Instance = new();
}

/// <summary>A partition's shard is not in this process any more.</summary>
internal sealed record ShardGone(int Partition);
