using System.Globalization;
using StreamEngine.Activation;
using StreamEngine.Dashboard;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Activation;

/// <summary>
/// Replays the connectors' dead letters beside a running engine, one replay at a time, with the connectors that <c>activation replay</c>
/// runs: a replay that was started here goes on where the command ended, and the other way round. Who started it, why and what came of it
/// is told to the log. Any thread may call it.
/// </summary>
/// <param name="activations">The connectors.</param>
/// <param name="settings">What they get.</param>
internal sealed class ReplayDesk(IReadOnlyList<CompiledActivation> activations, ConnectorSettings settings) : IAsyncDisposable
{
    private readonly ConnectorSettings _settings = settings with { Drain = true, Replay = true };
    private readonly Lock _gate = new();
    private Run? _newest;
    private volatile bool _closed;

    /// <summary>What the dashboard shows of it; null where the config has no connector.</summary>
    public ReplayControl? Control => activations.Count == 0 ? null
        : new ReplayControl([.. activations.Select(a => a.Name)], () => Newest, Start);

    /// <summary>The replay that runs, or the newest that has ended; null before the first.</summary>
    public ReplayState? Newest
    {
        get
        {
            lock (_gate) return _newest?.State;
        }
    }

    /// <summary>Starts a replay; false where one runs already, or the process ends.</summary>
    /// <param name="by">Who asks.</param>
    /// <param name="reason">Why.</param>
    public bool Start(string by, string reason)
    {
        lock (_gate)
        {
            if (_closed || _newest is { Ended.IsCompleted: false }) return false;
            var run = _newest = new Run(by, reason, _settings.Time.GetUtcNow(), new ConnectorGroup(activations, _settings));
            Say(false, $"replay of dead letters of {string.Join(", ", activations.Select(a => a.Name))} started by {by}: {reason}");
            run.Ended = RunAsync(run);
            return true;
        }
    }

    /// <summary>Ends a replay in order: what is delivered is committed, and the next one goes on behind it.</summary>
    public async ValueTask DisposeAsync()
    {
        Task? ended;
        lock (_gate)
        {
            _closed = true;
            _newest?.Group.Stop();
            ended = _newest?.Ended;
        }
        if (ended is not null) await ended.ConfigureAwait(false);
    }

    private async Task RunAsync(Run run)
    {
        await Task.Yield(); // connectors are started without the lock
        try
        {
            await using (run.Group.ConfigureAwait(false))
            {
                run.Group.Start();
                if (_closed) run.Group.Stop();
                await run.Group.Completion.ConfigureAwait(false);
            }
        }
        catch (Exception e)
        {
            // Whatever it is, it is told on the page and in the log: the engine goes on without the replay.
            run.Fault = e.Message;
        }
        var counts = string.Join("; ", run.State.Counts.Select(c => string.Create(CultureInfo.InvariantCulture,
            $"{c.Connector}: {c.Delivered} delivered, {c.DeadLettered} refused again")));
        Say(run.Fault is not null, $"replay of dead letters started by {run.By} ended{(run.Fault is null ? "" : $" early, {run.Fault}")}: "
            + counts);
    }

    private void Say(bool warning, string text) => _settings.Report(new WorkerEvent(warning, text));

    private sealed class Run(string by, string reason, DateTimeOffset at, ConnectorGroup group)
    {
        public string By => by;

        public ConnectorGroup Group => group;

        public Task Ended { get; set; } = Task.CompletedTask;

        public volatile string? Fault;

        public ReplayState State => new(by, reason, at, [.. group.Connectors.Select(c =>
            new ReplayCount(c.Name, c.Counts.Delivered, c.Counts.DeadLettered, c.Counts.Retried))], Ended.IsCompleted, Fault);
    }
}
