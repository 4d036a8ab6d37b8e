using Akka.Actor;
using StreamEngine.Cluster.Routing.Protocol;
using StreamEngine.Runtime.Requests;

namespace StreamEngine.Cluster.Routing;

/// <summary>A request of this process that waits for its answer. The <see cref="Asker"/> alone changes it once it has begun.</summary>
internal sealed class PendingRequest(Ask ask, int partition)
{
    private readonly TaskCompletionSource<Reply?> _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Reply? _heard;

    /// <summary>What is asked, with its deadline.</summary>
    public Ask Ask { get; } = ask;

    /// <summary>The customer's partition.</summary>
    public int Partition { get; } = partition;

    /// <summary>Ends with the answer; with null where the ActorSystem ended before there was one. It never fails.</summary>
    public Task<Reply?> Answered => _answered.Task;

    /// <summary>When it is asked again.</summary>
    public AskRule Rule { get; } = new();

    /// <summary>Where the last attempt went: a node's door; null for the region.</summary>
    public Address? Door { get; set; }

    /// <summary>The newest claim of the partition when the last attempt was sent.</summary>
    public long ClaimSince { get; set; }

    /// <summary>Wakes the asker: it was silent for long, a pause is over, or nobody waits any more.</summary>
    public ICancelable? Timer { get; set; }

    /// <summary>
    /// Keeps what an attempt brought, and returns what it comes to: how far a restore is says more than that the shard is not there, which
    /// an old way may tell later.
    /// </summary>
    public Reply Hear(Reply reply) =>
        _heard = _heard?.Status == RequestStatus.Restoring && reply.Status == RequestStatus.Moved ? _heard : reply;

    /// <summary>Answers once; later answers are ignored.</summary>
    public void Answer(Reply? reply) => _answered.TrySetResult(reply);

    /// <summary>What is told at the deadline: the last failure where nothing else can come, else that nothing was heard.</summary>
    public Reply AtDeadline() =>
        (Rule.Failure is null ? null : _heard) ?? Ask.Fail(RequestStatus.TimedOut, "no answer in time; ask again with the same id");
}
