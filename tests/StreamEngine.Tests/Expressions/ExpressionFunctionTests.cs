using System.Text;
using System.Text.RegularExpressions;
using StreamEngine.Configuration;
using StreamEngine.Expressions;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Expressions;

/// <summary>Functions over the fields of an event, where nothing can be computed beforehand.</summary>
public sealed class ExpressionFunctionTests
{
    // The event: type purchase, placement cart, name 'Zoë 🚀', quantity 3, value 19.99, score 0.75; coupon and stock are absent.
    [Theory]
    [InlineData("event.placement + '/' + event.type == 'cart/purchase'")]
    [InlineData("'<' + event.coupon + '>' == '<>'")]
    [InlineData("event.name.upperAscii() + event.type.upperAscii() == 'ZOë 🚀PURCHASE'")]
    [InlineData("(event.placement + ' ').trim() == event.placement")]
    [InlineData("event.name.substring(1, event.quantity) == 'oë' && event.name.charAt(4) == '🚀'")]
    [InlineData("event.name.indexOf('🚀') == event.quantity + 1 && event.name.lastIndexOf('o', event.quantity) == 1")]
    [InlineData("event.type.replace('a', event.placement) == 'purchcartse'")]
    [InlineData("event.type.split('c').join('-') == 'pur-hase' && event.type.split('').size() == 8")]
    [InlineData("event.name.reverse() == '🚀 ëoZ'")]
    [InlineData("event.type.matches('^p[a-z]+e$') && !event.name.matches('^.{4}$') && event.name.matches('^.{5}$')")]
    [InlineData("event.name.matches(r'^\\w+') && !event.name.matches(r'^\\w{3}') && event.type.matches('(?i)PURCHASE')")]
    [InlineData("'1' + string(event.quantity) == '13' && int('1' + string(event.quantity)) == 13")]
    [InlineData("string(event.value) == '19.99' && double(string(event.value)) == event.value && string(event.score) == '0.75'")]
    [InlineData("string(event.returning) == 'true' && bool(string(event.returning))")]
    [InlineData("event.type in [event.placement, 'purchase'] && !(event.coupon in [event.placement, event.type])")]
    [InlineData("[event.quantity, event.stock, 7][event.quantity - 1] == 7")]
    [InlineData("[event.placement, event.type].exists(t, t == 'purchase') && ![event.placement].exists(t, t == event.type)")]
    [InlineData("['view', 'cart'].exists(t, t == event.placement)")]
    [InlineData("['view', 'purchase'].filter(t, t.startsWith(event.type)).size() == 1")]
    [InlineData("[1, 2, 3].map(x, x * event.quantity) == [3, 6, 9] && [1, 2, 3].map(x, x > 1, x + event.stock) == [2, 3]")]
    [InlineData("[1, 2].map(x, [10, 20].filter(y, y > 10 * x).size()) == [1, 0]")]
    [InlineData("[1, 2].all(x, [10, 20].exists(x, x == 10) && x < event.quantity)")]
    [InlineData("event.type.split('').filter(c, c == 'a' || c == 'e').map(c, c.upperAscii()).join() == 'AE'")]
    [InlineData("timestamp(event.time) - timestamp(event.seen) == duration('1m40s')")]
    [InlineData("timestamp(event.time) == timestamp('2023-11-14T22:15:00Z') && timestamp(event.time).getHours('Europe/Berlin') == 23")]
    [InlineData("timestamp(event.time).getDate('Asia/Tokyo') == 15 && timestamp(event.time).getDayOfWeek() == 2")]
    [InlineData("string(timestamp(event.time) + duration('1.5s')) == '2023-11-14T22:15:01.5Z'")]
    [InlineData("[timestamp(event.seen), timestamp(event.time)].exists(t, t > timestamp(event.seen))")]
    [InlineData("[event.seen, event.time].map(t, timestamp(t))[1] == timestamp(event.time)")]
    [InlineData("math.greatest(event.quantity, 2, 1) == 3 && math.least(event.score, features.views_1h) == 0.75")]
    [InlineData("math.greatest([1, 2].map(x, x * event.quantity)) == 6 && math.isNaN(features.nan)")]
    [InlineData("math.round(event.value) == 20.0 && math.trunc(event.value) == 19.0 && math.sign(-event.quantity) == -1")]
    [InlineData("string(1e21) == '1e+21' && string(1e20) == '100000000000000000000' && string(0.00001) == '1e-05' && string(-0.0) == '-0'")]
    [InlineData("string(12345.678) == '12345.678' && string(1e15) == '1000000000000000' && string(1.5e-7) == '1.5e-07'")]
    [InlineData("string(timestamp('0001-01-01T00:00:00Z')) == '0001-01-01T00:00:00Z' && string(duration('-1h0.25s')) == '-3600.25s'")]
    [InlineData("duration('1h1m1s1ms1us100ns') == duration('3661.0010011s') && timestamp('2024-03-01T00:30:00+01:00').getDate() == 29")]
    [InlineData("int(timestamp('1969-12-31T23:59:59.5Z')) == -1 && double('Infinity') == 1.0 / 0.0")]
    public void Is_true(string expression) => Assert.Equal(true, Subject.Evaluate(expression, ExprType.Bool));

