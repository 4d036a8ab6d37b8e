using StreamEngine.Expressions;
using Xunit;

namespace StreamEngine.Tests.Expressions;

/// <summary>
/// Expressions with the values that the CEL specification gives them, and the few that are ours (absent fields, saturation).
/// </summary>
public sealed class ExpressionValueTests
{
    [Theory]
    [InlineData("true || false && false", true)]
    [InlineData("(true || false) && false", false)]
    [InlineData("!true || true", true)]
    [InlineData("!!true", true)]
    [InlineData("event.type == 'purchase'", true)]
    [InlineData("'purchase' == event.type", true)]
    [InlineData("event.type == 'purchasf'", false)]
    [InlineData("event.type == 'purchas'", false)]
    [InlineData("event.type != 'view'", true)]
    [InlineData("event.type == ''", false)]
    [InlineData("event.type == event.placement", false)]
    [InlineData("event.type in ['view', 'purchase']", true)]
    [InlineData("event.type in ['view', \"click\"]", false)]
    [InlineData("event.type in []", false)]
    [InlineData("event.quantity in [1, 2, 3]", true)]
    [InlineData("event.score in [1, 0.75]", true)]
    [InlineData("event.returning in [false]", false)]
    [InlineData("event.value == 19.99", true)]
    [InlineData("event.value > 3", true)]
    [InlineData("3 < event.value", true)]
    [InlineData("event.value > event.quantity", true)]
    [InlineData("event.quantity >= event.value", false)]
    [InlineData("event.quantity == 3.0", true)]
    [InlineData("event.quantity < 3.5", true)]
    [InlineData("9007199254740993 > 9007199254740992.0", true)] // compared on the number line: as a double the int would round
    [InlineData("features.views_1h < 9223372036854775807", true)]
    [InlineData("event.value < offer.price", true)]
    [InlineData("offer.new && offer.brand == 'acme'", true)]
    [InlineData("event.returning", true)]
    [InlineData("event.returning == true", true)]
    [InlineData("event.returning > event.gift", true)]
    [InlineData("consent.ads && !consent.analytics", true)]
    [InlineData("features.views_1h == 5.0 && features.revenue_24h > 40", true)]
    [InlineData("features.nan == features.nan", false)]
    [InlineData("features.nan != features.nan", true)]
    [InlineData("features.nan > 1 || features.nan < 1 || features.nan >= 1 || features.nan <= 1", false)]
    [InlineData("event.quantity < features.nan || event.quantity > features.nan || event.quantity >= features.nan || event.quantity <= "
        + "features.nan || event.quantity == features.nan", false)]
    [InlineData("event.quantity != features.nan", true)]
    [InlineData("has(event.value) && !has(event.discount)", true)]
    [InlineData("has(event.type) && has(event.time)", true)]
    [InlineData("event.coupon == '' && event.stock == 0 && event.discount == 0 && !event.gift", true)]
    [InlineData("event.type.startsWith('pur') && event.type.endsWith('ase') && event.type.contains('rch')", true)]
    [InlineData("event.type.startsWith('') && event.type.contains('')", true)]
    [InlineData("event.type.startsWith('purchases')", false)]
    [InlineData("'abc' < 'abd' && 'ab' < 'abc' && 'Z' < 'a' && 'z' < 'é' && '\\uFFFF' < '\\U0001F600'", true)]
    [InlineData("event.placement < event.type", true)]
    [InlineData("event.placement >= event.type", false)]
    [InlineData("event.seen < event.time", true)]
    [InlineData("true ? false : true", false)]
    [InlineData("false ? true : false ? false : true", true)]
    [InlineData("event.quantity > 2 ? event.returning : event.gift", true)]
    [InlineData("1 < 2 == true", true)]
    [InlineData("1 + 2 * 3 == 7 && (1 + 2) * 3 == 9 && 7 - 2 - 1 == 4", true)]
    [InlineData("event . type == 'purchase' // a comment\n && true", true)]
    public void Bools(string expression, bool expected) => Assert.Equal(expected, Subject.Evaluate(expression, ExprType.Bool));

