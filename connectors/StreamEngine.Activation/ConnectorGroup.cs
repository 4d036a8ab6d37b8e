using Akka.Actor;
using StreamEngine.Activation.Flow;

namespace StreamEngine.Activation;

/// <summary>The connectors of a process. One that fails ends all of them: a supervisor starts the process again.</summary>
public sealed class ConnectorGroup : IAsyncDisposable
{
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ActorSystem? _system;

    /// <summary>Makes them; they do nothing before the start.</summary>
    public ConnectorGroup(IReadOnlyList<CompiledActivation> activations, ConnectorSettings settings) =>
        Connectors = [.. activations.Select(a => new Connector(a, settings))];

    /// <summary>The connectors.</summary>
    public IReadOnlyList<Connector> Connectors { get; }

    /// <summary>Ends when all have, with the failure of the first that has failed.</summary>
    public Task Completion => _completion.Task;

    /// <summary>Starts all of them.</summary>
    public void Start()
    {
        _system = ConnectorGraph.System();
        foreach (var connector in Connectors) connector.Start(_system);
        _ = WatchAsync();
    }

    /// <summary>Asks all of them to end in order.</summary>
    public void Stop()
    {
        foreach (var connector in Connectors) connector.Stop();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Stop();
        foreach (var connector in Connectors) await connector.DisposeAsync().ConfigureAwait(false);
        if (_system is not null) await _system.Terminate().ConfigureAwait(false);
    }

    private async Task WatchAsync()
    {
        try
        {
            await foreach (var ended in Task.WhenEach(Connectors.Select(c => c.Completion)).ConfigureAwait(false))
                await ended.ConfigureAwait(false);
            _completion.TrySetResult();
        }
        catch (Exception e)
        {
            Stop();
            await Task.WhenAll(Connectors.Select(c => c.Completion)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _completion.TrySetException(e);
        }
    }
}
