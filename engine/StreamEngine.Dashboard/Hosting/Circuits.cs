using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Components.Server.Circuits;
using StreamEngine.Telemetry;

namespace StreamEngine.Dashboard.Hosting;

/// <summary>Counts the pages that are connected, so that they stay few.</summary>
/// <param name="most">The most that may be.</param>
internal sealed class Circuits(int most) : CircuitHandler, IDisposable
{
    private readonly Meter _meter = EngineMeter.Create();
    private int _connected;

    /// <summary>Whether another page may connect.</summary>
    public bool HasRoom => Volatile.Read(ref _connected) < most;

    /// <summary>How many pages are connected.</summary>
    public int Connected => Volatile.Read(ref _connected);

    /// <summary>Registers the gauge.</summary>
    public Circuits Measured()
    {
        _meter.CreateObservableGauge("streamengine.dashboard.circuits", () => Connected, "{circuit}",
            "Pages of the dashboard that are open and connected.");
        return this;
    }

    /// <inheritdoc/>
    public override Task OnConnectionUpAsync(Circuit circuit, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _connected);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override Task OnConnectionDownAsync(Circuit circuit, CancellationToken cancellationToken)
    {
        Interlocked.Decrement(ref _connected);
        return Task.CompletedTask;
    }

    public void Dispose() => _meter.Dispose();
}
