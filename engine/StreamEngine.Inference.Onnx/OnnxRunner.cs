using Microsoft.ML.OnnxRuntime;

namespace StreamEngine.Inference.Onnx;

/// <summary>A ladder of prepared runs, one for each batch size, over one block of native memory: 0 managed bytes a call.</summary>
/// <remarks>
/// Exact sizes, no padding: a rung costs about 3 us and 350 bytes once. On the CPU the bound memory is what the kernels read and write.
/// On CUDA a binding would copy its input when it is made, not when it is run, so a run names its values instead (about 350 bytes a call).
/// </remarks>
internal sealed class OnnxRunner : IModelRunner
{
    private readonly OnnxModel _model;
    private readonly RowBuffer _inputs;
    private readonly RowBuffer _outputs;
    private readonly RunOptions _runOptions = new();
    private readonly OrtIoBinding[]? _bindings;
    private readonly string[] _inputNames;
    private readonly string[] _outputNames;
    private bool _disposed;

    public OnnxRunner(OnnxModel model, int maxRows)
    {
        _model = model;
        _inputNames = [model.Signature.Input];
        _outputNames = [model.Signature.Output];
        _inputs = new RowBuffer(maxRows, model.Signature.InputWidth);
        _outputs = new RowBuffer(maxRows, model.Signature.OutputWidth);
        if (model.Provider == "cpu") _bindings = Bind(maxRows);
    }

    /// <inheritdoc/>
    public int MaxRows => _inputs.MaxRows;

    /// <inheritdoc/>
    public int InputWidth => _inputs.Width;

    /// <inheritdoc/>
    public int OutputWidth => _outputs.Width;

    /// <inheritdoc/>
    public Span<float> Inputs(int rows)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _inputs.Rows(rows);
    }

    /// <inheritdoc/>
    public ReadOnlySpan<float> Run(int rows)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var result = _outputs.Rows(rows);
        try
        {
            if (_bindings is not null) _model.Session.Session.RunWithBinding(_runOptions, _bindings[rows - 1]);
            else _model.Session.Session.Run(_runOptions, _inputNames, _inputs.ValuesOf(rows), _outputNames, _outputs.ValuesOf(rows));
        }
        catch (OnnxRuntimeException cause)
        {
            throw new ModelException(
                $"{_model.File} failed on {rows} rows of {InputWidth} columns for {OutputWidth} outputs: {cause.Message}", cause);
        }
        // The native code works on memory and handles that only this object keeps.
        GC.KeepAlive(this);
        return result;
    }

    private OrtIoBinding[] Bind(int maxRows)
    {
        var bindings = new OrtIoBinding[maxRows];
        for (var rows = 1; rows <= maxRows; rows++)
        {
            var binding = _model.Session.Session.CreateIoBinding();
            binding.BindInput(_inputNames[0], _inputs.ValuesOf(rows)[0]);
            binding.BindOutput(_outputNames[0], _outputs.ValuesOf(rows)[0]);
            bindings[rows - 1] = binding;
        }
        return bindings;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        if (_bindings is not null) Array.ForEach(_bindings, binding => binding.Dispose());
        _runOptions.Dispose();
        _inputs.Dispose();
        _outputs.Dispose();
        _model.Release();
    }
}
