using StreamEngine.Expressions;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Expressions;

/// <summary>What an expression reads, what it is, and that it allocates nothing.</summary>
public sealed class ExpressionReferenceTests
{
    [Fact]
    public void Names_are_found_everywhere_in_the_expression()
    {
        var found = ExpressionCompiler.References(
            "has(event.coupon) ? -max(features.a, features.b) > 1 : event.type in [offer.kind] && !(event.name.contains(event.part)) || "
                + "features.a > size(event.last) && consent.ads");
        Assert.Equal(["a", "b"], found.Features.Order());
        Assert.Equal(["coupon", "last", "name", "part", "type"], found.Event.Order());
        Assert.Equal(["ads"], found.Consent);
        Assert.Equal(["kind"], found.Of("offer"));
        Assert.Empty(ExpressionCompiler.References("1 +").Features);
    }

    [Theory]
    [InlineData("event.value", "value")]
    [InlineData("(event.name)", "name")]
    [InlineData("event.value + 0.0", null)]
    [InlineData("event.type", null)]
    [InlineData("event.unknown", null)]
    [InlineData("offer.price", null)]
    public void A_plain_field_is_recognised(string expression, string? name) =>
        Assert.Equal(name, ExpressionCompiler.PlainField(expression, Subject.Scope)?.Name);

    [Fact]
    public void Evaluating_allocates_nothing()
    {
        var context = Subject.Context();
        BoolExpr[] tests =
        [
            .. new[]
            {
                "event.type == 'purchase' && event.placement != 'a text of more than sixteen bytes'",
                "event.type in ['view', 'purchase'] || event.name in []",
                "event.name.contains('🚀') && size(event.name) == event.stock",
                "event.quantity / event.stock + int(event.value) > 3 && min(features.views_1h, 2) < event.quantity",
                "consent.ads && has(event.value) && log1p(event.value) < round(event.score)",
            }.Select(e => Subject.Compiled(ExpressionCompiler.Bool, e)),
        ];
        var text = Subject.Compiled(ExpressionCompiler.String, "has(event.coupon) ? event.coupon : event.gift ? event.name : 'none'");
        var run = () =>
        {
            var size = 0;
            for (var i = 0; i < 100; i++)
            {
                foreach (var test in tests) size += test(context) ? 1 : 0;
                size += text(context).Length;
            }
            return size;
        };
        run();
        Assert.Equal(0, Allocations.Least(() => run()));
    }
}
