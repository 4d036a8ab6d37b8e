using System.Runtime.InteropServices;

namespace StreamEngine.Host.Cli;

/// <summary>
/// Turns Ctrl-C and SIGTERM into an orderly stop. A signal that is repeated at once (supervisors send it to the process and to its group)
/// is one signal; one that comes later, or a stop that takes too long, ends the process as it is: what was not committed is made again
/// after the next start.
/// </summary>
internal sealed class StopSignals : IDisposable
{
    private static readonly TimeSpan Repeated = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    private readonly CancellationTokenSource _stop = new();
    private readonly TextWriter _error;
    private readonly PosixSignalRegistration _interrupt, _terminate;
    private readonly ITimer _limit;
    private long _first;

    public StopSignals(TextWriter error)
    {
        _error = error;
        _limit = TimeProvider.System.CreateTimer(_ => End($"still not stopped after {Patience.TotalSeconds:F0} s"), null,
            Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Received);
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Received);
    }

    /// <summary>Whether the signal was SIGTERM.</summary>
    public bool Terminated { get; private set; }

    /// <summary>Set by the first signal.</summary>
    public CancellationToken Token => _stop.Token;

    public void Dispose()
    {
        _interrupt.Dispose();
        _terminate.Dispose();
        _limit.Dispose();
        _stop.Dispose();
    }

    private void Received(PosixSignalContext context)
    {
        context.Cancel = true;
        if (Interlocked.CompareExchange(ref _first, TimeProvider.System.GetTimestamp(), 0) == 0)
        {
            Terminated = context.Signal == PosixSignal.SIGTERM;
            _limit.Change(Patience, Timeout.InfiniteTimeSpan);
            _stop.Cancel();
        }
        else if (TimeProvider.System.GetElapsedTime(_first) > Repeated) End("asked again to stop");
    }

    private void End(string why)
    {
        _error.WriteLine($"streamengine: error: {why}: ending without a last commit; what is not committed is made again after the next "
            + "start");
        Environment.Exit(ExitCode.Runtime);
    }
}
