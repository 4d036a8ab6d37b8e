using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace StreamEngine.Inference.Onnx;

/// <summary>The bound memory of one input of a graph.</summary>
internal interface IInputBuffer : IDisposable
{
    /// <summary>The tensor over the first rows.</summary>
    OrtValue ValueOf(int rows);

    /// <summary>Writes rows of features, each as the input's type.</summary>
    /// <param name="vectors">The feature vectors, row-major.</param>
    /// <param name="stride">Features of one vector.</param>
    /// <param name="features">The features of the input's columns, by their index in a vector.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="missing">Gets true for a row with a missing value that the type can't say.</param>
    void Fill(ReadOnlySpan<double> vectors, int stride, ReadOnlySpan<int> features, int rows, Span<bool> missing);
}

/// <summary>Makes the buffer that an input's type needs.</summary>
internal static class InputBuffers
{
    /// <summary>Makes a buffer.</summary>
    /// <param name="input">The graph's input.</param>
    /// <param name="manifest">Knows the texts that categories stand for.</param>
    /// <param name="maxRows">The most rows.</param>
    public static IInputBuffer Make(GraphInput input, ModelManifest manifest, int maxRows) => input.Type switch
    {
        TensorElementType.Float => new NumberInput<float>(input, maxRows),
        TensorElementType.Double => new NumberInput<double>(input, maxRows),
        TensorElementType.Int64 => new NumberInput<long>(input, maxRows),
        TensorElementType.Int32 => new NumberInput<int>(input, maxRows),
        TensorElementType.Bool => new NumberInput<byte>(input, maxRows),
        _ => new TextInput(input, manifest, maxRows),
    };
}

/// <summary>Numbers. Whole numbers are cut towards zero and stop at the type's ends, a bool is what is not 0.</summary>
internal sealed class NumberInput<T>(GraphInput input, int maxRows) : IInputBuffer where T : unmanaged
{
    private readonly RowBuffer<T> _rows = new(maxRows, input.Width, input.IsFlat);

    /// <inheritdoc/>
    public OrtValue ValueOf(int rows) => _rows.ValueOf(rows);

    /// <inheritdoc/>
    public void Fill(ReadOnlySpan<double> vectors, int stride, ReadOnlySpan<int> features, int rows, Span<bool> missing)
    {
        var target = _rows.Rows(rows);
        var at = 0;
        for (var row = 0; row < rows; row++)
        {
            var vector = vectors.Slice(row * stride, stride);
            foreach (var feature in features)
            {
                var value = vector[feature];
                if (typeof(T) != typeof(float) && typeof(T) != typeof(double) && double.IsNaN(value)) missing[row] = true;
                target[at++] = Convert(value);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _rows.Dispose();

    /// <summary>The type is known when this is compiled: one of the casts is left.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Convert(double value)
    {
        if (typeof(T) == typeof(float)) return Unsafe.BitCast<float, T>((float)value);
        if (typeof(T) == typeof(double)) return Unsafe.BitCast<double, T>(value);
        if (typeof(T) == typeof(long)) return Unsafe.BitCast<long, T>((long)value);
        if (typeof(T) == typeof(int)) return Unsafe.BitCast<int, T>((int)value);
        return Unsafe.BitCast<byte, T>(value != 0 ? (byte)1 : (byte)0);
    }
}

/// <summary>
/// Texts: a feature's value is the number of a category, from 0. Any other value, a missing one too, is the empty text, which is
/// unknown to an encoder.
/// </summary>
internal sealed class TextInput : IInputBuffer
{
    private readonly OrtValue[] _values;
    private readonly byte[][][] _categories;

    public TextInput(GraphInput input, ModelManifest manifest, int maxRows)
    {
        _categories = [.. manifest.Inputs.Skip(input.First).Take(input.Width)
            .Select(feature => manifest.Categories[feature].Select(Encoding.UTF8.GetBytes).ToArray())];
        _values = new OrtValue[maxRows];
        for (var rows = 1; rows <= maxRows; rows++)
            _values[rows - 1] =
                OrtValue.CreateTensorWithEmptyStrings(OrtAllocator.DefaultInstance, input.IsFlat ? [rows] : [rows, input.Width]);
    }

    /// <inheritdoc/>
    public OrtValue ValueOf(int rows) => _values[rows - 1];

    /// <inheritdoc/>
    public void Fill(ReadOnlySpan<double> vectors, int stride, ReadOnlySpan<int> features, int rows, Span<bool> missing)
    {
        var target = _values[rows - 1];
        var at = 0;
        for (var row = 0; row < rows; row++)
        {
            var vector = vectors.Slice(row * stride, stride);
            for (var column = 0; column < features.Length; column++)
                target.StringTensorSetElementAt(Text(_categories[column], vector[features[column]]), at++);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var value in _values) value.Dispose();
    }

    private static ReadOnlySpan<byte> Text(byte[][] categories, double value)
    {
        if (!(value >= 0 && value < categories.Length)) return default;
        var number = (int)value;
        return number == value ? categories[number] : default;
    }
}
