namespace StreamEngine.Connectors.Kafka;

/// <summary>
/// Calls of the clients that may take as long as the cluster is away. A stop does not wait for them: they are left behind, and with them
/// their client, which the end of the process takes along.
/// </summary>
internal sealed class Calls(CancellationToken stop)
{
    /// <summary>How long a cluster that answers has after a stop: a last commit may need the answer.</summary>
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(1);

    private int _left;

    /// <summary>Whether some were left behind: a client must not be closed under a call.</summary>
    public bool AnyLeft => Volatile.Read(ref _left) > 0;

    /// <summary>Waits for a call's end.</summary>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public T Wait<T>(Task<T> call)
    {
        try
        {
            return call.WaitAsync(stop).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            if (Task.WaitAny([call], Moment) == 0) return call.GetAwaiter().GetResult();
            Interlocked.Increment(ref _left);
            throw;
        }
    }

    /// <summary>The same for a call that blocks.</summary>
    public T Make<T>(Func<T> call) => stop.CanBeCanceled ? Wait(Task.Run(call)) : call();
}
