using System.Linq.Expressions;
using System.Runtime.InteropServices;
using StreamEngine.Events;
using StreamEngine.Expressions.Functions;
using E = System.Linq.Expressions.Expression;

namespace StreamEngine.Expressions;

/// <summary>Operators: logic, arithmetic, comparison, membership and choice.</summary>
internal sealed partial class Binder
{
    private Bound BindUnary(Unary unary)
    {
        if (unary.Operator == "!")
        {
            var flag = Bind(unary.Operand, ExprType.Bool, "the operand of '!'");
            return flag.IsFailed ? flag : Fold(unary.At, ExprType.Bool, E.Not(flag.Emit()), flag);
        }
        var operand = Bind(unary.Operand);
        if (operand.IsFailed) return operand;
        if (!operand.IsNumber)
            return Error(unary.At, $"'-' takes a number, not {Name(operand.Type)}", Conversion(operand.Type, ExprType.Double));
        var code = operand.Type == ExprType.Double ? E.Negate(operand.Emit()) : Bound.Invoke(nameof(ExprOps.Negate), operand.Emit());
        return Fold(unary.At, operand.Type, code, operand);
    }

    private Bound BindLogic(Binary binary)
    {
        var left = Bind(binary.Left, ExprType.Bool, $"the left side of '{binary.Operator}'");
        var right = Bind(binary.Right, ExprType.Bool, $"the right side of '{binary.Operator}'");
        if (left.IsFailed || right.IsFailed) return Bound.Failed;
        // One constant side decides, or falls away: expressions have no side effects.
        var decides = binary.Operator == "||";
        if (left.Constant is bool l) return l == decides ? left : right;
        if (right.Constant is bool r) return r == decides ? right : left;
        return new Bound(ExprType.Bool, decides ? E.OrElse(left.Emit(), right.Emit()) : E.AndAlso(left.Emit(), right.Emit()));
    }

    private Bound BindArithmetic(Binary binary)
    {
        var (left, right) = Aligned(Bind(binary.Left), Bind(binary.Right));
        if (left.IsFailed || right.IsFailed) return Bound.Failed;
        var op = binary.Operator;
        if (op == "+" && left.Constant is byte[] a && right.Constant is byte[] b) return Bound.Of([.. a, .. b]);
        if (op is "+" or "-" && BindSum(binary, left, right) is { } sum) return sum;
        if (!left.IsNumber || !right.IsNumber || left.Type != right.Type)
            return Error(binary.At, $"'{op}' takes two ints or two doubles, not {Name(left.Type)} and {Name(right.Type)}",
                left.IsNumber && right.IsNumber ? "Convert the int with double(...)"
                    : Conversion(left.IsNumber ? right.Type : left.Type, ExprType.Double));
        if (left.Type == ExprType.Double) return ArithmeticOfDoubles(binary, left, right);
        if (op is "/" or "%" && right.Constant is 0L)
            return Error(binary.Right.Start, "division of an int by zero", "Divide doubles for an infinity, or mend the divisor");
        var method = op switch
        {
            "+" => nameof(ExprOps.Add),
            "-" => nameof(ExprOps.Subtract),
            "*" => nameof(ExprOps.Multiply),
            "/" => nameof(ExprOps.Divide),
            _ => nameof(ExprOps.Remainder),
        };
        return Fold(binary.At, ExprType.Int, Bound.Invoke(method, left.Emit(), right.Emit()), left, right);
    }

