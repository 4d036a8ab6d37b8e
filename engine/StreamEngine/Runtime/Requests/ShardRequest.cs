using System.Diagnostics;

namespace StreamEngine.Runtime.Requests;

/// <summary>
/// A request on its way to a shard's loop, which answers it there and releases the answer when it may be known. Answered once; later
/// answers are ignored.
/// </summary>
public abstract class ShardRequest(byte[] customer, long time, long deadline)
{
    /// <summary>The customer id, UTF-8: the profile's key.</summary>
    internal byte[] Customer { get; } = customer;

    /// <summary>When it was asked, ms since 1970-01-01 UTC.</summary>
    internal long Time { get; } = time;

    /// <summary>The timestamp, by the settings' clock, after which nobody waits any more: it is not served then.</summary>
    internal long Deadline { get; } = deadline;

    /// <summary>The span of whoever asks; none where that is not sampled.</summary>
    internal ActivityContext Trace { get; } = Activity.Current?.Context ?? default;

    /// <summary>The shard that served it, whose commit it waits for.</summary>
    internal int Shard { get; set; } = -1;

    /// <summary>Whether there is an answer to release.</summary>
    internal abstract bool IsMade { get; }

    /// <summary>Lets the answer that was made go.</summary>
    internal abstract void Release();

    /// <summary>Answers that it was not served.</summary>
    internal abstract void Fail(RequestStatus status, string message, double progress = 0);
}

/// <summary>A request with its answer.</summary>
/// <typeparam name="TReply">What it is answered with.</typeparam>
public abstract class ShardRequest<TReply>(byte[] customer, long time, long deadline) : ShardRequest(customer, time, deadline)
    where TReply : Reply, new()
{
    // Whoever waits goes on elsewhere, never on the loop's thread.
    private readonly TaskCompletionSource<TReply> _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends with the answer.</summary>
    internal Task<TReply> Answered => _answered.Task;

    /// <summary>The answer that was made and not released yet.</summary>
    internal TReply? Made { get; set; }

    internal sealed override bool IsMade => Made is not null;

    internal sealed override void Release() =>
        _answered.TrySetResult(Made ?? throw new InvalidOperationException("The request has no answer yet."));

    internal sealed override void Fail(RequestStatus status, string message, double progress = 0) =>
        _answered.TrySetResult(new TReply { Status = status, Message = message, Progress = progress });
}
