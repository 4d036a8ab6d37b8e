using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace StreamEngine.Inference.Onnx;

/// <summary>A ladder of prepared runs, one for each batch size, over native memory: 0 managed bytes a call.</summary>
/// <remarks>
/// Exact sizes, no padding: a rung costs about 3 us and 350 bytes once. On the CPU the bound memory is what the kernels read and write.
/// On CUDA a binding would copy its input when it is made, not when it is run, so a run names its values instead (about 350 bytes a call).
/// </remarks>
internal sealed class OnnxRunner : IModelRunner
{
    private readonly OnnxModel _model;
    private readonly GraphInput[] _graph;
    private readonly IInputBuffer[] _inputs;
    private readonly bool[] _missing;
    private readonly bool _mayMiss;
    private readonly ScoreBuffer _scores;
    private readonly RunOptions _runOptions = new();
    private readonly OrtIoBinding[]? _bindings;
    private readonly string[] _inputNames;
    private readonly string[] _outputNames;
    private readonly OrtValue[][]? _inputValues;
    private readonly OrtValue[][]? _outputValues;
    private bool _disposed;

    public OnnxRunner(OnnxModel model, int maxRows)
    {
        _model = model;
        MaxRows = maxRows;
        var signature = model.Signature;
        _graph = [.. signature.Inputs];
        _inputNames = [.. _graph.Select(i => i.Name)];
        _outputNames = [signature.Output.Name];
        _inputs = [.. _graph.Select(i => InputBuffers.Make(i, model.Manifest, maxRows))];
        _mayMiss = _graph.Any(i => i.Type is TensorElementType.Int64 or TensorElementType.Int32 or TensorElementType.Bool);
        _missing = new bool[maxRows];
        _scores = new ScoreBuffer(signature.Output, maxRows);
        if (model.Provider == "cpu")
        {
            _bindings = [.. Enumerable.Range(1, maxRows).Select(Bind)];
            return;
        }
        _inputValues = [.. Enumerable.Range(1, maxRows).Select(rows => _inputs.Select(i => i.ValueOf(rows)).ToArray())];
        _outputValues = [.. Enumerable.Range(1, maxRows).Select(rows => new[] { _scores.ValueOf(rows) })];
    }

    /// <inheritdoc/>
    public int MaxRows { get; }

    /// <inheritdoc/>
    public int InputWidth => _model.Manifest.Inputs.Count;

    /// <inheritdoc/>
    public int OutputWidth => _model.Manifest.Outputs.Count;

    /// <inheritdoc/>
    public void Fill(ReadOnlySpan<double> vectors, int stride, ReadOnlySpan<int> features, int rows)
    {
        Check(rows);
        if (_mayMiss) Array.Clear(_missing, 0, rows);
        for (var i = 0; i < _inputs.Length; i++)
            _inputs[i].Fill(vectors, stride, features.Slice(_graph[i].First, _graph[i].Width), rows, _missing);
    }

    /// <inheritdoc/>
    public ReadOnlySpan<float> Run(int rows)
    {
        Check(rows);
        try
        {
            if (_bindings is not null) _model.Session.Session.RunWithBinding(_runOptions, _bindings[rows - 1]);
            else _model.Session.Session.Run(_runOptions, _inputNames, _inputValues![rows - 1], _outputNames, _outputValues![rows - 1]);
        }
        catch (OnnxRuntimeException cause)
        {
            throw new ModelException($"{_model.File} failed on {rows} rows of {InputWidth} columns for {OutputWidth} outputs: "
                + Sessions.Reason(cause), cause);
        }
        // The native code works on memory and handles that only this object keeps.
        GC.KeepAlive(this);
        var result = _scores.Read(rows);
        if (_mayMiss)
            for (var row = 0; row < rows; row++)
                if (_missing[row]) result.Slice(row * OutputWidth, OutputWidth).Fill(float.NaN);
        return result;
    }

    /// <summary>Ends a run that is under way on another thread, as soon as the operation that it is in ends.</summary>
    internal void Stop() => _runOptions.Terminate = true;

    private void Check(int rows)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if ((uint)(rows - 1) >= (uint)MaxRows)
            throw new ArgumentOutOfRangeException(nameof(rows), rows, $"A batch has 1 to {MaxRows} rows.");
    }

    private OrtIoBinding Bind(int rows)
    {
        var binding = _model.Session.Session.CreateIoBinding();
        for (var i = 0; i < _inputs.Length; i++) binding.BindInput(_inputNames[i], _inputs[i].ValueOf(rows));
        binding.BindOutput(_outputNames[0], _scores.ValueOf(rows));
        return binding;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        if (_bindings is not null) Array.ForEach(_bindings, binding => binding.Dispose());
        _runOptions.Dispose();
        Array.ForEach(_inputs, input => input.Dispose());
        _scores.Dispose();
        _model.Release();
    }
}
