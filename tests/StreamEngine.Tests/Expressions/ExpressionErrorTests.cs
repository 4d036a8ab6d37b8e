using StreamEngine.Configuration;
using StreamEngine.Expressions;
using Xunit;

namespace StreamEngine.Tests.Expressions;

/// <summary>Every mistake with its exact column, message and remedy.</summary>
public sealed class ExpressionErrorTests
{
    // The column counts from 1 inside the text.
    [Theory]
    [InlineData("", 1, "the expression is empty", "Write an expression, e.g. event.type == 'purchase'")]
    [InlineData("event.type = 'x'", 12, "unexpected character '='", "Equality is written ==")]
    [InlineData("true & false", 6, "unexpected character '&'", "And is written &&")]
    [InlineData("true and false", 6, "unexpected 'and' after the expression", "Join two expressions with an operator such as &&")]
    [InlineData("event.value >", 14, "the expression ends too early",
        "A value belongs here: a literal, a name such as event.value, or a call")]
    [InlineData("(event.value > 1", 17, "expected ')' but found the end of the expression", "Close the parenthesis")]
    [InlineData("event.type == 'x", 15, "the text has no closing quote", "Close it with '")]
    [InlineData("event.type == 'a\\q'", 17, "unknown escape '\\q'", "Write a backslash as \\\\, or the text as r'...'")]
    [InlineData("event.type == '\\ud800'", 16, "malformed escape", "It takes 4 hexadecimal digits of a Unicode code point")]
    [InlineData("event.value > 12abc", 15, "malformed number", "Write it like 12, 0x1f, 0.5 or 1e6")]
    [InlineData("event.value > 3u", 15, "unsigned literals are not supported", "Remove the suffix u")]
    [InlineData("event.quantity > 9223372036854775808", 18, "the number is too large for an int",
        "An int has 64 bits; write a double with a point, e.g. 1e30")]
    [InlineData("event.coupon == null", 17, "null is not supported", "Ask has(event.NAME) whether the event has a field")]
    [InlineData("event.", 7, "the expression ends too early", "A name comes after the dot, e.g. event.value")]
    [InlineData("event[0] == 1", 1, "unknown name 'event'", "Select from it, e.g. event.placement")]
    [InlineData("event.type[0] == 'p'", 11, "an index takes an item of a list, not of string", "Write text.charAt(index)")]
    [InlineData("[1, 2][3] == 1", 7, "the index is out of range", "Mend the constants of the expression")]
    [InlineData("[1, 2][0.5] == 1", 8, "the index must be int, not double", "Convert it with int(...), which cuts the fraction off")]
    [InlineData("[1, 2][0", 9, "expected ']' but found the end of the expression", "Close the index")]
    [InlineData("min(1 2) > 1", 7, "unexpected '2'", "Write a comma or ')' here")]
    [InlineData("true ? 1.0", 11, "expected ':' but found the end of the expression", "A condition is written test ? value : other value")]
    [InlineData("event.plcement == 'x'", 7, "unknown name 'event.plcement'", "Did you mean event.placement?")]
    [InlineData("event.typ == 'x'", 7, "unknown name 'event.typ'", "Did you mean event.type?")]
    [InlineData("features.views_24h > 1", 10, "unknown name 'features.views_24h'", "Did you mean features.views_1h?")]
    [InlineData("features.qqqqqqqqq > 1", 10, "unknown name 'features.qqqqqqqqq'",
        "Known: features.views_1h, features.revenue_24h, features.zero, features.nan")]
    [InlineData("consent.mail", 9, "unknown name 'consent.mail'", "Known: consent.analytics, consent.ads")]
    [InlineData("offer.prise > 1", 7, "unknown name 'offer.prise'", "Did you mean offer.price?")]
    [InlineData("evnt.value > 1", 1, "unknown name 'evnt'", "Did you mean event?")]
    [InlineData("1.0 < value", 7, "unknown name 'value'", "Did you mean event.value?")]
    [InlineData("customer.age > 1", 1, "unknown name 'customer'", "In scope: event.*, features.*, consent.*, offer.*")]
    [InlineData("event", 1, "unknown name 'event'", "Select from it, e.g. event.placement")]
    [InlineData("event.placement.x == 'a'", 17, "'x' selects from something that has no members", "A name has two parts, e.g. event.value")]
    [InlineData("true && event.value", 9, "the right side of '&&' must be bool, not double", "Compare it, e.g. event.value > 0")]
    [InlineData("event.type", 1, "the expression must be bool, not string", "Compare it with a text, e.g. event.type == 'purchase'")]
    [InlineData("!event.value", 2, "the operand of '!' must be bool, not double", "Compare it, e.g. event.value > 0")]
    [InlineData("event.quantity * event.score > 1", 16, "'*' takes two ints or two doubles, not int and double",
        "Convert the int with double(...)")]
    [InlineData("event.type + 1 == 'a'", 12, "'+' takes two ints or two doubles, not string and int",
        "Declare the field as a number, or convert the text with double(...)")]
    [InlineData("event.score % 2.0 == 1", 13, "'%' takes two ints, not double and double",
        "Convert it with int(...), which cuts the fraction off")]
    [InlineData("event.quantity / 0 > 1", 18, "division of an int by zero", "Divide doubles for an infinity, or mend the divisor")]
    [InlineData("event.type == 1", 12, "'==' compares two values of one type, not string and int", "Quote a text: 'like this'")]
    [InlineData("-event.type == 1", 1, "'-' takes a number, not string",
        "Declare the field as a number, or convert the text with double(...)")]
    [InlineData("event.type in 'abc'", 15, "'in' needs a list on its right side", "Write it as value in ['a', 'b']")]
    [InlineData("event.type in ['a', 1]", 21, "the list must hold string like the value before 'in', not int", "Quote a text: 'like this'")]
    [InlineData("event.type in [1].map(x, x)", 15, "the list must hold string like the value before 'in', not int",
        "Quote a text: 'like this'")]
    [InlineData("['a'] == 'a'", 7, "'==' compares two values of one type, not list(string) and string", "Give both sides one type")]
    [InlineData("['a'] == [1]", 7, "'==' compares two values of one type, not list(string) and list(int)", "Give both lists one type")]
    [InlineData("['a'] < ['b']", 7, "'<' doesn't compare lists", "Compare an item, or the sizes")]
    [InlineData("[1, 2.5].size() == 2", 5, "a list holds values of one type, not int and double",
        "Convert it with int(...), which cuts the fraction off")]
    [InlineData("[[1]].size() == 1", 2, "lists of lists are not supported", "Join them with +")]
    [InlineData("[1].map(x, [x]).size() == 1", 12, "lists of lists are not supported", "Let map() make values")]
    [InlineData("event.type.exists(x, x > 1)", 1, "the value before '.exists' must be list, not string",
        "Write a list, e.g. ['a', 'b'].exists(x, x == event.type)")]
    [InlineData("[1].exists(event, event > 1)", 12, "exists() takes a new name first, for the items", "Write it as list.exists(x, ...)")]
    [InlineData("[1].exists(x, x)", 15, "the test of exists() must be bool, not int", "Compare it, e.g. event.value > 0")]
    [InlineData("[1].exists(x, x > 1) && x > 1", 25, "unknown name 'x'", "In scope: event.*, features.*, consent.*, offer.*")]
    [InlineData("[1].exists(x > 1)", 5, "exists() takes 2 arguments, not 1", "Remove or add arguments")]
    [InlineData("(true ? 1 : 'a') == 1", 7, "both values of a condition must have one type, not int and string",
        "Declare the field as a number, or convert the text with double(...)")]
    [InlineData("has(features.zero)", 5, "has() takes a field of the event", "Write has(event.NAME)")]
    [InlineData("has(event.valu)", 11, "unknown name 'event.valu'", "Did you mean event.value?")]
    [InlineData("flor(1.5) == 1.0", 1, "unknown function 'flor'", "Did you mean floor()?")]
    [InlineData("startsWith(event.type, 'a')", 1, "unknown function 'startsWith'", "Write it as event.name.startsWith(...)")]
    [InlineData("event.type.startswith('a')", 12, "unknown method 'startswith'", "Did you mean startsWith()?")]
    [InlineData("event.type.matches('a(')", 20, "the regular expression can't be used: a '(' has no ')'",
        "It has the syntax of RE2, without \\b, \\p and \\Q; write r'...' for backslashes")]
    [InlineData("event.type.matches(event.coupon)", 20, "the pattern of matches() must be a constant text",
        "It is compiled when the config is read; write it as a literal")]
    [InlineData("timestamp(event.time).getHours('Mars') > 1", 32, "unknown time zone 'Mars'",
        "Write a name such as 'Europe/Berlin' or an offset such as '+05:30'")]
    [InlineData("timestamp(event.time + 1000) > timestamp(0)", 11, "timestamp() takes a time in milliseconds only as the event has it",
        "Convert first, compute then: timestamp(event.time) + duration('5s')")]
    [InlineData("timestamp('yesterday') > timestamp(0)", 1,
        "the text is not a time like 2024-02-29T12:30:00Z in the years 1 to 9999", "Mend the constants of the expression")]
    [InlineData("event.name.substring(1, 2, 3) == ''", 12, "substring() takes 1 or 2 arguments, not 3", "Remove or add arguments")]
    [InlineData("math.seil(1.5) > 1", 6, "unknown function 'math.seil'", "Did you mean math.ceil()?")]
    [InlineData("event.value.contains('a')", 1, "the value before '.contains' must be string, not double", "Quote a text: 'like this'")]
    [InlineData("event.type.contains(1)", 21, "the argument of contains() must be string, not int", "Quote a text: 'like this'")]
    [InlineData("max(1) == 1", 1, "max() takes two values or more", "Write it as max(event.value, 1.0)")]
    [InlineData("max(event.quantity, event.score) > 1", 21, "max() takes ints or doubles, not int and double",
        "Convert it with int(...), which cuts the fraction off")]
    [InlineData("round(event.score, 2) > 1", 1, "round() takes one argument, not 2", "Scale the value before and after for digits")]
    [InlineData("floor(event.quantity) > 1", 7, "the argument of floor() must be double, not int", "Convert it with double(...)")]
    [InlineData("int('five') == 5", 1, "the text is not a number", "Mend the constants of the expression")]
    [InlineData("int(true) == 5", 5, "the argument of int() must be int or double or string or timestamp, not bool",
        "Choose a number by it: test ? 1 : 0")]
    [InlineData("b'abc' == 'abc'", 1, "bytes literals are not supported", "Write a text without the prefix b")]
    [InlineData("while == 1", 1, "'while' is a reserved word", "Names begin with event, features, consent or offer")]
    public void Is_told_where_it_is_and_how_to_mend_it(string expression, int column, string message, string remedy)
    {
        var errors = new ConfigErrors();
        Assert.Null(ExpressionCompiler.Bool(At(expression, 1, 1), Subject.Scope, errors));
        var error = Assert.Single(errors.All);
        Assert.Equal((1, column, message, remedy), (error.At.Line, error.At.Column, error.Message, error.Remedy));
    }

