using System.Collections.Concurrent;
using System.Numerics;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using StreamEngine.Events;
using StreamEngine.Expressions;

namespace StreamEngine.Tests.Expressions;

/// <summary>Random well-typed expressions, and random events and features for them to read.</summary>
internal static class TreeGenerator
{
    private static readonly long[] Ints = [0, 1, -1, 2, 3, 7, -10, 100, (1L << 53) + 1, long.MaxValue, long.MinValue, long.MinValue + 1];
    private static readonly double[] Doubles =
        [0, 1, -1, 0.5, 2.5, -2.5, 3, 1e-20, 1e19, -1e19, 9007199254740992, 9223372036854775808, double.MaxValue, double.Epsilon];
    private static readonly string[] Texts = ["", "a", "ab", "view", "click", "purchase", "purchasf", "product_view", "sixteen_bytes__!",
        "seventeen_bytes_!", "Zoë", "é", "🚀", "it's", "a\\b\n"];
    private static readonly string[] Relations = ["==", "!=", "<", "<=", ">", ">="];

    // Generators are built eagerly: without the memory their number grows with a power of the depth.
    private static readonly ConcurrentDictionary<(ExprType, int), Gen<Tree>> Made = new();

    public static Gen<Tree> OfType(ExprType type, int depth) => Made.GetOrAdd((type, depth), _ => Make(type, depth));

    private static Gen<Tree> Make(ExprType type, int depth)
    {
        var leaf = Leaves(type);
        if (depth == 0) return leaf;
        Gen<Tree> Inner(ExprType t) => OfType(t, depth - 1);
        var choice = from test in Inner(ExprType.Bool)
                     from then in Inner(type)
                     from otherwise in Inner(type)
                     select (Tree)new Choice(test,
            then, otherwise);
        return type switch
        {
            ExprType.Bool =>
                Gen.Frequency((2, leaf), (1, choice), (3, Logic(Inner)), (4, Compared(Inner)), (2, Member(Inner)), (2, TextTest(Inner))),
            ExprType.Int => Gen.Frequency((2, leaf), (1, choice), (5, OfInts(Inner)), (2, IntFunction(Inner))),
            ExprType.Double => Gen.Frequency((2, leaf), (1, choice), (5, OfDoubles(Inner)), (2, DoubleFunction(Inner))),
            _ => Gen.Frequency((3, leaf), (1, choice)),
        };
    }

    public static Gen<EvalContext> Context() =>
        from ints in Gen.Elements(Ints).ArrayOf(Subject.Catalog.Count)
        from doubles in Gen.Elements([.. Doubles, double.NaN, double.PositiveInfinity]).ArrayOf(Subject.Catalog.Count)
        from texts in Gen.Elements(Texts).ArrayOf(Subject.Catalog.Count + 1)
        from present in Gen.Elements(true, true, false).ArrayOf(Subject.Catalog.Count)
        from features in Gen.Elements([.. Doubles, double.NaN]).ArrayOf(7)
        from consent in Gen.Choose(0, 3)
        select Filled(ints, doubles, texts, present, features, consent);

    private static EvalContext Filled(long[] ints, double[] doubles, string[] texts, bool[] present, double[] features, int consent)
    {
        var context = new EvalContext
        {
            Fields = new FieldValue[ints.Length],
            Time = ints[0],
            Consent = (ulong)consent,
            Features = features,
            FeatureBase = 3
        };
        Subject.Set(ref context.Type, texts[^1]);
        foreach (var field in Subject.Catalog.Fields)
        {
            ref var value = ref context.Fields[field.Index];
            if (!present[field.Index]) continue;
            if (field.Type == FieldType.String) Subject.Set(ref value, texts[field.Index]);
            else if (field.Type == FieldType.Double) value.Set(doubles[field.Index]);
            else value.Set(field.Type == FieldType.Bool ? ints[field.Index] & 1 : ints[field.Index]);
        }
        return context;
    }

