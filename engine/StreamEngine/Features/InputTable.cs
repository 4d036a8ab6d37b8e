using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Expressions;

namespace StreamEngine.Features;

/// <summary>Collects the distinct conditions and operands while features are compiled.</summary>
internal sealed class InputTable(FieldCatalog fields, IReadOnlyList<string> purposes, ConfigErrors errors)
{
    private readonly Scope _scope = new() { Event = fields, Purposes = purposes };
    private readonly ConfigErrors _errors = errors;
    private readonly List<BoolExpr> _wheres = [];
    private readonly Dictionary<string, int> _whereByText = [];
    private readonly List<EventInput> _inputs = [];
    private readonly Dictionary<string, int> _byKey = [];
    private readonly List<string> _texts = [];
    private int _kept;

    /// <summary>The input of a feature.</summary>
    /// <param name="where">The condition; null for all events.</param>
    /// <param name="of">The operand; null for none.</param>
    /// <param name="scale">Digits of fixed-point sums; null takes the operand's own.</param>
    /// <returns>Its index, or -1 where an expression is wrong.</returns>
    public int Find(ExprText? where, ExprText? of, int? scale)
    {
        // Both are compiled, so that the mistakes of both are told.
        var condition = FindWhere(where);
        var operand = of is null ? new Operand(OperandKind.None, 0, 1, null, 0) : Compile(of, scale);
        var digits = operand is null or { Factor: 0 } ? "" : $" to {Math.Log10(operand.Factor):0} digits";
        return Find(condition, operand, of is null ? "events" : of.Text.Trim() + digits, where);
    }

    /// <summary>The input of a feature that takes the hash of a text or of a number.</summary>
    /// <param name="where">The condition; null for all events.</param>
    /// <param name="of">The operand.</param>
    /// <returns>Its index, or -1 where an expression is wrong.</returns>
    public int FindHashed(ExprText? where, ExprText of)
    {
        var condition = FindWhere(where);
        var operand = ExpressionCompiler.String(of, _scope, new ConfigErrors()) is { } text
            ? new Operand(OperandKind.Text, ExpressionCompiler.PlainField(of, _scope)?.Index ?? -1, 1, null, 0) { Text = text }
            : Compile(of, scale: null) is { } number ? number with { Hashed = true } : null;
        return Find(condition, operand, of.Text.Trim() + " hashed", where);
    }

    /// <summary>The input of a feature that keeps texts. Of a number, its digits are the text.</summary>
    /// <param name="where">The condition; null for all events.</param>
    /// <param name="of">The operand.</param>
    /// <param name="weight">What an event weighs; null for 1.</param>
    /// <param name="takesEmpty">Whether an empty text counts.</param>
    /// <returns>Its index, or -1 where an expression is wrong.</returns>
    public int FindKept(ExprText? where, ExprText of, ExprText? weight, bool takesEmpty)
    {
        var condition = FindWhere(where);
        var text = ExpressionCompiler.String(of, _scope, new ConfigErrors())
            ?? ExpressionCompiler.String(of with { Text = $"string({of.Text})" }, _scope, new ConfigErrors());
        // A mistake is told of the operand as it is written.
        if (text is null) ExpressionCompiler.String(of, _scope, _errors);
        var weighs = weight is null ? null : Compile(weight, scale: null);
        if (text is null || weight is not null && weighs is null) return -1;
        var operand = new Operand(OperandKind.Text, ExpressionCompiler.PlainField(of, _scope)?.Index ?? -1, 1, null, 0)
        {
            Text = text,
            Keep = _kept,
            Weight = weighs,
            TakesEmpty = takesEmpty,
        };
        var name = of.Text.Trim() + (takesEmpty ? " as text" : " as name") + (weight is null ? "" : $" weighing {weight.Text.Trim()}");
        var input = Find(condition, operand, name, where);
        if (input == _inputs.Count - 1 && _inputs[input].Operand.Keep == _kept) _kept++;
        return input;
    }

    /// <summary>Whether an operand is a text.</summary>
    public bool IsText(ExprText of) => ExpressionCompiler.String(of, _scope, new ConfigErrors()) is not null;

    /// <summary>Whether sums of the input are fixed point.</summary>
    public bool IsFixed(int input) => Factor(input) != 0;

    /// <summary>10^scale of the input's fixed-point sums; 0 where sums are in double precision.</summary>
    public double Factor(int input) => _inputs[input].Operand.Factor;

    /// <summary>What the input is, for names in the layout.</summary>
    public string Text(int input) => _texts[input];

    /// <summary>The collected inputs.</summary>
    public EventInputs Build() => new([.. _wheres], [.. _inputs]);

    private int Find(int condition, Operand? operand, string of, ExprText? where)
    {
        if (condition < -1 || operand is null) return -1;
        var text = of + (where is null ? "" : " where " + where.Text.Trim());
        if (_byKey.TryGetValue(text, out var known)) return known;
        _inputs.Add(new EventInput(condition, operand));
        _texts.Add(text);
        return _byKey[text] = _inputs.Count - 1;
    }

    /// <summary>The index of a condition; -1 for all events, -2 where it is wrong.</summary>
    private int FindWhere(ExprText? where)
    {
        if (where is null) return -1;
        var text = where.Text.Trim();
        if (_whereByText.TryGetValue(text, out var known)) return known;
        if (ExpressionCompiler.Bool(where, _scope, _errors) is not { } compiled) return -2;
        _wheres.Add(compiled);
        return _whereByText[text] = _wheres.Count - 1;
    }

    private Operand? Compile(ExprText of, int? scale)
    {
        if (ExpressionCompiler.Double(of, _scope, _errors) is not { } expression) return null;
        var factor = scale is { } digits ? Math.Pow(10, digits) : 0;
        // Of a plain field, an event without the field is told from one with a zero, and a decimal is taken in its own units.
        return ExpressionCompiler.PlainField(of, _scope) switch
        {
            { Type: FieldType.Double } field => new Operand(OperandKind.DoubleField, field.Index, 1, null, factor),
            { Type: FieldType.Int or FieldType.Timestamp } field =>
                new Operand(OperandKind.IntegerField, field.Index, 1, null, scale is null ? 1 : factor),
            { Type: FieldType.Decimal } field => Decimal(field, scale is null ? null : factor),
            _ => new Operand(OperandKind.Expression, 0, 1, expression, factor),
        };
    }

    private static Operand Decimal(Field field, double? factor)
    {
        var own = Math.Pow(10, field.Scale);
        return new Operand(OperandKind.IntegerField, field.Index, own, null, factor ?? own);
    }
}
