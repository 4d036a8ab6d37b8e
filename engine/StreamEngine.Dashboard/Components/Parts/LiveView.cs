using Microsoft.AspNetCore.Components;
using StreamEngine.Dashboard.Data;

namespace StreamEngine.Dashboard.Components.Parts;

/// <summary>A part of a page that is drawn anew with each sample.</summary>
public abstract class LiveView : ComponentBase, IDisposable
{
    private bool _ended;

    [Inject]
    private protected History History { get; set; } = null!;

    [Inject]
    private protected DashboardSettings Settings { get; set; } = null!;

    /// <inheritdoc/>
    protected override void OnInitialized() => History.Sampled += Redraw;

    /// <summary>Draws it anew; any thread may call it.</summary>
    protected void Redraw()
    {
        if (!_ended) _ = InvokeAsync(() =>
        {
            if (_ended) return;
            OnSample();
            StateHasChanged();
        });
    }

    /// <summary>Takes what is to be drawn, before each drawing.</summary>
    protected virtual void OnSample()
    {
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ended = true;
        History.Sampled -= Redraw;
        End();
        GC.SuppressFinalize(this);
    }

    /// <summary>The page is left.</summary>
    protected virtual void End()
    {
    }
}