    [Theory]
    [InlineData("1", 1)]
    [InlineData("-1", -1)]
    [InlineData("- -1", 1)]
    [InlineData("0x1F", 31)]
    [InlineData("-0x10", -16)]
    [InlineData(".5", 0.5)]
    [InlineData("1e3", 1000)]
    [InlineData("1.5E-1", 0.15)]
    [InlineData("7 / 2", 3)]
    [InlineData("-7 / 2", -3)]
    [InlineData("-7 % 3", -1)]
    [InlineData("7 % -3", 1)]
    [InlineData("7.0 / 2", 3.5)]
    [InlineData("1 / 2.0", 0.5)]
    [InlineData("event.quantity * 2 + 1", 7)]
    [InlineData("event.quantity / event.stock", 0)]
    [InlineData("event.quantity % event.stock", 0)]
    [InlineData("event.score / features.zero", double.PositiveInfinity)]
    [InlineData("-event.score / features.zero", double.NegativeInfinity)]
    [InlineData("features.zero / features.zero", double.NaN)]
    [InlineData("double(event.quantity) * event.score", 2.25)]
    [InlineData("event.value * 2", 39.98)]
    [InlineData("event.value", 19.99)]
    [InlineData("event.discount", 0)]
    [InlineData("event.time - event.seen", 100_000)]
    [InlineData("offer.price * offer.margin", 5)]
    [InlineData("features.revenue_24h / max(features.views_1h, 1)", 8.1)]
    [InlineData("min(3, 1, 2)", 1)]
    [InlineData("max(event.quantity, 2)", 3)]
    [InlineData("min(event.score, 2)", 0.75)]
    [InlineData("max(1, 2.5)", 2.5)]
    [InlineData("abs(-3)", 3)]
    [InlineData("abs(-3.5)", 3.5)]
    [InlineData("floor(-1.5)", -2)]
    [InlineData("ceil(-1.5)", -1)]
    [InlineData("round(2.5)", 3)]
    [InlineData("round(-2.5)", -3)]
    [InlineData("floor(3)", 3)]
    [InlineData("log1p(0.0)", 0)]
    [InlineData("log1p(1e-20)", 1e-20)]
    [InlineData("log1p(-1)", double.NegativeInfinity)]
    [InlineData("exp(0)", 1)]
    [InlineData("int(3.99)", 3)]
    [InlineData("int(-3.99)", -3)]
    [InlineData("int(1e300) == 9223372036854775807 ? 1 : 0", 1)]
    [InlineData("int(-1e300) == -9223372036854775808 ? 1 : 0", 1)]
    [InlineData("int(features.nan)", 0)]
    [InlineData("9223372036854775807 + 1 == 9223372036854775807 ? 1 : 0", 1)]
    [InlineData("-9223372036854775808 - 1 == -9223372036854775808 ? 1 : 0", 1)]
    [InlineData("-9223372036854775808 * -1 == 9223372036854775807 ? 1 : 0", 1)]
    [InlineData("-9223372036854775808 / -1 == 9223372036854775807 ? 1 : 0", 1)]
    [InlineData("-(-9223372036854775808) == 9223372036854775807 ? 1 : 0", 1)]
    [InlineData("4611686018427387904 * -3 == -9223372036854775808 ? 1 : 0", 1)]
    [InlineData("size('')", 0)]
    [InlineData("size(event.name)", 5)]
    [InlineData("event.type.size()", 8)]
    [InlineData("event.gift ? 1 : 2.5", 2.5)]
    [InlineData("event.gift ? 2.5 : 1", 1)]
    public void Numbers(string expression, double expected) =>
        Assert.Equal(expected, (double)Subject.Evaluate(expression, ExprType.Double), 1e-12);

    [Theory]
    [InlineData("event.placement", "cart")]
    [InlineData("event.coupon", "")]
    [InlineData("event.type", "purchase")]
    [InlineData("'email'", "email")]
    [InlineData("\"it's\"", "it's")]
    [InlineData("'''a'b''c'''", "a'b''c")]
    [InlineData("\"\"\"two\nlines\"\"\"", "two\nlines")]
    [InlineData("r'a\\nb'", "a\\nb")]
    [InlineData("'a\\nb\\t\\\\\\'\\\"\\`\\?'", "a\nb\t\\'\"`?")]
    [InlineData("'\\x41\\u00e9\\U0001F600\\101'", "Aé😀A")]
    [InlineData("'\\303\\277'", "Ã¿")]
    [InlineData("'Zoë'", "Zoë")]
    [InlineData("'a' + 'b' + 'c'", "abc")]
    [InlineData("has(event.coupon) ? event.coupon : event.placement", "cart")]
    [InlineData("event.returning ? 'known' : 'new'", "known")]
    [InlineData("offer.brand", "acme")]
    public void Texts(string expression, string expected) => Assert.Equal(expected, Subject.Evaluate(expression, ExprType.String));

    [Fact]
    public void An_int_is_compared_with_a_double_without_rounding()
    {
        // 2^53 + 1 has no double: converted it would equal 2^53.
        var context = Subject.Context();
        context.Fields[2].Set((1L << 53) + 1);
        context.Features[1] = 1L << 53;
        Assert.True(Subject.Compiled(ExpressionCompiler.Bool, "event.quantity > features.views_1h")(context));
        Assert.False(Subject.Compiled(ExpressionCompiler.Bool, "features.views_1h == event.quantity")(context));
    }

    [Fact]
    public void A_literal_of_any_length_equals_itself_and_nothing_that_differs_in_one_byte()
    {
        var context = Subject.Context();
        for (var length = 0; length <= 40; length++)
        {
            var literal = string.Concat(Enumerable.Range(0, length).Select(i => (char)('a' + i % 26)));
            var same = Subject.Compiled(ExpressionCompiler.Bool, $"event.type == '{literal}'");
            var listed = Subject.Compiled(ExpressionCompiler.Bool, $"event.type in ['', '{literal}', 'other']");
            for (var at = -1; at < length; at++)
            {
                var text = literal.ToCharArray();
                if (at >= 0) text[at] = '_';
                Subject.Set(ref context.Type, new string(text));
                Assert.Equal(at < 0, same(context));
                Assert.Equal(at < 0, listed(context));
            }
            Subject.Set(ref context.Type, literal + "_");
            Assert.False(same(context));
        }
    }
}
