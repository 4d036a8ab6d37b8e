using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Expressions;

namespace StreamEngine.Features;

/// <summary>Collects the distinct conditions and operands while features are compiled.</summary>
internal sealed class InputTable(FieldCatalog fields, IReadOnlyList<string> purposes, ConfigErrors errors)
{
    private readonly Scope _scope = new() { Event = fields, Purposes = purposes };
    private readonly ConfigErrors _errors = errors;
    private readonly List<(BoolExpr Where, int Part)> _wheres = [];
    private readonly List<ItemList> _lists = [];
    private readonly Dictionary<string, int> _whereByText = [];
    private readonly List<EventInput> _inputs = [];
    private readonly Dictionary<string, int> _byKey = [];
    private readonly List<string> _texts = [];
    private int _kept;

    /// <summary>The input of a feature.</summary>
    /// <param name="where">The condition; null for all events.</param>
    /// <param name="of">The operand; null for none.</param>
    /// <param name="scale">Digits of fixed-point sums; null takes the operand's own.</param>
    /// <param name="over">The list whose items it takes; null for events.</param>
    /// <returns>Its index, or -1 where an expression is wrong.</returns>
    public int Find(ExprText? where, ExprText? of, int? scale, Field? over = null)
    {
        // Both are compiled, so that the mistakes of both are told.
        var condition = FindWhere(where, over);
        var operand = of is null ? new Operand(OperandKind.None, 0, 1, null, 0) : Compile(of, scale, over);
        var digits = operand is null or { Factor: 0 } ? "" : $" to {Math.Log10(operand.Factor):0} digits";
        return Find(condition, operand, of is null ? "events" : of.Text.Trim() + digits, where, over);
    }

    /// <summary>The input of a feature that takes the hash of a text or of a number.</summary>
    /// <param name="where">The condition; null for all events.</param>
    /// <param name="of">The operand.</param>
    /// <param name="over">The list whose items it takes; null for events.</param>
    /// <returns>Its index, or -1 where an expression is wrong.</returns>
    public int FindHashed(ExprText? where, ExprText of, Field? over)
    {
        var condition = FindWhere(where, over);
        var operand = ExpressionCompiler.String(of, ScopeOf(over), new ConfigErrors()) is { } text
            ? TextOperand(of, text, over)
            : Compile(of, scale: null, over) is { } number ? number with { Hashed = true } : null;
        return Find(condition, operand, of.Text.Trim() + " hashed", where, over);
    }

    /// <summary>The input of a feature that keeps texts. Of a number, its digits are the text.</summary>
    /// <param name="where">The condition; null for all events.</param>
    /// <param name="of">The operand.</param>
    /// <param name="weight">What an event weighs; null for 1.</param>
    /// <param name="takesEmpty">Whether an empty text counts.</param>
    /// <param name="over">The list whose items it takes; null for events.</param>
    /// <returns>Its index, or -1 where an expression is wrong.</returns>
    public int FindKept(ExprText? where, ExprText of, ExprText? weight, bool takesEmpty, Field? over)
    {
        var condition = FindWhere(where, over);
        var scope = ScopeOf(over);
        var text = ExpressionCompiler.String(of, scope, new ConfigErrors())
            ?? ExpressionCompiler.String(of with { Text = $"string({of.Text})" }, scope, new ConfigErrors());
        // A mistake is told of the operand as it is written.
        if (text is null) ExpressionCompiler.String(of, scope, _errors);
        var weighs = weight is null ? null : Compile(weight, scale: null, over);
        if (text is null || weight is not null && weighs is null) return -1;
        var operand = TextOperand(of, text, over) with
        {
            Keep = _kept,
            Weight = weighs,
            TakesEmpty = takesEmpty,
        };
        var name = of.Text.Trim() + (takesEmpty ? " as text" : " as name") + (weight is null ? "" : $" weighing {weight.Text.Trim()}");
        var input = Find(condition, operand, name, where, over);
        if (input == _inputs.Count - 1 && _inputs[input].Operand.Keep == _kept) _kept++;
        return input;
    }

    /// <summary>Whether a feature's operand is a text.</summary>
    public bool IsText(FeatureOptions feature) =>
        TryOver(feature, new ConfigErrors(), out var over)
        && ExpressionCompiler.String(feature.Of!, ScopeOf(over), new ConfigErrors()) is not null;

