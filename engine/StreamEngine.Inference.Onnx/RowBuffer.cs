using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace StreamEngine.Inference.Onnx;

/// <summary>Native memory for a matrix of floats, and a tensor over its first n rows for every n.</summary>
/// <remarks>The memory is native: it stays where it is through collections. It is freed by <see cref="Dispose"/> alone, once nothing bound
/// to it runs.</remarks>
internal sealed unsafe class RowBuffer : IDisposable
{
    /// <summary>A cache line, and the widest vector register.</summary>
    private const nuint Alignment = 64;

    private readonly OrtValue[][] _values;
    private float* _memory;

    /// <summary>Takes zeroed memory for <paramref name="maxRows"/> rows of <paramref name="width"/> columns.</summary>
    public RowBuffer(int maxRows, int width)
    {
        MaxRows = maxRows;
        Width = width;
        var bytes = checked((nuint)maxRows * (nuint)width * sizeof(float));
        _memory = (float*)NativeMemory.AlignedAlloc(bytes, Alignment);
        NativeMemory.Clear(_memory, bytes);
        _values = new OrtValue[maxRows][];
        for (var rows = 1; rows <= maxRows; rows++)
        {
            _values[rows - 1] =
            [
                OrtValue.CreateTensorValueWithData(
                    OrtMemoryInfo.DefaultInstance, TensorElementType.Float, [rows, width], (nint)_memory,
                        (long)rows * width * sizeof(float)),
            ];
        }
    }

    /// <summary>Rows there is room for.</summary>
    public int MaxRows { get; }

    /// <summary>Columns of a row.</summary>
    public int Width { get; }

    /// <summary>The first rows, row-major.</summary>
    public Span<float> Rows(int rows)
    {
        if ((uint)(rows - 1) >= (uint)MaxRows)
            throw new ArgumentOutOfRangeException(nameof(rows), rows, $"A batch has 1 to {MaxRows} rows.");
        return new Span<float>(_memory, rows * Width);
    }

    /// <summary>The tensor over the first rows, as the one-element list that a run takes.</summary>
    public OrtValue[] ValuesOf(int rows) => _values[rows - 1];

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var value in _values) value[0].Dispose();
        NativeMemory.AlignedFree(_memory);
        _memory = null;
    }
}
