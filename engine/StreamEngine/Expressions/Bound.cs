using System.Linq.Expressions;
using System.Reflection;
using StreamEngine.Events;
using StreamEngine.Expressions.Functions;

namespace StreamEngine.Expressions;

/// <summary>An expression with its type: either code, or a constant that is not code yet.</summary>
/// <param name="Type">The type.</param>
/// <param name="Code">The code; null for a constant.</param>
/// <param name="Constant">
/// The constant: long, double, bool, a DateTime or TimeSpan; for a text its UTF-8 bytes, for a list its cells.
/// </param>
/// <param name="Place">For a text that is a field: the field, so that it can be compared in place.</param>
internal sealed record Bound(ExprType Type, Expression? Code, object? Constant = null, Expression? Place = null)
{
    /// <summary>What an expression with a reported error binds to: all that uses it stays silent.</summary>
    public static readonly Bound Failed = new(default, null);

    private static readonly Type[] Homes = [typeof(ExprOps), typeof(TextFunctions), typeof(TimeFunctions), typeof(ListFunctions),
        typeof(VectorFunctions)];

    public bool IsFailed => Code is null && Constant is null;

    public bool IsNumber => Type is ExprType.Int or ExprType.Double;

    public static Bound Of(long value) => new(ExprType.Int, null, value);

    public static Bound Of(double value) => new(ExprType.Double, null, value);

    public static Bound Of(bool value) => new(ExprType.Bool, null, value);

    public static Bound Of(byte[] value) => new(ExprType.String, null, value);

    /// <summary>The code, or the constant as code.</summary>
    public Expression Emit() => Code ?? Constant switch
    {
        byte[] bytes => Invoke(nameof(ExprOps.Text), Expression.Constant(bytes)),
        FieldValue[] cells => Expression.New(typeof(ListValue).GetConstructor([typeof(FieldValue[])])!, Expression.Constant(cells)),
        _ => Expression.Constant(Constant),
    };

    /// <summary>Whether an int counts milliseconds since 1970, as the engine's times do.</summary>
    public Millis Millis { get; init; }

    /// <summary>An int constant as a double; anything else as it is. That is the only conversion without a call.</summary>
    public Bound Widened() => Constant is long value ? Of((double)value) : this;

    /// <summary>A call of the method that takes these arguments, among the operators and the functions.</summary>
    public static Expression Invoke(string method, params Expression[] arguments)
    {
        foreach (var candidate in Homes.SelectMany(t => t.GetMember(method, MemberTypes.Method, BindingFlags.Public | BindingFlags.Static))
            .Cast<MethodInfo>())
            if (candidate.GetParameters().Select(p => p.ParameterType.IsByRef ? p.ParameterType.GetElementType() : p.ParameterType)
                .SequenceEqual(arguments.Select(a => a.Type)))
                return Expression.Call(candidate, arguments);
        throw new MissingMethodException(nameof(ExprOps), method);
    }

    /// <summary>The text in a field.</summary>
    public static Bound Text(Expression place) => new(ExprType.String, Invoke(nameof(ExprOps.Text), place), Place: place);

    /// <summary>The variable of a macro: a cell of a list of this type's values.</summary>
    public static Bound Item(ExprType type, Expression cell) => type switch
    {
        ExprType.String => Text(cell),
        ExprType.Bool => new Bound(type, Invoke(nameof(ListFunctions.AsBool), cell)),
        ExprType.Int => new Bound(type, Expression.Field(cell, nameof(FieldValue.Bits))),
        ExprType.Double => new Bound(type, Invoke(nameof(ListFunctions.AsDouble), cell)),
        ExprType.Timestamp => new Bound(type, Invoke(nameof(ListFunctions.AsTimestamp), cell)),
        _ => new Bound(type, Invoke(nameof(ListFunctions.AsDuration), cell)),
    };

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
            _ => new Bound(ExprType.Int, bits) { Millis = field.Type == FieldType.Timestamp ? Millis.Instant : Millis.No },
        };
    }
}

/// <summary>
/// Whether an int counts milliseconds: CEL's <c>timestamp(int)</c> takes seconds, and must not take the engine's own times for them.
/// </summary>
internal enum Millis
{
    /// <summary>No, as far as is known.</summary>
    No,

    /// <summary>A point in time, as the event has it.</summary>
    Instant,

    /// <summary>Computed from one.</summary>
    Derived,
}