    private static Gen<Tree> Leaves(ExprType type)
    {
        var fields = Subject.Catalog.Fields.Select(Leaf.Of).Where(l => l.Type == type).ToList();
        var features = Subject.Scope.Features!
            .Select((name, i) => new Leaf(ExprType.Double, $"features.{name}", c => c.Features[c.FeatureBase + i]));
        IEnumerable<Leaf> more = type switch
        {
            ExprType.Bool =>
                [.. Subject.Scope.Purposes!.Select((name, i) => new Leaf(type, $"consent.{name}", c => (c.Consent >> i & 1) == 1)),
                .. Subject.Catalog.Fields.Select(f => new Leaf(type, $"has(event.{f.Name})", c => c.Fields[f.Index].Present)),
                    Leaf.Of(true), Leaf.Of(false)],
            ExprType.Int => [new Leaf(type, "event.time", c => c.Time), .. Ints.Select(i => Leaf.Of(i))],
            ExprType.Double => [.. features, .. Doubles.Select(d => Leaf.Of(d)), new Leaf(type, "offer.margin", _ => 0.25)],
            _ => [new Leaf(type, "event.type", c => Encoding.UTF8.GetString(c.Type.Text)), .. Texts.Select(t => Leaf.Of(t)),
                new Leaf(type, "offer.brand", _ => "acme")],
        };
        return Gen.Elements<Tree>([.. fields, .. fields, .. more]);
    }

    private static Gen<Tree> Logic(Func<ExprType, Gen<Tree>> inner) => Gen.OneOf(
        from operand in inner(ExprType.Bool) select (Tree)new Prefix("!", operand),
        from left in inner(ExprType.Bool) from right in inner(ExprType.Bool) select (Tree)new Infix(ExprType.Bool, 3, left, "&&", right),
        from left in inner(ExprType.Bool) from right in inner(ExprType.Bool) select (Tree)new Infix(ExprType.Bool, 2, left, "||", right));

    private static Gen<Tree> Compared(Func<ExprType, Gen<Tree>> inner) =>
        from types in Gen.Elements((ExprType.Int, ExprType.Int), (ExprType.Double, ExprType.Double), (ExprType.Int, ExprType.Double),
            (ExprType.Double, ExprType.Int),
            (ExprType.String, ExprType.String), (ExprType.String, ExprType.String), (ExprType.Bool, ExprType.Bool))
        from left in inner(types.Item1)
        from right in inner(types.Item2)
        from relation in Gen.Elements(Relations)
        select (Tree)new Infix(ExprType.Bool, 4, left, relation, right);

    private static Gen<Tree> Member(Func<ExprType, Gen<Tree>> inner)
    {
        Gen<Tree> Of(ExprType type, IEnumerable<Leaf> known) =>
            from item in inner(type)
            from count in Gen.Choose(0, 20)
            from list in Gen.Elements(known)
                .ArrayOf(count)
            select (Tree)new Membership(item, list, Subject.Context());
        return Gen.OneOf(Of(ExprType.String, Texts.Select(t => Leaf.Of(t))), Of(ExprType.Int, Ints.Select(i => Leaf.Of(i))),
            Of(ExprType.Double, Doubles.Select(d => Leaf.Of(d))));
    }

    private static Gen<Tree> TextTest(Func<ExprType, Gen<Tree>> inner) =>
        from text in inner(ExprType.String)
        from part in inner(ExprType.String)
        from test in Gen.Elements<(string, Func<object[], object>)>(
            ("{0}.startsWith({1})", a => ((string)a[0]).StartsWith((string)a[1], StringComparison.Ordinal)),
            ("{0}.endsWith({1})", a => ((string)a[0]).EndsWith((string)a[1], StringComparison.Ordinal)),
            ("{0}.contains({1})", a => ((string)a[0]).Contains((string)a[1], StringComparison.Ordinal)))
        select (Tree)new Function(ExprType.Bool, test.Item1, [text, part], test.Item2);

