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
        var names = FeatureNames.Of(options, _inputs.IsText, _errors);
        var derived = new DerivedCompiler(names, _errors);
        for (var number = 0; number < options.Count; number++)
        {
            var (feature, shape) = (options[number], names.Shapes[number]);
            var index = shape.Index;
            if (!_checks.Check(shape))
            {
                // Its expressions are compiled all the same, to tell their mistakes too.
                derived.Skip(index);
                if (!_inputs.TryOver(feature, _errors, out var over)) continue;
                Input(shape, over);
                if (feature.Per is not null) _inputs.Find(feature.Per, of: null, scale: null, over);
            }
            else if (feature.Expr is not null) derived.Add(index, feature);
            else AddOperator(number, shape, feature.Op!.Value);
        }
        var inputs = _inputs.Build();
        // A profile that can't be is refused by whoever compiles the whole; nothing may be laid out in it.
        var groups = _layout.Needed > StateLayout.MaxProfileBytes ? []
            : _groups.Values.Select(g => new WindowGroup(g, inputs)).ToArray();
        return new FeatureSet(names, inputs, groups, derived.Build(), begin, _layout.FixedLength);
    }

    /// <summary>Which events and which operand a feature takes; -1 where an expression is wrong.</summary>
    private int Input(FeatureShape shape, Field? over)
    {
        var feature = shape.Options;
        return feature switch
        {
            { Op: FeatureOperator.Top, Of: { } of } => _inputs.FindKept(feature.Where, of, feature.Weight, takesEmpty: false, over),
            { Of: { } of } when shape.Texts.Count > 0 => _inputs.FindKept(feature.Where, of, weight: null, takesEmpty: true, over),
            { Op: { } op, Of: { } of } when OperatorTable.Of(op).Of == OperandNeed.Text => _inputs.FindHashed(feature.Where, of, over),
            _ => _inputs.Find(feature.Where, feature.Of, feature.Scale, over),
        };
    }

    private void AddOperator(int number, FeatureShape shape, FeatureOperator op)
    {
        var feature = shape.Options;
        if (!_inputs.TryOver(feature, _errors, out var over)) return;
        var input = Input(shape, over);
        var per = feature.Per is null ? -1 : _inputs.Find(feature.Per, of: null, scale: null, over);
        if (input < 0 || feature.Per is not null && per < 0) return;
        OperatorTable.Of(op).Compile(new OperatorPlan(shape, number, input, per, GroupOf(_checks.Window(feature)), _inputs, _layout));
    }

    private GroupPlan GroupOf(Window window)
    {
        if (_groups.TryGetValue(window, out var known)) return known;
        var state = window.StateLength == 0 ? 0
            : _layout.Reserve($"features/{window}", window.StateLength, $"{window.Kind} {window.Rows}").Offset;
        return _groups[window] = new GroupPlan(window, state);
    }
}
