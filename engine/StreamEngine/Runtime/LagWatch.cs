using StreamEngine.Connectors;

namespace StreamEngine.Runtime;

/// <summary>
/// Asks every few seconds where the owned partitions end, so that the lag is known also while the loop stands still (a dead sink is when it
/// matters). What can't be asked keeps its last answer: a log that is away grows no lag that anybody could see, so that is told too.
/// </summary>
internal sealed class LagWatch : IDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);

    private readonly ILog _log;
    private readonly EngineMetrics _metrics;
    private readonly string[] _sources;
    private readonly Outage _outage;
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    /// <param name="log">The log to ask.</param>
    /// <param name="metrics">Knows the open shards.</param>
    /// <param name="sources">The source topics.</param>
    /// <param name="outage">Told where the log does not answer, and when it does again.</param>
    public LagWatch(ILog log, EngineMetrics metrics, string[] sources, Outage outage) =>
        (_log, _metrics, _sources, _outage) = (log, metrics, sources, outage);

    /// <summary>Asks from now on, until disposed.</summary>
    public void Start(TimeProvider time) => _running = Task.Run(() => Run(time));

    /// <summary>Asks once, of the shards that are open now; where there are none, only whether the log answers.</summary>
    internal void Ask()
    {
        var shards = _metrics.Open;
        var partitions = shards.SelectMany(s => _sources.Select(topic => new TopicPartition(topic, s.Partition))).ToList();
        if (partitions.Count == 0) partitions.Add(new TopicPartition(_sources[0], 0));
        var ends = _log.Ends(partitions);
        for (var i = 0; i < shards.Count; i++) shards[i].Counters.Ends = [.. ends.Skip(i * _sources.Length).Take(_sources.Length)];
    }

    public void Dispose()
    {
        _stop.Cancel();
        _running.Wait();
        _stop.Dispose();
    }

    private async Task Run(TimeProvider time)
    {
        using var timer = new PeriodicTimer(Every, time);
        try
        {
            do
            {
                try
                {
                    Ask();
                    _outage.Back();
                }
                catch (LogException e)
                {
                    _outage.Away(e.Message, "The lag is not known, and commits wait; nothing is lost.");
                }
            }
            while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
        }
    }
}
