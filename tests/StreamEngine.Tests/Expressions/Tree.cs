using System.Globalization;
using System.Numerics;
using System.Text;
using StreamEngine.Events;
using StreamEngine.Expressions;

namespace StreamEngine.Tests.Expressions;

/// <summary>
/// A typed expression that prints itself and says its own value in the plainest way (boxed values, big integers): the oracle for the
/// compiler.
/// </summary>
/// <param name="Type">The type.</param>
/// <param name="Rank">How tightly the outermost operator binds: what stands below needs parentheses.</param>
internal abstract record Tree(ExprType Type, int Rank)
{
    public abstract string Print();

    public abstract object Value(EvalContext context);

    /// <summary>The trees below this one.</summary>
    public abstract IEnumerable<Tree> Parts { get; }

    public sealed override string ToString() => Print();

    protected static string In(Tree inner, int rank) => inner.Rank < rank ? $"({inner.Print()})" : inner.Print();

    public static long Saturated(BigInteger value) => value > long.MaxValue ? long.MaxValue : value < long.MinValue ? long.MinValue
        : (long)value;
}

internal sealed record Leaf(ExprType Type, string Text, Func<EvalContext, object> Read) : Tree(Type, 8)
{
    public override string Print() => Text;

    public override IEnumerable<Tree> Parts => [];

    public override object Value(EvalContext context) => Read(context);

    public static Leaf Of(object value) => value switch
    {
        long number => new(ExprType.Int, number.ToString(CultureInfo.InvariantCulture), _ => value),
        double number => new(ExprType.Double, Decimal(number), _ => value),
        bool flag => new(ExprType.Bool, flag ? "true" : "false", _ => value),
        string text => new(ExprType.String, Quoted(text), _ => value),
        _ => throw new ArgumentException("no literal", nameof(value)),
    };

    public static Leaf Of(Field field)
    {
        object Read(EvalContext context)
        {
            var value = context.Fields[field.Index];
            return field.Type switch
            {
                FieldType.String => value.Present ? Encoding.UTF8.GetString(value.Text) : "",
                FieldType.Double => value.Present ? value.Double : 0.0,
                FieldType.Decimal => value.Present ? value.Bits / Math.Pow(10, field.Scale) : 0.0,
                FieldType.Bool => value.Present && value.Bits != 0,
                _ => value.Present ? value.Bits : 0L,
            };
        }
        var type = field.Type switch
        {
            FieldType.String => ExprType.String,
            FieldType.Double or FieldType.Decimal => ExprType.Double,
            FieldType.Bool => ExprType.Bool,
            _ => ExprType.Int,
        };
        return new Leaf(type, $"event.{field.Name}", Read);
    }

    private static string Decimal(double number)
    {
        var text = number.ToString("R", CultureInfo.InvariantCulture);
        return text.Contains('.') || text.Contains('E') ? text : text + ".0";
    }

    private static string Quoted(string text)
    {
        var quoted = new StringBuilder("'");
        foreach (var rune in text.EnumerateRunes())
            quoted.Append(rune.Value switch
            {
                '\'' => "\\'",
                '\\' => "\\\\",
                < 32 => $"\\x{rune.Value:x2}",
                > 0x20000 =>
                $"\\U{rune.Value:x8}",
                _ => rune.ToString()
            });
        return quoted.Append('\'').ToString();
    }
}

internal sealed record Prefix(string Operator, Tree Operand) : Tree(Operand.Type, 7)
{
    public override string Print() => Operator + (Operand is Leaf ? $" {Operand.Print()}" : In(Operand, 7));

    public override IEnumerable<Tree> Parts => [Operand];

    public override object Value(EvalContext context) => Operand.Value(context) switch
    {
        bool flag => !flag,
        long number => Saturated(-(BigInteger)number),
        double number => -number,
        var other => throw new InvalidOperationException($"{Operator}{other}"),
    };
}

internal sealed record Infix(ExprType Type, int Rank, Tree Left, string Operator, Tree Right) : Tree(Type, Rank)
{
    public override string Print() => $"{In(Left, Rank)} {Operator} {In(Right, Rank + 1)}";

