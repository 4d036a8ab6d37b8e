using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace StreamEngine.Inference.Onnx;

/// <summary>Native memory for a matrix of numbers, and a tensor over its first n rows for every n.</summary>
/// <remarks>The memory is native: it stays where it is through collections. It is freed by <see cref="Dispose"/> alone, once nothing bound
/// to it runs.</remarks>
/// <typeparam name="T">The numbers' type; a byte is a bool.</typeparam>
internal sealed unsafe class RowBuffer<T> : IDisposable where T : unmanaged
{
    /// <summary>A cache line, and the widest vector register.</summary>
    private const nuint Alignment = 64;

    private readonly OrtValue[] _values;
    private T* _memory;

    /// <summary>Takes zeroed memory for <paramref name="maxRows"/> rows of <paramref name="width"/> columns.</summary>
    /// <param name="maxRows">The most rows.</param>
    /// <param name="width">The columns.</param>
    /// <param name="isFlat">Whether the tensor's shape is [rows].</param>
    public RowBuffer(int maxRows, int width, bool isFlat)
    {
        MaxRows = maxRows;
        Width = width;
        var bytes = checked((nuint)maxRows * (nuint)width * (nuint)sizeof(T));
        _memory = (T*)NativeMemory.AlignedAlloc(bytes, Alignment);
        NativeMemory.Clear(_memory, bytes);
        _values = new OrtValue[maxRows];
        for (var rows = 1; rows <= maxRows; rows++)
            _values[rows - 1] = OrtValue.CreateTensorValueWithData(OrtMemoryInfo.DefaultInstance, Type, isFlat ? [rows] : [rows, width],
                (nint)_memory, (long)rows * width * sizeof(T));
    }

    /// <summary>Rows there is room for.</summary>
    public int MaxRows { get; }

    /// <summary>Columns of a row.</summary>
    public int Width { get; }

    private static TensorElementType Type =>
        typeof(T) == typeof(float) ? TensorElementType.Float : typeof(T) == typeof(double) ? TensorElementType.Double
        : typeof(T) == typeof(long) ? TensorElementType.Int64 : typeof(T) == typeof(int) ? TensorElementType.Int32 : TensorElementType.Bool;

    /// <summary>The first rows, row-major.</summary>
    public Span<T> Rows(int rows) => new(_memory, rows * Width);

    /// <summary>The tensor over the first rows.</summary>
    public OrtValue ValueOf(int rows) => _values[rows - 1];

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var value in _values) value.Dispose();
        NativeMemory.AlignedFree(_memory);
        _memory = null;
    }
}
