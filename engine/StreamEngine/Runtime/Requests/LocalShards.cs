using StreamEngine.Decisions;

namespace StreamEngine.Runtime.Requests;

/// <summary>
/// One try at the shards of this process: finds the customer's shard by the same hash that places its events, hands the request to its loop
/// and waits for the answer. A shard that is elsewhere, or not live yet, is told at once; whoever asks decides whether to ask again.
/// </summary>
public sealed class LocalShards : ICustomerGateway
{
    private readonly ShardDirectory _directory;
    private readonly RequestOptions _options;
    private readonly RequestCompiler _compiler;
    private readonly TimeProvider _time;

    /// <summary>Asks the shards of a directory.</summary>
    /// <param name="engine">The compiled config; its requests are enabled.</param>
    /// <param name="directory">The shards.</param>
    /// <param name="time">The clock of requests without a time, and of deadlines.</param>
    public LocalShards(CompiledEngine engine, ShardDirectory directory, TimeProvider time)
    {
        (_options, _directory, _time) = (engine.Options.Requests, directory, time);
        _compiler = new RequestCompiler(engine);
    }

    /// <inheritdoc/>
    public ValueTask<DecideReply> DecideAsync(DecideRequest request, CancellationToken cancel = default) =>
        TryAsync((deadline, faults) => _compiler.Compile(request, Ms(request.Time), deadline, faults), request.Timeout, cancel);

    /// <inheritdoc/>
    public ValueTask<ProfileReply> ReadAsync(ReadRequest request, CancellationToken cancel = default) =>
        TryAsync((deadline, faults) => _compiler.Compile(request, Ms(request.Time), deadline, faults), request.Timeout, cancel);

    private async ValueTask<TReply> TryAsync<TReply>(Func<long, List<string>, ShardRequest<TReply>?> compile, TimeSpan? timeout,
        CancellationToken cancel)
        where TReply : Reply, new()
    {
        var patience = timeout ?? _options.Timeout;
        var deadline = _time.GetTimestamp() + (long)(patience.TotalSeconds * _time.TimestampFrequency);
        var faults = new List<string>();
        if (compile(deadline, faults) is not { } call)
            return new TReply { Status = RequestStatus.Invalid, Message = string.Join("; ", faults) };
        var partition = _directory.PartitionOf(call.Customer);
        if (_directory.Find(partition) is not { } inbox)
            return new TReply
            {
                Status = RequestStatus.Moved,
                Message = $"shard {partition}, which the customer belongs to, is not in this process"
            };
        inbox.Enqueue(call);
        if (patience <= TimeSpan.Zero) patience = TimeSpan.FromTicks(1);
        try
        {
            return await call.Answered.WaitAsync(patience, _time, cancel).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return new TReply { Status = RequestStatus.TimedOut, Message = "no answer in time; ask again with the same id" };
        }
    }

    private long Ms(DateTimeOffset? time) => (time ?? _time.GetUtcNow()).ToUnixTimeMilliseconds();
}
