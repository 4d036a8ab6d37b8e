using System.Threading.Channels;

namespace StreamEngine.Runtime.Requests;

/// <summary>
/// Where requests wait for one shard's loop: bounded, filled by any thread, emptied by the loop. Made when the partition is assigned; what
/// comes before the shard is live is told how far its restore is.
/// </summary>
public sealed class ShardInbox
{
    private readonly Channel<ShardRequest> _waiting;
    private readonly LoopSignal _signal;
    private volatile bool _open, _closed;
    private double _progress;

    internal ShardInbox(int partition, int capacity, LoopSignal signal)
    {
        Partition = partition;
        _signal = signal;
        _waiting = Channel.CreateBounded<ShardRequest>(new BoundedChannelOptions(capacity) { SingleReader = true });
    }

    /// <summary>The shard's partition.</summary>
    public int Partition { get; }

    /// <summary>Requests that wait.</summary>
    public int Count => _waiting.Reader.Count;

    /// <summary>Whether the shard is live and takes requests.</summary>
    internal bool IsOpen => _open && !_closed;

    /// <summary>How far the shard's restore is, 0 to 1.</summary>
    internal double Progress
    {
        get => Volatile.Read(ref _progress);
        set => Volatile.Write(ref _progress, value);
    }

    /// <summary>
    /// Hands a request to the loop and wakes it; a request that can't wait here is answered at once with the reason. Any thread.
    /// </summary>
    internal void Enqueue(ShardRequest request)
    {
        if (_open && _waiting.Writer.TryWrite(request)) _signal.Raise();
        else if (_closed) request.Fail(RequestStatus.Moved, $"shard {Partition} went");
        else if (!_open) request.Fail(RequestStatus.Restoring, $"shard {Partition} is being restored: {Progress:P0}", Progress);
        else request.Fail(RequestStatus.Busy, $"{Count} requests wait for shard {Partition} already (requests.inbox)");
    }

    /// <summary>Wakes the loop for something that is no request. Any thread.</summary>
    internal void Wake() => _signal.Raise();

    /// <summary>The shard is live.</summary>
    internal void Open() => _open = true;

    /// <summary>The shard goes: nothing is taken any more, and what waits is told to ask elsewhere.</summary>
    internal void Close()
    {
        _closed = true;
        _waiting.Writer.TryComplete();
        while (_waiting.Reader.TryRead(out var request))
            request.Fail(RequestStatus.Moved, $"shard {Partition} went while the request waited");
    }

    /// <summary>Takes the next request. Loop's thread only.</summary>
    internal bool TryDequeue([System.Diagnostics.CodeAnalysis.MaybeNullWhen(false)] out ShardRequest request) =>
        _waiting.Reader.TryRead(out request);
}
