using StreamEngine.Configuration;
using StreamEngine.Expressions;

namespace StreamEngine.Features;

/// <summary>Compiles derived features and puts each after those that it uses; a circle is a mistake.</summary>
internal sealed class DerivedCompiler(FeatureNames names, ConfigErrors errors)
{
    private readonly IReadOnlyList<string> _names = names.Numbers;
    private readonly Scope _scope = new() { Features = names.Numbers, Texts = names.Texts };
    private readonly ConfigErrors _errors = errors;
    private readonly Dictionary<int, FeatureOptions> _features = [];
    private readonly List<DerivedFeature> _inOrder = [];
    private readonly HashSet<int> _done = [];
    private readonly List<int> _path = [];

    /// <summary>Adds a derived feature.</summary>
    public void Add(int index, FeatureOptions feature) => _features[index] = feature;

    /// <summary>Leaves a wrong feature out; its name stays in scope, so that it makes no second mistake of those that use it.</summary>
    public void Skip(int index) => _done.Add(index);

    /// <summary>The compiled features in order.</summary>
    public DerivedFeatures Build()
    {
        foreach (var index in _features.Keys.Order()) Visit(index);
        return new DerivedFeatures([.. _inOrder]);
    }

    private void Visit(int index)
    {
        if (!_features.TryGetValue(index, out var feature) || _done.Contains(index)) return;
        if (_path.IndexOf(index) is var at and >= 0)
        {
            var circle = string.Join(" -> ", _path.Skip(at).Append(index).Select(i => _names[i]));
            _errors.Add(feature.Node, "expr", $"derived features use each other in a circle: {circle}",
                "Compute one of them from events or from features outside the circle");
            return;
        }
        _path.Add(index);
        foreach (var used in ExpressionCompiler.References(feature.Expr!).Features.Order(StringComparer.Ordinal))
            if (IndexOf(used) is var other and >= 0) Visit(other);
        _path.RemoveAt(_path.Count - 1);

        if (!_done.Add(index)) return;
        if (ExpressionCompiler.Double(feature.Expr!, _scope, _errors) is { } value)
            _inOrder.Add(new DerivedFeature(index, value, feature.Default));
    }

    private int IndexOf(string name)
    {
        for (var i = 0; i < _names.Count; i++)
            if (_names[i] == name) return i;
        return -1;
    }
}
