using StreamEngine.Inference;

namespace StreamEngine.Testing;

/// <summary>Loads, from any folder, a linear model over <c>events_5m</c> with three outputs; another seed is another model.</summary>
public sealed class LinearModels(int seed) : IModelLoader
{
    /// <inheritdoc/>
    public IModel Load(string directory, ModelOptions? options = null)
    {
        var random = new Random(seed);
        float Next() => (float)(0.1 + random.NextDouble() * 0.2);
        return new LinearModel("shop", ["events_5m"], ("0", [Next() / 10, Next()]), ("1", [Next() / 10, Next()]),
            ("2", [Next() / 10, Next()]));
    }
}
