using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.State;

namespace StreamEngine.Features;

/// <summary>
/// Compiles feature options: 1. names, 2. checks, 3. columns and outputs per window, each column once, 4. derived features in order.
/// </summary>
internal sealed class FeatureCompiler(FieldCatalog fields, IReadOnlyList<string> purposes, TimeOptions time, StateLayout layout,
    ConfigErrors errors)
{
    private readonly StateLayout _layout = layout;
    private readonly ConfigErrors _errors = errors;
    private readonly FeatureChecks _checks = new(time, errors);
    private readonly InputTable _inputs = new(fields, purposes, errors);
    private readonly Dictionary<Window, GroupPlan> _groups = [];

    /// <summary>Compiles all features.</summary>
    public FeatureSet Compile(IReadOnlyList<FeatureOptions> options)
    {
        var begin = _layout.FixedLength;
        var names = FeatureNames.Of(options, _errors);
        var derived = new DerivedCompiler(names, _errors);
        var index = 0;
        foreach (var feature in options)
        {
            if (!_checks.Check(feature))
            {
                // Its expressions are compiled all the same, to tell their mistakes too.
                derived.Skip(index);
                if (feature is { Op: { } op, Of: { } of } && OperatorTable.Of(op).Of == OperandNeed.Text)
                    _inputs.FindHashed(feature.Where, of);
                else _inputs.Find(feature.Where, feature.Of, scale: null);
                if (feature.Per is not null) _inputs.Find(feature.Per, of: null, scale: null);
            }
            else if (feature.Expr is not null) derived.Add(index, feature);
            else AddOperator(index, feature, feature.Op!.Value);
            index += FeatureNames.Width(feature);
        }
        // A profile that can't be is refused by whoever compiles the whole; nothing may be laid out in it.
        var groups = _layout.Needed > StateLayout.MaxProfileBytes ? []
            : _groups.Values.Select(g => new WindowGroup(g.Window, g.State, [.. g.Columns], [.. g.Outputs])).ToArray();
        return new FeatureSet(names, _inputs.Build(), groups, derived.Build(), begin, _layout.FixedLength);
    }

    private void AddOperator(int index, FeatureOptions feature, FeatureOperator op)
    {
        var input = OperatorTable.Of(op).Of == OperandNeed.Text ? _inputs.FindHashed(feature.Where, feature.Of!)
            : _inputs.Find(feature.Where, feature.Of, feature.Scale);
        var per = feature.Per is null ? -1 : _inputs.Find(feature.Per, of: null, scale: null);
        if (input < 0 || feature.Per is not null && per < 0) return;
        OperatorTable.Of(op).Compile(new OperatorPlan(feature, index, input, per, GroupOf(_checks.Window(feature)), _inputs, _layout));
    }

    private GroupPlan GroupOf(Window window)
    {
        if (_groups.TryGetValue(window, out var known)) return known;
        var state = window.StateLength == 0 ? 0
            : _layout.Reserve($"features/{window}", window.StateLength, $"{window.Kind} {window.Rows}").Offset;
        return _groups[window] = new GroupPlan(window, state);
    }
}
