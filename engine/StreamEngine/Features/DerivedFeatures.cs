using StreamEngine.Expressions;

namespace StreamEngine.Features;

/// <summary>A feature computed from other features.</summary>
/// <param name="Index">Place in the feature vector.</param>
/// <param name="Value">The expression.</param>
/// <param name="Default">The value where the expression has none (a division by zero).</param>
internal sealed record DerivedFeature(int Index, DoubleExpr Value, double Default);

/// <summary>The derived features, each after those that it uses.</summary>
internal sealed class DerivedFeatures(DerivedFeature[] inOrder)
{
    // Expressions read the vector from an array; vectors come as spans. One scratch array per thread, because a compiled set is shared by
    // shards.
    [ThreadStatic]
    private static EvalContext? _context;

    private readonly DerivedFeature[] _inOrder = inOrder;

    /// <summary>Completes a vector whose other features are there.</summary>
    public void Read(Span<double> vector)
    {
        if (_inOrder.Length == 0) return;
        var context = _context ??= new EvalContext();
        if (context.Features.Length < vector.Length) context.Features = new double[vector.Length];
        vector.CopyTo(context.Features);
        foreach (var feature in _inOrder)
        {
            var value = feature.Value(context);
            vector[feature.Index] = context.Features[feature.Index] = double.IsFinite(value) ? value : feature.Default;
        }
    }
}