    // What CEL calls an evaluation error has a value here, and is counted.
    [Theory]
    [InlineData("event.type.charAt(event.quantity + 99) == ''")]
    [InlineData("event.type.substring(event.quantity, 1) == ''")]
    [InlineData("event.type.indexOf('p', -event.quantity) == -1")]
    [InlineData("event.type.lastIndexOf('e', event.type.size() + event.stock) == -1")]
    [InlineData("math.isNaN(double(event.type)) || double('+NaN' + event.coupon) == 0.0")]
    [InlineData("int(event.type) == 0")]
    [InlineData("double(event.type) == 0.0")]
    [InlineData("!bool(event.type)")]
    [InlineData("timestamp(event.type) == timestamp(0)")]
    [InlineData("duration(event.type) == duration('0')")]
    [InlineData("[event.placement][event.quantity] == ''")]
    [InlineData("[timestamp(event.time)][event.quantity] == timestamp(0)")]
    [InlineData("event.quantity / event.stock == 0")]
    [InlineData("timestamp('9999-12-31T00:00:00Z') + duration(string(event.quantity) + '00h') == "
        + "timestamp('9999-12-31T23:59:59.9999999Z')")]
    public void An_evaluation_error_is_a_zero_or_an_end_and_counted(string expression)
    {
        var test = Subject.Compiled(ExpressionCompiler.Bool, expression);
        var context = Subject.Context();
        var before = ExprFault.Total;
        Assert.True(test(context));
        Assert.True(ExprFault.Total > before);
    }

    [Fact]
    public void Making_texts_and_lists_allocates_nothing_once_warm()
    {
        var context = Subject.Context();
        BoolExpr[] tests =
        [
            .. new[]
            {
                "event.placement + '/' + event.type.upperAscii() == 'x' || event.name.matches('Z.*x')",
                "event.type.split('').filter(c, c > 'a').map(c, c + c).join('-').size() > 3",
                "[event.quantity, 2, 3].exists(x, x * 2 == event.stock) || event.type in [event.placement, event.coupon]",
                "timestamp(event.time) - timestamp('2024-01-01T00:00:00Z') > duration(event.type)",
                "timestamp(event.time).getHours('Europe/Berlin') == 1 || string(event.value) + string(timestamp(event.time)) == ''",
                "math.greatest(event.quantity, 2) > 1 && [1, 2].map(x, x * event.quantity)[0] == 3",
            }.Select(e => Subject.Compiled(ExpressionCompiler.Bool, e)),
        ];
        var run = () =>
        {
            for (var i = 0; i < 100; i++)
                foreach (var test in tests) test(context);
        };
        run();
        Assert.Equal(0, Allocations.Least(run));
    }

