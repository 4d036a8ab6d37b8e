using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.State;

namespace StreamEngine.Features;

/// <summary>
/// Compiles feature options: 1. names, 2. checks, 3. columns and outputs per window, each column once, 4. derived features in order.
/// A column's slot is named by what it holds, not by the feature: features that hold the same share it, and a renamed feature keeps its
/// state.
/// </summary>
internal sealed class FeatureCompiler(FieldCatalog fields, IReadOnlyList<string> purposes, TimeOptions time, StateLayout layout,
    ConfigErrors errors)
{
    private readonly StateLayout _layout = layout;
    private readonly ConfigErrors _errors = errors;
    private readonly FeatureChecks _checks = new(time, errors);
    private readonly InputTable _inputs = new(fields, purposes, errors);
    private readonly Dictionary<Window, Group> _groups = [];

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
                _inputs.Find(feature.Where, feature.Of, scale: null);
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
        var input = _inputs.Find(feature.Where, feature.Of, feature.Scale);
        if (input < 0) return;
        var group = GroupOf(_checks.Window(feature));
        if (op == FeatureOperator.Rfm) AddRfm(index, feature, group, input);
        else group.Outputs.Add(Output(feature, op, group, input) with { Index = index, Default = feature.Default });
    }

    private FeatureOutput Output(FeatureOptions feature, FeatureOperator op, Group group, int input)
    {
        FeatureOutput Of(OutputKind kind, ColumnKind column, double divisor = 1) =>
            new() { Index = 0, Kind = kind, A = ColumnOf(group, column, input), Divisor = divisor };

        switch (op)
        {
            case FeatureOperator.Count:
                return Of(OutputKind.Count, ColumnKind.Count);
            case FeatureOperator.Sum:
                // The sum over no events is 0 by itself; only another default needs to know that there are none.
                var sum = Sum(group, input);
                return feature.Default == 0 ? sum : sum with { Events = ColumnOf(group, ColumnKind.Count, input), AsksEvents = true };
            case FeatureOperator.Mean:
                return Sum(group, input) with { Events = ColumnOf(group, ColumnKind.Count, input), AsksEvents = true, PerEvent = true };
            case FeatureOperator.Min:
                return Of(OutputKind.Extreme, ColumnKind.Min);
            case FeatureOperator.Max:
                return Of(OutputKind.Extreme, ColumnKind.Max);
            case FeatureOperator.First:
                return Of(OutputKind.Moment, ColumnKind.First);
            case FeatureOperator.Last:
                return Of(OutputKind.Moment, ColumnKind.Last);
            case FeatureOperator.TimeSince:
                return Of(feature.Previous ? OutputKind.SincePrevious
                    : OutputKind.SinceLatest, ColumnKind.LatestTwo, Milliseconds(feature.Unit ?? TimeUnit.Seconds));
            case FeatureOperator.Duration:
                return new FeatureOutput
                {
                    Index = 0,
                    Kind = OutputKind.Duration,
                    Divisor = Milliseconds(feature.Unit ?? TimeUnit.Seconds)
                };
            default:
                throw new InvalidOperationException($"operator {op} isn't compiled here");
        }
    }

    /// <summary>
    /// Recency, frequency, monetary and age by the definitions of Fader and Hardie's RFM summaries, but with all purchases counted in
    /// frequency and monetary, the first one included, and recency measured back from now.
    /// </summary>
    private void AddRfm(int index, FeatureOptions feature, Group group, int input)
    {
        var unit = Milliseconds(feature.Unit ?? TimeUnit.Days);
        var purchases = ColumnOf(group, feature.SameDayMerge ? ColumnKind.Days : ColumnKind.Count, input);
        group.Outputs.Add(new FeatureOutput
        {
            Index = index,
            Kind = OutputKind.SinceLatest,
            A = ColumnOf(group, ColumnKind.LatestTwo, input),
            Divisor = unit,
            Default = feature.Default
        });
        group.Outputs.Add(new FeatureOutput
        {
            Index = index + 1,
            Kind = feature.SameDayMerge ? OutputKind.Days
            : OutputKind.Count,
            A = purchases
        });
        group.Outputs.Add(Sum(group, input) with { Index = index + 2, Events = purchases, AsksEvents = true, PerEvent = true });
        group.Outputs.Add(new FeatureOutput
        {
            Index = index + 3,
            Kind = OutputKind.SinceFirst,
            A = ColumnOf(group, ColumnKind.FirstTime, input),
            Divisor = unit,
            Default = feature.Default
        });
    }

    private FeatureOutput Sum(Group group, int input) => _inputs.IsFixed(input)
        ? new() { Index = 0, Kind = OutputKind.FixedSum, A = ColumnOf(group, ColumnKind.FixedSum, input), Divisor = _inputs.Factor(input) }
        : new() { Index = 0, Kind = OutputKind.DoubleSum, A = ColumnOf(group, ColumnKind.DoubleSum, input) };

    private Group GroupOf(Window window)
    {
        if (_groups.TryGetValue(window, out var known)) return known;
        var state = window.StateLength == 0 ? 0
            : _layout.Reserve($"features/{window}", window.StateLength, $"{window.Kind} {window.Rows}").Offset;
        return _groups[window] = new Group(window, state);
    }

    private Column ColumnOf(Group group, ColumnKind kind, int input)
    {
        foreach (var column in group.Columns)
            if (column.Kind == kind && column.Input == input) return column;
        var name = $"features/{group.Window}/{kind} of {_inputs.Text(input)}";
        var slot = _layout.Reserve(name, Column.Width(kind) * group.Window.Rows, $"{kind} x {group.Window.Rows}");
        var added = new Column(kind, input, slot.Offset);
        group.Columns.Add(added);
        return added;
    }

    private static double Milliseconds(TimeUnit unit) => unit switch
    {
        TimeUnit.Seconds => 1_000,
        TimeUnit.Minutes => 60_000,
        TimeUnit.Hours => 3_600_000,
        _ => Panes.DayMs,
    };

    /// <summary>A window while its features are collected.</summary>
    private sealed record Group(Window Window, int State)
    {
        public List<Column> Columns { get; } = [];

        public List<FeatureOutput> Outputs { get; } = [];
    }
}
