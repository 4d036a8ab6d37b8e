using System.Linq.Expressions;
using System.Text;
using E = System.Linq.Expressions.Expression;

namespace StreamEngine.Expressions;

/// <summary>
/// Gives an expression's names and operators their meaning, as code; reports every name and type error it meets, not only the first.
/// </summary>
internal sealed partial class Binder(Scope scope, Action<int, string, string> report)
{
    /// <summary>The parameter of the code.</summary>
    public ParameterExpression Context { get; } = E.Parameter(typeof(EvalContext), "context");

    /// <summary>Whether the code makes texts or lists: then it begins with <see cref="Scratch.Begin"/>.</summary>
    public bool MakesValues { get; private set; }

    /// <summary>
    /// The meaning of an expression; <see cref="Bound.Failed"/> where an error was reported, here or in a field's declaration.
    /// </summary>
    public Bound Bind(Syntax syntax) => syntax switch
    {
        Literal literal => OfConstant(literal.Value),
        Identifier name when _variables.TryGetValue(name.Name, out var variable) => variable.Read(this),
        Identifier { Name: "item" } when scope.Items is { IsSingle: true } items =>
            Bound.Value(items.Fields[0], ItemPlace(items.Fields[0])),
        Identifier name => Error(name.At, $"unknown name '{name.Name}'", NameRemedy(name.Name)),
        Selection selection => BindSelection(selection),
        Call call => BindCall(call),
        Unary unary => BindUnary(unary),
        Binary { Operator: "&&" or "||" } binary => BindLogic(binary),
        Binary { Operator: "in" } binary => BindIn(binary),
        Binary { Operator: "+" or "-" or "*" or "/" or "%" } binary => BindArithmetic(binary),
        Binary binary => BindComparison(binary),
        Conditional conditional => BindConditional(conditional),
        Indexed indexed => BindIndexed(indexed),
        ListOf list => BindList(list),
        _ => throw new ArgumentException($"{syntax.GetType()} has no meaning.", nameof(syntax)),
    };

    /// <summary>
    /// The meaning of an expression that must have this type; an int constant is widened to double, with <paramref name="widen"/> any int.
    /// </summary>
    public Bound Bind(Syntax syntax, ExprType type, string what, bool widen = false)
    {
        var bound = Bind(syntax);
        if (bound.IsFailed) return bound;
        if (type == ExprType.Double) bound = bound.Widened();
        if (bound.Type == type) return bound;
        if (widen && type == ExprType.Double && bound.Type == ExprType.Int) return new Bound(type, E.Convert(bound.Emit(), typeof(double)));
        return Error(syntax.Start, $"{what} must be {Name(type)}, not {Name(bound.Type)}", Conversion(bound.Type, type));
    }

    private Bound Error(int at, string message, string remedy)
    {
        report(at, message, remedy);
        return Bound.Failed;
    }

    private static Bound OfConstant(object value) => value switch
    {
        long or int => Bound.Of(Convert.ToInt64(value)),
        double number => Bound.Of(number),
        bool flag => Bound.Of(flag),
        string text => Bound.Of(Encoding.UTF8.GetBytes(text)),
        _ => throw new ArgumentException($"A constant of type {value.GetType()} has no type in expressions.", nameof(value)),
    };

    /// <summary>
    /// The result of an operation on these operands, computed now where all are constants. It runs the very code it would run later, so
    /// that both agree; an evaluation error among constants is a mistake of the config.
    /// </summary>
    private Bound Fold(int at, ExprType type, E code, params ReadOnlySpan<Bound> operands)
    {
        var (known, millis) = (true, Millis.No);
        foreach (var operand in operands)
        {
            known &= operand.Constant is not null;
            if (type == ExprType.Int && operand.Millis != Millis.No) millis = Millis.Derived;
        }
        return known ? Evaluate(at, type, code) : Made(new Bound(type, code) { Millis = millis });
    }

    private Bound Evaluate(int at, ExprType type, E code)
    {
        object? value = null;
        var fault = ExprFault.During(() =>
        {
            Scratch.Begin();
            value = Value(type, code, new EvalContext());
        });
        return fault is null ? new Bound(type, null, value) : Error(at, fault, "Mend the constants of the expression");
    }

    private object Value(ExprType type, E code, EvalContext context)
    {
        switch (type)
        {
            case ExprType.Bool: return Compile<BoolExpr>(code)(context);
            case ExprType.Int: return Compile<IntExpr>(code)(context);
            case ExprType.Double: return Compile<DoubleExpr>(code)(context);
            case ExprType.String: return Compile<StringExpr>(code)(context).ToArray();
            case ExprType.Timestamp: return Compile<TimestampExpr>(code)(context);
            case ExprType.Duration: return Compile<DurationExpr>(code)(context);
        }
        var cells = Compile<ListExpr>(code)(context).Cells.ToArray();
        // The texts lie in the scratch, which the next expression uses again.
        foreach (ref var cell in cells.AsSpan())
            if (cell.Buffer is not null) cell.Set(cell.Text.ToArray(), 0, cell.Length);
        return cells;
    }

    private T Compile<T>(E code) where T : Delegate => E.Lambda<T>(code, Context).Compile();

    /// <summary>Notes that a text or a list is made while the expression runs.</summary>
    private Bound Made(Bound bound)
    {
        MakesValues |= bound.Type == ExprType.String || bound.Type.IsList();
        return bound;
    }

    private static string Name(ExprType type) => type.Name();

    private static string Conversion(ExprType from, ExprType to) => (from, to) switch
    {
        (ExprType.Int, ExprType.Double) => "Convert it with double(...)",
        (ExprType.Double, ExprType.Int) => "Convert it with int(...), which cuts the fraction off",
        (ExprType.String, ExprType.Bool) => "Compare it with a text, e.g. event.type == 'purchase'",
        (_, ExprType.Bool) => "Compare it, e.g. event.value > 0",
        (_, ExprType.String) => "Quote a text: 'like this'",
        (ExprType.Bool, _) => "Choose a number by it: test ? 1 : 0",
        (ExprType.String, ExprType.Int or ExprType.Double) => "Declare the field as a number, or convert the text with double(...)",
        _ => "Give both sides one type",
    };
}
