using System.Linq.Expressions;
using System.Runtime.InteropServices;
using StreamEngine.Events;
using E = System.Linq.Expressions.Expression;

namespace StreamEngine.Expressions;

/// <summary>Operators: logic, arithmetic, comparison, membership and choice.</summary>
internal sealed partial class Binder
{
    /// <summary>The longest list of texts that is compared one by one in the code; a longer one is searched in a loop.</summary>
    private const int LongestChain = 16;

    private Bound BindUnary(Unary unary)
    {
        if (unary.Operator == "!")
        {
            var flag = Bind(unary.Operand, ExprType.Bool, "the operand of '!'");
            return flag.IsFailed ? flag : Bound.Fold(ExprType.Bool, E.Not(flag.Emit()), flag);
        }
        var operand = Bind(unary.Operand);
        if (operand.IsFailed) return operand;
        if (!operand.IsNumber)
            return Error(unary.At, $"'-' takes a number, not {Name(operand.Type)}", Conversion(operand.Type, ExprType.Double));
        var code = operand.Type == ExprType.Double ? E.Negate(operand.Emit()) : Bound.Invoke(nameof(ExprOps.Negate), operand.Emit());
        return Bound.Fold(operand.Type, code, operand);
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
        if (op == "+" && left.Type == ExprType.String && right.Type == ExprType.String)
            return Error(binary.At, "texts are not joined at run time", "Only constants can be joined; compare the parts by themselves");
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
        return Bound.Fold(ExprType.Int, Bound.Invoke(method, left.Emit(), right.Emit()), left, right);
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
        return Bound.Fold(ExprType.Double, E.MakeBinary(kind, left.Emit(), right.Emit()), left, right);
    }

    private Bound BindComparison(Binary binary)
    {
        var (left, right) = (Bind(binary.Left), Bind(binary.Right));
        // A comparison is exact either way; an int constant that has a double is only faster as one.
        if (IsExact(left) && IsExact(right)) (left, right) = Aligned(left, right);
        if (left.IsFailed || right.IsFailed) return Bound.Failed;
        var kind = Relation(binary.Operator);
        if (left.Type != right.Type)
            return left.IsNumber && right.IsNumber
                ? CompareMixed(kind, left, right)
                : Error(binary.At, $"'{binary.Operator}' compares two values of one type, not {Name(left.Type)} and {Name(right.Type)}",
                Conversion(right.Type, left.Type));
        if (left.Type == ExprType.String) return CompareTexts(kind, left, right);
        var (l, r) = (left.Emit(), right.Emit());
        if (left.Type == ExprType.Bool && kind is not (ExpressionType.Equal or ExpressionType.NotEqual))
            (l, r) = (E.Condition(l, E.Constant(1), E.Constant(0)), E.Condition(r, E.Constant(1), E.Constant(0)));
        return Bound.Fold(ExprType.Bool, E.MakeBinary(kind, l, r), left, right);
    }

    /// <summary>An int with a double: on the number line, as CEL does.</summary>
    private static Bound CompareMixed(ExpressionType kind, Bound left, Bound right)
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
        return Bound.Fold(ExprType.Bool, test, left, right);
    }

    private static Bound CompareTexts(ExpressionType kind, Bound left, Bound right)
    {
        if (kind is not (ExpressionType.Equal or ExpressionType.NotEqual))
            return Bound.Fold(ExprType.Bool,
                E.MakeBinary(kind, Bound.Invoke(nameof(ExprOps.Compare), left.Emit(), right.Emit()), E.Constant(0)), left, right);
        if (left.Constant is not null) (left, right) = (right, left);
        var same = left.Place is { } place && right.Constant is byte[] literal
            ? IsText(place, literal)
            : Bound.Invoke(nameof(ExprOps.Same), left.Emit(), right.Emit());
        return Bound.Fold(ExprType.Bool, kind == ExpressionType.Equal ? same : E.Not(same), left, right);
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

    private Bound BindIn(Binary binary)
    {
        var value = Bind(binary.Left);
        if (binary.Right is not ListOf list)
        {
            Bind(binary.Right);
            return Error(binary.Right.Start, "'in' needs a list on its right side", "Write it as value in ['a', 'b']");
        }
        var items = list.Items.Select(i => Item(i, value)).ToList();
        if (value.IsFailed || items.Any(i => i.IsFailed)) return Bound.Failed;
        if (value.Place is { } place && items.Count is > 0 and <= LongestChain)
            return new Bound(ExprType.Bool, items.Select(i => IsText(place, (byte[])i.Constant!)).Aggregate(E.OrElse));
        E known = value.Type switch
        {
            ExprType.String => E.Constant(items.Select(i => (byte[])i.Constant!).ToArray()),
            ExprType.Int => E.Constant(items.Select(i => (long)i.Constant!).ToArray()),
            ExprType.Double => E.Constant(items.Select(i => (double)i.Constant!).ToArray()),
            _ => E.Constant(items.Select(i => (bool)i.Constant!).ToArray()),
        };
        return Bound.Fold(ExprType.Bool, Bound.Invoke(nameof(ExprOps.In), value.Emit(), known), value);
    }

    private Bound Item(Syntax syntax, Bound value)
    {
        var item = Bind(syntax);
        if (item.IsFailed || value.IsFailed) return item;
        if (item.Constant is null) return Error(syntax.Start, "a list holds constants only", "Compare with == and join by ||");
        if (value.Type == ExprType.Double) item = item.Widened();
        return item.Type == value.Type ? item
            : Error(syntax.Start, $"the list must hold {Name(value.Type)} like the value before 'in', not {Name(item.Type)}",
            Conversion(item.Type, value.Type));
    }

    private Bound BindConditional(Conditional conditional)
    {
        var test = Bind(conditional.Test, ExprType.Bool, "the test before '?'");
        var (then, otherwise) = Aligned(Bind(conditional.Then), Bind(conditional.Otherwise));
        if (test.IsFailed || then.IsFailed || otherwise.IsFailed) return Bound.Failed;
        if (then.Type != otherwise.Type)
            return Error(conditional.At, $"both values of a condition must have one type, not {Name(then.Type)} and {Name(otherwise.Type)}",
                Conversion(otherwise.Type, then.Type));
        if (test.Constant is bool known) return known ? then : otherwise;
        return new Bound(then.Type, E.Condition(test.Emit(), then.Emit(), otherwise.Emit()));
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