    /// <summary>The list that a feature goes over, null for none; false, with the mistake told, where it names no list.</summary>
    public bool TryOver(FeatureOptions feature, ConfigErrors errors, out Field? over)
    {
        over = feature.Over is null ? null : ExpressionCompiler.List(feature.Over, _scope, errors);
        return over is not null || feature.Over is null;
    }

    /// <summary>Whether sums of the input are fixed point.</summary>
    public bool IsFixed(int input) => Factor(input) != 0;

    /// <summary>10^scale of the input's fixed-point sums; 0 where sums are in double precision.</summary>
    public double Factor(int input) => _inputs[input].Operand.Factor;

    /// <summary>What the input is, for names in the layout.</summary>
    public string Text(int input) => _texts[input];

    /// <summary>The collected inputs.</summary>
    public EventInputs Build() => new(_wheres, [.. _inputs], [.. _lists]);

    private int Find(int condition, Operand? operand, string of, ExprText? where, Field? over)
    {
        if (condition < -1 || operand is null) return -1;
        var text = of + (over is null ? "" : $" in event.{over.Name}") + (where is null ? "" : " where " + where.Text.Trim());
        if (_byKey.TryGetValue(text, out var known)) return known;
        _inputs.Add(new EventInput(condition, operand, Part(over)));
        _texts.Add(text);
        return _byKey[text] = _inputs.Count - 1;
    }

    /// <summary>The part of a list: 0 for events.</summary>
    private int Part(Field? over)
    {
        if (over is null) return 0;
        var list = new ItemList(over.Index, over.Items!.Count);
        if (!_lists.Contains(list)) _lists.Add(list);
        return _lists.IndexOf(list) + 1;
    }

    private Scope ScopeOf(Field? over) => over is null ? _scope : _scope with { Items = over.Items };

    /// <summary>The index of a condition; -1 for all events, -2 where it is wrong.</summary>
    private int FindWhere(ExprText? where, Field? over)
    {
        if (where is null) return -1;
        var text = $"{over?.Name}: {where.Text.Trim()}";
        if (_whereByText.TryGetValue(text, out var known)) return known;
        if (ExpressionCompiler.Bool(where, ScopeOf(over), _errors) is not { } compiled) return -2;
        _wheres.Add((compiled, Part(over)));
        return _whereByText[text] = _wheres.Count - 1;
    }

    private Operand TextOperand(ExprText of, StringExpr text, Field? over) =>
        new(OperandKind.Text, (PlainItem(of, over) ?? ExpressionCompiler.PlainField(of, _scope))?.Index ?? -1, 1, null, 0)
        {
            Text = text,
            IsOfItem = PlainItem(of, over) is not null,
        };

    private Field? PlainItem(ExprText of, Field? over) => ExpressionCompiler.PlainItem(of, ScopeOf(over));

    private Operand? Compile(ExprText of, int? scale, Field? over)
    {
        if (ExpressionCompiler.Double(of, ScopeOf(over), _errors) is not { } expression) return null;
        var factor = scale is { } digits ? Math.Pow(10, digits) : 0;
        var item = PlainItem(of, over);
        // Of a plain field, an event without the field is told from one with a zero, and a decimal is taken in its own units.
        return (item ?? ExpressionCompiler.PlainField(of, _scope)) switch
        {
            { Type: FieldType.Double } field =>
                new Operand(OperandKind.DoubleField, field.Index, 1, null, factor) { IsOfItem = item is not null },
            { Type: FieldType.Int or FieldType.Timestamp } field =>
                new Operand(OperandKind.IntegerField, field.Index, 1, null, scale is null ? 1 : factor) { IsOfItem = item is not null },
            { Type: FieldType.Decimal } field => Decimal(field, scale is null ? null : factor) with { IsOfItem = item is not null },
            _ => new Operand(OperandKind.Expression, 0, 1, expression, factor),
        };
    }

    private static Operand Decimal(Field field, double? factor)
    {
        var own = Math.Pow(10, field.Scale);
        return new Operand(OperandKind.IntegerField, field.Index, own, null, factor ?? own);
    }
}