    public override IEnumerable<Tree> Parts => [Left, Right];

    public override object Value(EvalContext context)
    {
        if (Operator is "&&") return (bool)Left.Value(context) && (bool)Right.Value(context);
        if (Operator is "||") return (bool)Left.Value(context) || (bool)Right.Value(context);
        var (left, right) = (Left.Value(context), Right.Value(context));
        if (Type == ExprType.Int) return Saturated(OfInts((long)left, (long)right));
        if (Type == ExprType.Double) return OfDoubles(ToDouble(left), ToDouble(right));
        var order = Order(left, right);
        return Operator switch
        {
            "==" => order == 0,
            "!=" => order != 0,
            "<" => order < 0,
            "<=" => order <= 0,
            ">" => order > 0,
            _ =>
            order >= 0
        };
    }

    private BigInteger OfInts(BigInteger left, BigInteger right) => Operator switch
    {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        "/" => right == 0 ? 0 : BigInteger.Divide(left, right),
        _ => right == 0 ? 0 : BigInteger.Remainder(left, right),
    };

    private double OfDoubles(double left, double right) =>
        Operator switch { "+" => left + right, "-" => left - right, "*" => left * right, _ => left / right };

    private static double ToDouble(object value) => value is long number ? number : (double)value;

    /// <summary>The order of two values; null where one is NaN: then no relation holds but !=.</summary>
    private static int? Order(object left, object right) => (left, right) switch
    {
        (string a, string b) => Encoding.UTF8.GetBytes(a).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(b)),
        (bool a, bool b) => a.CompareTo(b),
        (long a, long b) => a.CompareTo(b),
        (double a, double b) => double.IsNaN(a) || double.IsNaN(b) ? null : a.CompareTo(b),
        (long a, double b) => double.IsNaN(b) ? null : double.IsInfinity(b) ? -Math.Sign(b) : Mixed(a, b),
        (double a, long b) => -Order(b, a),
        _ => throw new InvalidOperationException($"{left} ? {right}"),
    };

    // Both sides times 2^1100 are whole numbers.
    private static int Mixed(long a, double b)
    {
        var bits = BitConverter.DoubleToInt64Bits(b);
        var exponent = (int)(bits >> 52 & 0x7FF);
        BigInteger mantissa = (bits & 0xFFFFFFFFFFFFF) | (exponent > 0 ? 1L << 52 : 0);
        var exact = mantissa << (1100 + Math.Max(exponent, 1) - 1075);
        return ((BigInteger)a << 1100).CompareTo(b < 0 ? -exact : exact);
    }
}

internal sealed record Choice(Tree Test, Tree Then, Tree Otherwise) : Tree(Then.Type, 1)
{
    public override string Print() => $"{In(Test, 2)} ? {In(Then, 2)} : {Otherwise.Print()}";

    public override IEnumerable<Tree> Parts => [Test, Then, Otherwise];

    public override object Value(EvalContext context) => (bool)Test.Value(context) ? Then.Value(context) : Otherwise.Value(context);
}

internal sealed record Membership(Tree Item, IReadOnlyList<Leaf> List, EvalContext Any) : Tree(ExprType.Bool, 4)
{
    public override string Print() => $"{In(Item, 4)} in [{string.Join(", ", List)}]";

    public override IEnumerable<Tree> Parts => [Item];

    public override object Value(EvalContext context)
    {
        var item = Item.Value(context);
        return List.Any(l => item is double number ? number == (double)l.Value(Any) : item.Equals(l.Value(Any)));
    }
}

/// <summary>A call: how it is printed, and its value from its arguments' values.</summary>
internal sealed record Function(ExprType Type, string Format, IReadOnlyList<Tree> Arguments, Func<object[], object> Apply) : Tree(Type, 8)
{
    public override string Print() => string.Format(CultureInfo.InvariantCulture, Format,
        [.. Arguments.Select(a => In(a, Format[0] == '{' && a == Arguments[0] ? 8 : 0))]);

    public override IEnumerable<Tree> Parts => Arguments;

    public override object Value(EvalContext context) => Apply([.. Arguments.Select(a => a.Value(context))]);
}