    [Fact]
    public void What_is_made_again_and_again_lies_in_the_same_room()
    {
        var context = Subject.Context();
        var test = Subject.Compiled(ExpressionCompiler.Bool, "event.placement + event.type == '' || event.type.split('').size() == 0");
        test(context);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 20_000; i++) test(context);
        // Twelve bytes and eight cells each time: kept, they would be megabytes.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 << 10);
    }

    [Fact]
    public void Long_lists_take_no_stack()
    {
        var many = string.Join(", ", Enumerable.Range(0, 20_000));
        Assert.True(Subject.Compiled(ExpressionCompiler.Bool, $"[{many}].exists(x, x == event.quantity) && 7 in [{many}].map(x, x)")(
            Subject.Context()));
        var errors = new ConfigErrors();
        Assert.Null(ExpressionCompiler.Bool($"event.quantity in [event.stock, {many}]", Subject.Scope, errors));
        Assert.Equal("a list with items that are no constants has at most 250", Assert.Single(errors.All).Message[..55]);
    }

    [Fact]
    public void A_text_that_grows_too_long_is_empty()
    {
        var context = Subject.Context();
        Subject.Set(ref context.Fields[10], new string('x', 1 << 19));
        Assert.True(Subject.Compiled(ExpressionCompiler.Bool, "size(event.name + event.name) == 1048576")(context));
        Assert.True(Subject.Compiled(ExpressionCompiler.Bool, "event.name + event.name + 'x' == ''")(context));
        Assert.True(Subject.Compiled(ExpressionCompiler.Bool, "event.name.replace('x', 'yyy') == ''")(context));
    }

    /// <summary>
    /// Patterns that mean the same in RE2 and in .NET, over texts of ASCII: what is translated matches as .NET's own engine says.
    /// </summary>
    [Theory]
    [InlineData("a|b*c"), InlineData("^(ab|a)+$"), InlineData("[^a-c]"), InlineData("x{2,3}")]
    [InlineData("^a.c$"), InlineData("(?i)aB[x-z]")]
    [InlineData(@"\.|\d\d"), InlineData("^[]a]+$"), InlineData("^[a-]"), InlineData("(a(b(c)?)?)?x")]
    [InlineData("(?:ab)?c|^$"), InlineData("a+?b")]
    [InlineData("(?i:a)b"), InlineData("((?i)a)b"), InlineData(@"[\d\-x]+a"), InlineData(@"\x61\x{62}")]
    [InlineData("a{,2}"), InlineData("{")]
    public void A_pattern_matches_as_the_other_engine_says(string pattern)
    {
        var compiled = Subject.Compiled(ExpressionCompiler.Bool, $"event.name.matches(r'{pattern}')");
        var oracle = new Regex(pattern.Replace(@"\x{62}", "b", StringComparison.Ordinal), RegexOptions.CultureInvariant);
        var (context, random) = (Subject.Context(), new Random(7));
        for (var i = 0; i < 500; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(7)).Select(_ => "abcABCxyz1]-.{,2}"[random.Next(17)]));
            Subject.Set(ref context.Fields[10], text);
            Assert.True(oracle.IsMatch(text) == compiled(context), $"{pattern} on '{text}'");
        }
    }

    // Where RE2 and .NET differ, RE2 is right.
    [Theory]
    [InlineData("'a\\n'.matches('a$')", false)]
    [InlineData("'a\\nb'.matches('(?m)^b$')", true)]
    [InlineData("'a\\nb'.matches('a.b')", false)]
    [InlineData("'a\\nb'.matches('(?s)a.b')", true)]
    [InlineData("'é'.matches(r'^\\w$')", false)]
    [InlineData("'٣'.matches(r'\\d')", false)]
    [InlineData("'\\u00a0'.matches(r'\\s')", false)]
    [InlineData("'\\v'.matches(r'\\s')", false)]
    [InlineData("'🚀'.matches('^.$') && '🚀'.matches('^[^a]$') && '🚀🚀'.matches('^🚀{2}$')", true)]
    [InlineData("'\\u212a\\u017f'.matches('(?i)^ks$')", true)]
    [InlineData("'İ'.matches('(?i)i') || 'ı'.matches('(?i)i')", false)]
    public void A_pattern_means_what_it_means_in_RE2(string expression, bool expected) =>
        Assert.Equal(expected, Subject.Evaluate(expression, ExprType.Bool));

    [Theory]
    [InlineData("a\\\\b"), InlineData("\\\\pL"), InlineData("(?=a)"), InlineData("(a)\\\\1"), InlineData("a**")]
    [InlineData("*a"), InlineData("a)")]
    [InlineData("(?i)é"), InlineData("[🚀🙂]"), InlineData("a{1001}"), InlineData("[b-a]")]
    [InlineData("[[:what:]]"), InlineData("a\\\\")]
    [InlineData("(?<=a)b"), InlineData("\\\\Z"), InlineData("(?x)a"), InlineData("[a")]
    public void A_pattern_that_has_no_equal_is_refused(string pattern)
    {
        var errors = new ConfigErrors();
        Assert.Null(ExpressionCompiler.Bool($"event.name.matches('{pattern}')", Subject.Scope, errors));
        Assert.StartsWith("the regular expression can't be used: ", Assert.Single(errors.All).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pattern_takes_linear_time()
    {
        var context = Subject.Context();
        Subject.Set(ref context.Fields[10], new string('a', 100_000));
        // A backtracking engine would not come back.
        Assert.False(Subject.Compiled(ExpressionCompiler.Bool, "event.name.matches('^(a|a)*(a|aa)*b$')")(context));
    }

    [Fact]
    public void Texts_of_a_constant_list_stay_when_later_expressions_run()
    {
        var kept = Subject.Compiled(ExpressionCompiler.String, "'a,b'.split(',').map(x, x + '!')[event.quantity - 2]");
        Subject.Evaluate("event.name + event.type + event.placement == ''", ExprType.Bool);
        Assert.Equal("b!", Encoding.UTF8.GetString(kept(Subject.Context())));
    }
}
