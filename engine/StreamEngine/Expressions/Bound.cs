using System.Linq.Expressions;
using System.Reflection;
using StreamEngine.Events;

namespace StreamEngine.Expressions;

/// <summary>An expression with its type: either code, or a constant that is not code yet.</summary>
/// <param name="Type">The type.</param>
/// <param name="Code">The code; null for a constant.</param>
/// <param name="Constant">The constant: long, double, bool or, for a text, UTF-8 bytes.</param>
/// <param name="Place">For a text that is a field: the field, so that it can be compared in place.</param>
internal sealed record Bound(ExprType Type, Expression? Code, object? Constant = null, Expression? Place = null)
{
    /// <summary>What an expression with a reported error binds to: all that uses it stays silent.</summary>
    public static readonly Bound Failed = new(default, null);

    public bool IsFailed => Code is null && Constant is null;

    public bool IsNumber => Type is ExprType.Int or ExprType.Double;

    public static Bound Of(long value) => new(ExprType.Int, null, value);

    public static Bound Of(double value) => new(ExprType.Double, null, value);

    public static Bound Of(bool value) => new(ExprType.Bool, null, value);

    public static Bound Of(byte[] value) => new(ExprType.String, null, value);

    /// <summary>The code, or the constant as code.</summary>
    public Expression Emit() =>
        Code ?? (Constant is byte[] bytes ? Invoke(nameof(ExprOps.Text), Expression.Constant(bytes)) : Expression.Constant(Constant));

    /// <summary>An int constant as a double; anything else as it is. That is the only conversion without a call.</summary>
    public Bound Widened() => Constant is long value ? Of((double)value) : this;

    /// <summary>
    /// The result of an operation on these operands, computed now where all are constants. It runs the very code it would run later, so
    /// that both agree.
    /// </summary>
    public static Bound Fold(ExprType type, Expression code, params ReadOnlySpan<Bound> operands)
    {
        foreach (var operand in operands)
            if (operand.Constant is null) return new Bound(type, code);
        return type switch
        {
            ExprType.Bool => Of(Expression.Lambda<Func<bool>>(code).Compile()()),
            ExprType.Int => Of(Expression.Lambda<Func<long>>(code).Compile()()),
            _ => Of(Expression.Lambda<Func<double>>(code).Compile()()),
        };
    }

    /// <summary>A call of the <see cref="ExprOps"/> method that takes these arguments.</summary>
    public static Expression Invoke(string method, params Expression[] arguments)
    {
        foreach (var candidate in typeof(ExprOps).GetMember(method, MemberTypes.Method, BindingFlags.Public | BindingFlags.Static)
            .Cast<MethodInfo>())
            if (candidate.GetParameters().Select(p => p.ParameterType.IsByRef ? p.ParameterType.GetElementType() : p.ParameterType)
            .SequenceEqual(arguments.Select(a => a.Type)))
                return Expression.Call(candidate, arguments);
        throw new MissingMethodException(nameof(ExprOps), method);
    }

    /// <summary>The text in a field.</summary>
    public static Bound Text(Expression place) => new(ExprType.String, Invoke(nameof(ExprOps.Text), place), Place: place);

    /// <summary>A number or flag in a field; zero where the field is absent, because absent fields are cleared.</summary>
    public static Bound Value(Field field, Expression place)
    {
        var bits = Expression.Field(place, nameof(FieldValue.Bits));
        return field.Type switch
        {
            FieldType.String => Text(place),
            FieldType.Bool => new Bound(ExprType.Bool, Expression.NotEqual(bits, Expression.Constant(0L))),
            FieldType.Double =>
                new Bound(ExprType.Double, Expression.Call(typeof(BitConverter), nameof(BitConverter.Int64BitsToDouble), null, bits)),
            // Divided, not multiplied by the unit: 1999 / 100 is the double that 19.99 is, 1999 * 0.01 is its neighbour.
            FieldType.Decimal => new Bound(ExprType.Double,
                Expression.Divide(Expression.Convert(bits, typeof(double)), Expression.Constant(Math.Pow(10, field.Scale)))),
            _ => new Bound(ExprType.Int, bits),
        };
    }
}