    /// <summary>Sums and differences of texts, lists, timestamps and durations; null where the operands are none of these.</summary>
    private Bound? BindSum(Binary binary, Bound left, Bound right)
    {
        var (plus, at) = (binary.Operator == "+", binary.At);
        if (plus && left.Type == ExprType.String && right.Type == ExprType.String)
            return Fold(at, ExprType.String, Bound.Invoke(nameof(TextFunctions.Concat), left.Emit(), right.Emit()), left, right);
        if (plus && left.Type.IsList() && (left.Type.Fits(right.Type) || right.Type.Fits(left.Type)))
        {
            var both = Fold(at, left.Type == ExprTypes.EmptyList ? right.Type : left.Type,
                Bound.Invoke(nameof(ListFunctions.Concat), left.Emit(), right.Emit()), left, right);
            return both with { Millis = left.Millis == right.Millis ? left.Millis : Millis.Derived };
        }
        ExprType? type = (left.Type, right.Type) switch
        {
            (ExprType.Timestamp, ExprType.Duration) => ExprType.Timestamp,
            (ExprType.Duration, ExprType.Timestamp) when plus => ExprType.Timestamp,
            (ExprType.Timestamp, ExprType.Timestamp) when !plus => ExprType.Duration,
            (ExprType.Duration, ExprType.Duration) => ExprType.Duration,
            _ => null,
        };
        return type is not { } known ? null
            : Fold(at, known, Bound.Invoke(plus ? nameof(TimeFunctions.Add) : nameof(TimeFunctions.Subtract), left.Emit(), right.Emit()),
                left, right);
    }

    private Bound ArithmeticOfDoubles(Binary binary, Bound left, Bound right)
    {
        if (binary.Operator == "%")
            return Error(binary.At, "'%' takes two ints, not double and double", Conversion(ExprType.Double, ExprType.Int));
        var kind = binary.Operator switch
        {
            "+" => ExpressionType.Add,
            "-" => ExpressionType.Subtract,
            "*" => ExpressionType.Multiply,
            _ => ExpressionType.Divide,
        };
        return Fold(binary.At, ExprType.Double, E.MakeBinary(kind, left.Emit(), right.Emit()), left, right);
    }

    private Bound BindComparison(Binary binary)
    {
        var (left, right) = (Bind(binary.Left), Bind(binary.Right));
        // A comparison is exact either way; an int constant that has a double is only faster as one.
        if (IsExact(left) && IsExact(right)) (left, right) = Aligned(left, right);
        if (left.IsFailed || right.IsFailed) return Bound.Failed;
        var kind = Relation(binary.Operator);
        if (left.Type.IsList() && right.Type.IsList()) return CompareLists(binary, left, right);
        if (left.Type != right.Type)
            return left.IsNumber && right.IsNumber
                ? CompareMixed(binary.At, kind, left, right)
                : Error(binary.At, $"'{binary.Operator}' compares two values of one type, not {Name(left.Type)} and {Name(right.Type)}",
                Conversion(right.Type, left.Type));
        if (left.Type == ExprType.String) return CompareTexts(binary.At, kind, left, right);
        var (l, r) = (left.Emit(), right.Emit());
        if (left.Type == ExprType.Bool && kind is not (ExpressionType.Equal or ExpressionType.NotEqual))
            (l, r) = (E.Condition(l, E.Constant(1), E.Constant(0)), E.Condition(r, E.Constant(1), E.Constant(0)));
        return Fold(binary.At, ExprType.Bool, E.MakeBinary(kind, l, r), left, right);
    }

    /// <summary>An int with a double: on the number line, as CEL does.</summary>
    private Bound CompareMixed(int at, ExpressionType kind, Bound left, Bound right)
    {
        if (left.Type == ExprType.Double) (left, right, kind) = (right, left, Mirrored(kind));
        var order = Bound.Invoke(nameof(ExprOps.Compare), left.Emit(), right.Emit());
        // NaN compares as 2: only > and >= would take it for true.
        var test = kind switch
        {
            ExpressionType.GreaterThan => E.Equal(order, E.Constant(1)),
            ExpressionType.GreaterThanOrEqual => E.LessThan(E.Convert(order, typeof(uint)), E.Constant(2u)),
            _ => E.MakeBinary(kind, order, E.Constant(0)),
        };
        return Fold(at, ExprType.Bool, test, left, right);
    }

