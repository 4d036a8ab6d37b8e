using System.Text;
using Cel;
using FsCheck;
using FsCheck.Fluent;
using StreamEngine.Events;
using StreamEngine.Expressions;
using Xunit;

namespace StreamEngine.Tests.Expressions;

/// <summary>
/// Expressions are a subset of CEL: whatever an independent implementation of CEL gives a value, has the same value here. Where CEL has an
/// error (a field that is absent, an overflow, a division by zero), and for functions that CEL does not have, there is nothing to compare.
/// </summary>
[Trait("Category", "Computing")]
public sealed class CelOracleTests
{
    [Theory]
    [InlineData(ExprType.Bool, 21)]
    [InlineData(ExprType.Int, 22)]
    [InlineData(ExprType.Double, 23)]
    [InlineData(ExprType.String, 24)]
    public void What_has_a_value_in_CEL_has_it_here(ExprType type, ulong seed)
    {
        var cel = new CelEnvironment(null, "");
        var cases = from depth in Gen.Choose(0, 4)
                    from tree in TreeGenerator.OfType(type, depth)
                    from contexts in TreeGenerator.Context().ArrayOf(5)
                    select (tree, contexts);
        var compared = 0;
        Check.One(ExpressionPropertyTests.Fixed(seed, 1_000), Prop.ForAll(Arb.From(cases), c =>
        {
            var run = ExpressionPropertyTests.Compiled(c.tree);
            foreach (var context in c.contexts)
            {
                object? expected;
                if (IsBeyondTheOracle(c.tree, context)) continue;
                try { expected = cel.Program(c.tree.Print(), Variables(context)); }
                catch (CelException) { continue; }
                compared++;
                var actual = run(context);
                if (!ExpressionPropertyTests.Same(expected is int size ? (long)size : expected!, actual))
                    throw new InvalidOperationException($"{c.tree} is {actual}, and in CEL {expected}");
            }
            return true;
        }));
        Assert.InRange(compared, 2_500, 5_000);
    }

    /// <summary>
    /// Where this implementation leaves CEL's definition: <c>has</c> says that a field with an empty text is absent, a double divided by
    /// zero is NaN, NaN is less than every number, and an integer is rounded before it is compared with a double.
    /// </summary>
    private static bool IsBeyondTheOracle(Tree tree, EvalContext context) =>
        tree.Value(context) is double and not (> double.NegativeInfinity and < double.PositiveInfinity)
        || Subject.Catalog.Fields.Any(f => f.Type == FieldType.String && context.Fields[f.Index] is { Present: true, Text.IsEmpty: true }
            && tree.Print() == $"has(event.{f.Name})")
        || tree is Infix { Left.Type: var left, Right.Type: var right } && left != right
            && tree.Parts.Any(p => p.Value(context) is long and (< -(1L << 53) or > 1L << 53))
        || tree.Parts.Any(p => IsBeyondTheOracle(p, context));

    private static Dictionary<string, object?> Variables(EvalContext context)
    {
        var fields = new Dictionary<string, object?> { ["type"] = Encoding.UTF8.GetString(context.Type.Text), ["time"] = context.Time };
        foreach (var field in Subject.Catalog.Fields)
            if (context.Fields[field.Index].Present) fields[field.Name] = Leaf.Of(field).Value(context);
        return new Dictionary<string, object?>
        {
            ["event"] = fields,
            ["features"] = Subject.Scope.Features!.Select((name, i) => (name, (object?)context.Features[context.FeatureBase + i]))
                .ToDictionary(),
            ["consent"] = Subject.Scope.Purposes!.Select((name, i) => (name, (object?)((context.Consent >> i & 1) == 1))).ToDictionary(),
            ["offer"] = Subject.Scope.Constants!.ToDictionary(c => c.Key["offer.".Length..], c => (object?)c.Value),
        };
    }
}
