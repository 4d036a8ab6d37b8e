namespace StreamEngine.Inference.Onnx;

/// <summary>
/// One session, shared by all runners; it lives until the model and its last runner are disposed, so that a model can be replaced under
/// load.
/// </summary>
/// <param name="manifest">What <c>model.json</c> says.</param>
/// <param name="file">The model's file.</param>
/// <param name="provider">What runs it.</param>
/// <param name="session">The session.</param>
/// <param name="signature">The graph's inputs and output.</param>
/// <param name="rowByRow">Whether its kernels give a row other bits in another batch.</param>
internal sealed class OnnxModel(ModelManifest manifest, string file, string provider, SessionHandle session, Signature signature,
    bool rowByRow) : IModel
{
    private int _users = 1;
    private int _disposed;

    /// <inheritdoc/>
    public ModelManifest Manifest => manifest;

    /// <inheritdoc/>
    public string Provider => provider;

    /// <summary>The model's file, for messages.</summary>
    public string File => file;

    /// <summary>The graph's inputs and output.</summary>
    public Signature Signature => signature;

    /// <summary>The shared session; safe to run from several threads.</summary>
    public SessionHandle Session => session;

    /// <inheritdoc/>
    public IModelRunner CreateRunner(int maxRows)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxRows, 1);
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        Interlocked.Increment(ref _users);
        try
        {
            return new OnnxRunner(this, rowByRow ? 1 : maxRows);
        }
        catch
        {
            Release();
            throw;
        }
    }

    /// <summary>One user less; the last one closes the session.</summary>
    internal void Release()
    {
        if (Interlocked.Decrement(ref _users) == 0) session.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0) Release();
    }
}