    private Bound CompareTexts(int at, ExpressionType kind, Bound left, Bound right)
    {
        if (kind is not (ExpressionType.Equal or ExpressionType.NotEqual))
            return Fold(at, ExprType.Bool,
                E.MakeBinary(kind, Bound.Invoke(nameof(ExprOps.Compare), left.Emit(), right.Emit()), E.Constant(0)), left, right);
        if (left.Constant is not null) (left, right) = (right, left);
        var same = left.Place is { } place && right.Constant is byte[] literal
            ? IsText(place, literal)
            : Bound.Invoke(nameof(ExprOps.Same), left.Emit(), right.Emit());
        return Fold(at, ExprType.Bool, kind == ExpressionType.Equal ? same : E.Not(same), left, right);
    }

    /// <summary>A field compared with a literal. Short literals become numbers in the code: no array to load, no loop.</summary>
    private static E IsText(E place, byte[] literal) => literal.Length switch
    {
        0 => E.Equal(E.Field(place, nameof(FieldValue.Length)), E.Constant(0)),
        >= 4 and < 8 => Bound.Invoke(nameof(ExprOps.IsText), place, E.Constant(literal.Length),
            E.Constant(MemoryMarshal.Read<uint>(literal)), E.Constant(MemoryMarshal.Read<uint>(literal.AsSpan(literal.Length - 4)))),
        >= 8 and <= 16 => Bound.Invoke(nameof(ExprOps.IsText), place, E.Constant(literal.Length),
            E.Constant(MemoryMarshal.Read<ulong>(literal)), E.Constant(MemoryMarshal.Read<ulong>(literal.AsSpan(literal.Length - 8)))),
        _ => Bound.Invoke(nameof(ExprOps.IsText), place, E.Constant(literal)),
    };

    private Bound BindConditional(Conditional conditional)
    {
        var test = Bind(conditional.Test, ExprType.Bool, "the test before '?'");
        var (then, otherwise) = Aligned(Bind(conditional.Then), Bind(conditional.Otherwise));
        if (test.IsFailed || then.IsFailed || otherwise.IsFailed) return Bound.Failed;
        if (!then.Type.Fits(otherwise.Type) && !otherwise.Type.Fits(then.Type))
            return Error(conditional.At, $"both values of a condition must have one type, not {Name(then.Type)} and {Name(otherwise.Type)}",
                Conversion(otherwise.Type, then.Type));
        if (test.Constant is bool known) return known ? then : otherwise;
        var millis = then.Millis == otherwise.Millis ? then.Millis : Millis.Derived;
        return new Bound(then.Type == ExprTypes.EmptyList ? otherwise.Type : then.Type,
            E.Condition(test.Emit(), then.Emit(), otherwise.Emit()))
        { Millis = millis };
    }

    /// <summary>Widens an int constant where the other side is a double.</summary>
    private static (Bound Left, Bound Right) Aligned(Bound left, Bound right) =>
        (right.Type == ExprType.Double && !right.IsFailed ? left.Widened() : left, left.Type == ExprType.Double && !left.IsFailed
            ? right.Widened() : right);

    private static bool IsExact(Bound bound) => bound.Constant is not (> 1L << 53 or < -(1L << 53));

    private static ExpressionType Relation(string op) => op switch
    {
        "==" => ExpressionType.Equal,
        "!=" => ExpressionType.NotEqual,
        "<" => ExpressionType.LessThan,
        "<=" => ExpressionType.LessThanOrEqual,
        ">" => ExpressionType.GreaterThan,
        _ => ExpressionType.GreaterThanOrEqual,
    };

    private static ExpressionType Mirrored(ExpressionType kind) => kind switch
    {
        ExpressionType.LessThan => ExpressionType.GreaterThan,
        ExpressionType.LessThanOrEqual => ExpressionType.GreaterThanOrEqual,
        ExpressionType.GreaterThan => ExpressionType.LessThan,
        ExpressionType.GreaterThanOrEqual => ExpressionType.LessThanOrEqual,
        _ => kind,
    };
}
