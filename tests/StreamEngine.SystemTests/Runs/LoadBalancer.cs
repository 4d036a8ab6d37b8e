using StreamEngine.Testing;

namespace StreamEngine.SystemTests.Runs;

/// <summary>
/// Knows which nodes are ready, as a load balancer does: it asks each one a few times a second. Where none is ready, requests go to all.
/// </summary>
internal sealed class LoadBalancer : IDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(200), Patience = TimeSpan.FromSeconds(1);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<IReadOnlyList<EngineProcess>> _running;
    private readonly Task _asking;
    private volatile EngineProcess[] _ready = [];

    /// <param name="running">The nodes that there are now.</param>
    public LoadBalancer(Func<IReadOnlyList<EngineProcess>> running)
    {
        _running = running;
        _asking = Task.Run(Ask);
    }

    /// <summary>The nodes to which requests go.</summary>
    public IReadOnlyList<EngineProcess> Nodes
    {
        get
        {
            var running = _running();
            EngineProcess[] ready = [.. _ready.Intersect(running)];
            return ready.Length > 0 ? ready : running;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Cancel();
        _asking.Wait();
        _stop.Dispose();
    }

    private async Task Ask()
    {
        while (!_stop.IsCancellationRequested)
        {
            var running = _running();
            var ready = await Task.WhenAll(running.Select(n => n.IsReady(Patience)));
            _ready = [.. running.Where((_, i) => ready[i])];
            await Task.Delay(Every);
        }
    }
}
