using System.Text;
using FsCheck;
using FsCheck.Fluent;
using StreamEngine.Configuration;
using StreamEngine.Expressions;
using Xunit;

namespace StreamEngine.Tests.Expressions;

/// <summary>Random expressions: printed, compiled and run, against the tree's own value.</summary>
public sealed class ExpressionPropertyTests
{
    [Theory]
    [InlineData(ExprType.Bool, 11)]
    [InlineData(ExprType.Int, 12)]
    [InlineData(ExprType.Double, 13)]
    [InlineData(ExprType.String, 14)]
    public void A_compiled_expression_has_the_value_of_its_tree(ExprType type, ulong seed)
    {
        var cases = from depth in Gen.Choose(0, 4)
                    from tree in TreeGenerator.OfType(type, depth)
                    from contexts in TreeGenerator.Context()
            .ArrayOf(5)
                    select (tree, contexts);
        Check.One(Fixed(seed, 250), Prop.ForAll(Arb.From(cases), c =>
        {
            var run = Compiled(c.tree);
            foreach (var context in c.contexts)
            {
                var (expected, actual) = (c.tree.Value(context), run(context));
                if (!Same(expected, actual)) throw new InvalidOperationException($"{c.tree} is {actual}, not {expected}");
            }
            return true;
        }));
    }

    [Fact]
    public void No_text_makes_the_compiler_throw()
    {
        var pieces = Gen.Elements("event", ".", "type", "value", "==", "in", "[", "]", "(", ")", "'", "\"", "'a'", "\\", "1", "0x", "1e",
            ".5", "-", "!", "&&", "?", ":", "has", "size", ",", " ", "\n", "é", "\ud800", "null", "r'", "'''", "//");
        Check.One(Fixed(15, 1_000), Prop.ForAll(Arb.From(pieces.ArrayOf()), p =>
        {
            var errors = new ConfigErrors();
            var compiled = ExpressionCompiler.Bool(string.Concat(p), Subject.Scope, errors);
            return compiled is null == errors.Any;
        }));
    }

    internal static Config Fixed(ulong seed, int tests) =>
        Config.QuickThrowOnFailure.WithReplay(new Replay(new Rnd(seed, 1), null)).WithMaxTest(tests);

    /// <summary>The expression as the engine runs it; an integer's value comes as a double.</summary>
    internal static Func<EvalContext, object> Compiled(Tree tree)
    {
        switch (tree.Type)
        {
            case ExprType.Bool:
                var test = Subject.Compiled(ExpressionCompiler.Bool, tree.Print());
                return c => test(c);
            case ExprType.String:
                var text = Subject.Compiled(ExpressionCompiler.String, tree.Print());
                return c => Encoding.UTF8.GetString(text(c));
            default:
                var number = Subject.Compiled(ExpressionCompiler.Double, tree.Print());
                return c => number(c);
        }
    }

    internal static bool Same(object expected, object actual) =>
        (expected is long number ? (double)number : expected).Equals(actual);
}