    [Fact]
    public void All_mistakes_of_one_expression_are_told()
    {
        var errors = new ConfigErrors();
        Assert.Null(ExpressionCompiler.Bool(At("event.valeu > 3 && event.quantity == 'x' || consent.add", 1, 1), Subject.Scope, errors));
        Assert.Equal([7, 35, 53], errors.All.Select(e => e.At.Column));
    }

    [Fact]
    public void A_mistake_follows_from_no_other()
    {
        var errors = new ConfigErrors();
        Assert.Null(ExpressionCompiler.Bool(At("max(event.nope, 1) + 2 > 3 ? has(event.value) : event.nope2", 1, 1), Subject.Scope,
            errors));
        Assert.Equal(["unknown name 'event.nope'", "unknown name 'event.nope2'"], errors.All.Select(e => e.Message));
    }

    [Fact]
    public void The_column_starts_where_the_text_starts()
    {
        var errors = new ConfigErrors();
        ExpressionCompiler.Bool(At("event.x1", 12, 9, (12, 10)), Subject.Scope, errors);
        Assert.Equal("engine.yaml:12:16: offers.a.eligible: unknown name 'event.x1'. Known: event.placement, event.value, event.quantity, "
            + "event.score, event.returning, event.seen, event.coupon, event.discount, event.stock, event.gift and 3 more",
            Assert.Single(errors.All).ToString());
    }

