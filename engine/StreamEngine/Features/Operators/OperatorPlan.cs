using System.Globalization;
using StreamEngine.State;

namespace StreamEngine.Features;

/// <summary>A window while its features are collected.</summary>
/// <param name="Window">The window.</param>
/// <param name="State">Offset of the window's own state.</param>
internal sealed record GroupPlan(Window Window, int State)
{
    /// <summary>The columns so far.</summary>
    public List<Column> Columns { get; } = [];

    /// <summary>The features so far.</summary>
    public List<FeatureOutput> Outputs { get; } = [];

    /// <summary>The features that are texts so far.</summary>
    public List<TextOutput> Texts { get; } = [];
}

/// <summary>One feature while it is compiled: an operator asks for columns and adds its values in the order of the vector.</summary>
/// <param name="shape">The feature, checked.</param>
/// <param name="number">Its place in the config.</param>
/// <param name="input">Which events and which operand.</param>
/// <param name="per">Which events a rate is per; -1 where the feature has none.</param>
/// <param name="group">The window.</param>
/// <param name="inputs">All inputs.</param>
/// <param name="layout">The profile's layout.</param>
internal sealed class OperatorPlan(
    FeatureShape shape, int number, int input, int per, GroupPlan group, InputTable inputs, StateLayout layout)
{
    private readonly int _input = input;
    private readonly int _per = per;
    private readonly GroupPlan _group = group;
    private readonly InputTable _inputs = inputs;
    private readonly StateLayout _layout = layout;
    private readonly int _number = number;
    private int _next = shape.Index;

    /// <summary>What it is called, and where it stands.</summary>
    public FeatureShape Shape { get; } = shape;

    /// <summary>The options.</summary>
    public FeatureOptions Feature => Shape.Options;

    /// <summary>
    /// The column of a kind over the feature's events. It is named by what it holds, not by the feature: features that hold the same share
    /// it, and a renamed feature keeps its state.
    /// </summary>
    /// <param name="kind">What it keeps.</param>
    /// <param name="setting">What else the kind has to know, in ms.</param>
    public Column Column(ColumnKind kind, double setting = 0) => Column(kind, setting, _input);

    /// <summary>The sum of the operand: exact where that is fixed point.</summary>
    /// <param name="exact">The kind of column where it is.</param>
    /// <param name="rounded">The kind of column where it isn't.</param>
    public FeatureOutput Sum(ColumnKind exact = ColumnKind.FixedSum, ColumnKind rounded = ColumnKind.DoubleSum) => _inputs.IsFixed(_input)
        ? new FeatureOutput(Column(exact)) { Divisor = _inputs.Factor(_input) }
        : new FeatureOutput(Column(rounded));

    /// <summary>The sum of the operand, or the count of events where there is none.</summary>
    public FeatureOutput SumOrCount() => Feature.Of is null ? new FeatureOutput(Column(ColumnKind.Count)) : Sum();

    /// <summary>The count of the events that a rate is per.</summary>
    public Column CountOfPer() => Column(ColumnKind.Count, 0, _per);

    /// <summary>Adds the feature's next value, with the feature's default.</summary>
    public void Add(FeatureOutput output) => AddWithDefault(output, Feature.Default);

    /// <summary>Adds the feature's next value, with a default of its own.</summary>
    public void AddWithDefault(FeatureOutput output, double value) =>
        _group.Outputs.Add(output with { Index = _next++, Feature = _number, Default = value });

    /// <summary>Adds the feature's texts.</summary>
    public void AddTexts(TextOutput output) =>
        _group.Texts.Add(output with { Feature = _number, Weights = Shape.Index, Place = Shape.Place });

    /// <summary>The feature's window.</summary>
    public Window Window => _group.Window;

    /// <summary>Milliseconds of the half-life.</summary>
    public double HalfLifeMs => Feature.HalfLife!.Value.TotalMilliseconds;

    /// <summary>Milliseconds of the feature's unit.</summary>
    public double UnitMs => (Feature.Unit ?? OperatorTable.Of(Feature.Op!.Value).Unit) switch
    {
        TimeUnit.Seconds => 1_000,
        TimeUnit.Minutes => 60_000,
        TimeUnit.Hours => 3_600_000,
        _ => Panes.DayMs,
    };

    private Column Column(ColumnKind kind, double setting, int input)
    {
        foreach (var column in _group.Columns)
            if (column.Kind == kind && column.Input == input && column.Setting == setting) return column;
        var rows = _group.Window.Rows;
        var text = setting == 0 ? $"{kind}" : string.Create(CultureInfo.InvariantCulture, $"{kind} {setting}ms");
        var slot = _layout.Reserve($"features/{_group.Window}/{text} of {_inputs.Text(input)}", Features.Column.Width(kind) * rows,
            $"{text} x {rows}");
        var added = new Column(kind, input, slot.Offset, setting);
        _group.Columns.Add(added);
        return added;
    }
}
