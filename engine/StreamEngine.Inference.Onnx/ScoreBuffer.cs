using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace StreamEngine.Inference.Onnx;

/// <summary>
/// The bound memory of the output that is read. Floats in the engine's order are read where they are; chosen columns, and doubles, are
/// copied.
/// </summary>
internal sealed class ScoreBuffer : IDisposable
{
    private readonly RowBuffer<float>? _floats;
    private readonly RowBuffer<double>? _doubles;
    private readonly float[]? _picked;
    private readonly int[] _columns;
    private readonly int _width;

    public ScoreBuffer(GraphOutput output, int maxRows)
    {
        _width = output.Width;
        _columns = [.. output.Columns];
        if (output.Type == TensorElementType.Float) _floats = new RowBuffer<float>(maxRows, output.Width, output.IsFlat);
        else _doubles = new RowBuffer<double>(maxRows, output.Width, output.IsFlat);
        if (!output.IsPlain) _picked = new float[maxRows * _columns.Length];
    }

    /// <summary>The tensor over the first rows.</summary>
    public OrtValue ValueOf(int rows) => _floats?.ValueOf(rows) ?? _doubles!.ValueOf(rows);

    /// <summary>The scores of the first rows, row-major, in the order of the manifest's outputs.</summary>
    public Span<float> Read(int rows)
    {
        if (_picked is null) return _floats!.Rows(rows);
        if (_floats is not null) Pick(_floats.Rows(rows));
        else Pick(_doubles!.Rows(rows));
        return _picked.AsSpan(0, rows * _columns.Length);
    }

    private void Pick(ReadOnlySpan<float> scores)
    {
        var at = 0;
        for (var row = 0; row < scores.Length; row += _width)
            foreach (var column in _columns) _picked![at++] = scores[row + column];
    }

    private void Pick(ReadOnlySpan<double> scores)
    {
        var at = 0;
        for (var row = 0; row < scores.Length; row += _width)
            foreach (var column in _columns) _picked![at++] = (float)scores[row + column];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _floats?.Dispose();
        _doubles?.Dispose();
    }
}