    // A divisor is a field: a constant zero is an error, and what folds to zero isn't seen here.
    private static Gen<Tree> OfInts(Func<ExprType, Gen<Tree>> inner) => Gen.OneOf(
        from operand in inner(ExprType.Int) select (Tree)new Prefix("-", operand),
        from left in inner(ExprType.Int)
        from op in Gen.Elements(("+", 5), ("-", 5), ("*", 6))
        from right in inner(ExprType.Int)
        select (Tree)new Infix(ExprType.Int, op.Item2, left, op.Item1, right),
        from left in inner(ExprType.Int)
        from op in Gen.Elements("/", "%")
        from right in Gen.Elements("quantity", "stock", "seen")
        select (Tree)new Infix(ExprType.Int, 6, left, op, Leaf.Of(Subject.Catalog.Find(right)!)));

    // An int literal beside a double that is not a literal is widened.
    private static Gen<Tree> OfDoubles(Func<ExprType, Gen<Tree>> inner) => Gen.OneOf(
        from operand in inner(ExprType.Double) select (Tree)new Prefix("-", operand),
        from left in inner(ExprType.Double)
        from op in Gen.Elements(("+", 5), ("-", 5), ("*", 6), ("/", 6))
        from right in Gen.OneOf(inner(ExprType.Double), Gen.Elements(Ints).Select(i => (Tree)Leaf.Of(i)))
        select (Tree)new Infix(ExprType.Double, op.Item2, left, op.Item1, right));

    private static Gen<Tree> IntFunction(Func<ExprType, Gen<Tree>> inner) => Gen.OneOf(
        from a in inner(ExprType.Int)
        from b in inner(ExprType.Int)
        select (Tree)new Function(ExprType.Int, "min({0}, {1})", [a, b], v =>
            Math.Min((long)v[0], (long)v[1])),
        from a in inner(ExprType.Int)
        from b in inner(ExprType.Int)
        select (Tree)new Function(ExprType.Int, "max({0}, {1})", [a, b], v =>
            Math.Max((long)v[0], (long)v[1])),
        from a in inner(ExprType.Int)
        select (Tree)new Function(ExprType.Int, "abs({0})", [a], v =>
            (long)v[0] == long.MinValue ? long.MaxValue : Math.Abs((long)v[0])),
        from a in inner(ExprType.String)
        select (Tree)new Function(ExprType.Int, "size({0})", [a], v =>
            (long)((string)v[0]).EnumerateRunes().Count()),
        from a in inner(ExprType.Double) select (Tree)new Function(ExprType.Int, "int({0})", [a], v => Cut((double)v[0])));

    private static Gen<Tree> DoubleFunction(Func<ExprType, Gen<Tree>> inner) => Gen.OneOf(
        from a in inner(ExprType.Double)
        from b in inner(ExprType.Double)
        select (Tree)new Function(ExprType.Double, "min({0}, {1})",
            [a, b], v => Math.Min((double)v[0], (double)v[1])),
        from a in inner(ExprType.Double)
        from b in inner(ExprType.Double)
        select (Tree)new Function(ExprType.Double, "max({0}, {1})",
            [a, b], v => Math.Max((double)v[0], (double)v[1])),
        from a in inner(ExprType.Double) select (Tree)new Function(ExprType.Double, "abs({0})", [a], v => Math.Abs((double)v[0])),
        from a in inner(ExprType.Double) select (Tree)new Function(ExprType.Double, "floor({0})", [a], v => Math.Floor((double)v[0])),
        from a in inner(ExprType.Double) select (Tree)new Function(ExprType.Double, "ceil({0})", [a], v => Math.Ceiling((double)v[0])),
        from a in inner(ExprType.Double) select (Tree)new Function(ExprType.Double, "exp({0})", [a], v => Math.Exp((double)v[0])),
        from a in inner(ExprType.Int) select (Tree)new Function(ExprType.Double, "double({0})", [a], v => (double)(long)v[0]));

    private static long Cut(double value) => double.IsFinite(value) ? Tree.Saturated(new BigInteger(value)) : double.IsNaN(value) ? 0
        : value > 0 ? long.MaxValue : long.MinValue;
}
