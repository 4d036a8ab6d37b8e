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

    /// <summary>
    /// The meaning of an expression; <see cref="Bound.Failed"/> where an error was reported, here or in a field's declaration.
    /// </summary>
    public Bound Bind(Syntax syntax) => syntax switch
    {
        Literal literal => OfConstant(literal.Value),
        Identifier name => Error(name.At, $"unknown name '{name.Name}'", NameRemedy(name.Name)),
        Selection selection => BindSelection(selection),
        Call call => BindCall(call),
        Unary unary => BindUnary(unary),
        Binary { Operator: "&&" or "||" } binary => BindLogic(binary),
        Binary { Operator: "in" } binary => BindIn(binary),
        Binary { Operator: "+" or "-" or "*" or "/" or "%" } binary => BindArithmetic(binary),
        Binary binary => BindComparison(binary),
        Conditional conditional => BindConditional(conditional),
        _ => Error(syntax.At, "a list is not a value here", "A list stands after 'in' only, e.g. event.type in ['view', 'purchase']"),
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

    private static string Name(ExprType type) => type switch
    {
        ExprType.Bool => "bool",
        ExprType.Int => "int",
        ExprType.Double => "double",
        _ => "string",
    };

    private static string Conversion(ExprType from, ExprType to) => (from, to) switch
    {
        (ExprType.Int, ExprType.Double) => "Convert it with double(...)",
        (ExprType.Double, ExprType.Int) => "Convert it with int(...), which cuts the fraction off",
        (ExprType.String, ExprType.Bool) => "Compare it with a text, e.g. event.type == 'purchase'",
        (_, ExprType.Bool) => "Compare it, e.g. event.value > 0",
        (_, ExprType.String) => "Quote a text: 'like this'",
        (ExprType.Bool, _) => "Choose a number by it: test ? 1 : 0",
        _ => "A text can't be converted to a number; declare the field as a number",
    };
}