    [Fact]
    public void A_block_has_a_line_for_each_of_its_lines()
    {
        var errors = new ConfigErrors();
        ExpressionCompiler.Bool(At("true\n  && event.valu > 1\n&& event.quantity == ''\n", 12, 9, (13, 5)), Subject.Scope, errors);
        Assert.Equal([(14, 16), (15, 23)], errors.All.Select(e => (e.At.Line, e.At.Column)));
    }

    [Fact]
    public void An_override_has_no_line_but_a_character()
    {
        var errors = new ConfigErrors();
        ExpressionCompiler.Bool("true && event.valu > 1", Subject.Scope, errors);
        var error = Assert.Single(errors.All);
        Assert.Equal((0, "unknown name 'event.valu' (character 15)"), (error.At.Line, error.Message));
    }

    [Theory]
    [InlineData("event.value > 1", "'event' is not in scope here", "In scope: features.*")]
    [InlineData("consent.ads", "'consent' is not in scope here", "In scope: features.*")]
    [InlineData("has(event.value)", "has() takes a field of the event", "There is no event here")]
    public void What_is_not_in_scope_is_told(string expression, string message, string remedy)
    {
        var errors = new ConfigErrors();
        Assert.Null(ExpressionCompiler.Bool(At(expression, 1, 1), new Scope { Features = ["a"] }, errors));
        var error = Assert.Single(errors.All);
        Assert.Equal((message, remedy), (error.Message, error.Remedy));
    }

    [Fact]
    public void Deep_nesting_is_refused_before_it_can_overflow_the_stack()
    {
        foreach (var expression in new[] { new string('(', 100_000), new string('!', 100_000) + "true",
            string.Concat(Enumerable.Repeat("true || ", 100_000)) + "true", string.Concat(Enumerable.Repeat("true ? true : ", 100_000))
            + "true" })
        {
            var errors = new ConfigErrors();
            Assert.Null(ExpressionCompiler.Bool(expression, Subject.Scope, errors));
            Assert.StartsWith("the expression nests deeper than 250 levels", Assert.Single(errors.All).Message, StringComparison.Ordinal);
        }
        Assert.NotNull(ExpressionCompiler.Bool(string.Concat(Enumerable.Repeat("event.gift || ", 200)) + "true", Subject.Scope,
            new ConfigErrors()));
    }

    private static ExprText At(string expression, int line, int column, (int, int)? text = null) => new()
    {
        Text = expression,
        Node = new ConfigNode(new ConfigLocation("engine.yaml", line, column, "offers.a.eligible")) { TextAt = text ?? (line, column) },
    };
}
