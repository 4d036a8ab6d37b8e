using System.Globalization;

namespace StreamEngine.Expressions;

/// <summary>Reads an expression by CEL's grammar; stops at the first mistake.</summary>
internal sealed class Parser
{
    /// <summary>The deepest nesting; CEL asks for at least 12 levels, 32 terms.</summary>
    internal const int MaxDepth = 250;

    private static readonly HashSet<string> Reserved = new(
        "as break const continue else for function if import let loop package namespace return var void while".Split(' '));

    private readonly Lexer _lexer;
    private Token _token;
    private int _depth;

    private Parser(string text)
    {
        _lexer = new Lexer(text);
        _token = _lexer.Next();
    }

    /// <summary>The whole text as one expression.</summary>
    /// <exception cref="SyntaxException">It isn't one.</exception>
    public static Syntax Parse(string text)
    {
        var parser = new Parser(text);
        if (parser._token.Kind == TokenKind.End)
            throw new SyntaxException(0, "the expression is empty", "Write an expression, e.g. event.type == 'purchase'");
        var expression = parser.Expression();
        if (parser._token.Kind != TokenKind.End)
            throw new SyntaxException(parser._token.At, $"unexpected {parser._token} after the expression",
                "Join two expressions with an operator such as &&");
        return expression;
    }

    private Syntax Expression()
    {
        if (++_depth > MaxDepth) throw TooDeep(_token.At);
        var test = Or();
        if (_token.Is("?"))
        {
            var at = Take().At;
            var then = Or();
            Expect(":", "A condition is written test ? value : other value");
            test = Checked(new Conditional(at, test, then, Expression()));
        }
        _depth--;
        return test;
    }

    private Syntax Or() => Chain(And, "||");

    private Syntax And() => Chain(Relation, "&&");

    private Syntax Relation()
    {
        var left = Sum();
        while (_token.Kind == TokenKind.Symbol && _token.Text is "==" or "!=" or "<" or "<=" or ">" or ">="
            || _token is { Kind: TokenKind.Name, Text: "in" })
        {
            var op = Take();
            left = Checked(new Binary(op.At, op.Text, left, Sum()));
        }
        return left;
    }

    private Syntax Sum() => Chain(Product, "+", "-");

    private Syntax Product() => Chain(Prefixed, "*", "/", "%");

    private Syntax Chain(Func<Syntax> operand, params ReadOnlySpan<string> operators)
    {
        var left = operand();
        while (_token.Kind == TokenKind.Symbol && operators.Contains(_token.Text))
        {
            var op = Take();
            left = Checked(new Binary(op.At, op.Text, left, operand()));
        }
        return left;
    }

    private Syntax Prefixed()
    {
        if (!_token.Is("!") && !_token.Is("-")) return Member();
        if (++_depth > MaxDepth) throw TooDeep(_token.At);
        var op = Take();
        // A minus belongs to the digits after it: the smallest int has no positive counterpart.
        Syntax operand = op.Text == "-" && _token.Kind is TokenKind.Int or TokenKind.Double
            ? Selections(Number(negative: true, op.At))
            : Checked(new Unary(op.At, op.Text, Prefixed()));
        _depth--;
        return operand;
    }

    private Syntax Member() => Selections(Primary());

    private Syntax Selections(Syntax of)
    {
        while (true)
            if (_token.Is("."))
            {
                Take();
                if (_token.Kind != TokenKind.Name) throw Unexpected("A name comes after the dot, e.g. event.value");
                var name = Take();
                of = Checked(_token.Is("(") ? new Call(name.At, of, name.Text, Arguments("(", ")"))
                    : new Selection(name.At, of, name.Text));
            }
            else if (_token.Is("["))
            {
                var at = Take().At;
                var index = Expression();
                Expect("]", "Close the index");
                of = Checked(new Indexed(at, of, index));
            }
            else return of;
    }

    private Syntax Primary()
    {
        switch (_token.Kind)
        {
            case TokenKind.Int or TokenKind.Double: return Number(negative: false, _token.At);
            case TokenKind.String:
                var text = Take();
                return new Literal(text.At, text.Text);
            case TokenKind.Name: return Named();
        }
        if (_token.Is("("))
        {
            Take();
            var inner = Expression();
            Expect(")", "Close the parenthesis");
            return inner;
        }
        if (!_token.Is("[")) throw Unexpected("A value belongs here: a literal, a name such as event.value, or a call");
        var at = _token.At;
        return Checked(new ListOf(at, Arguments("[", "]")));
    }

    private Syntax Named()
    {
        var name = Take();
        if (name.Text is "true" or "false") return new Literal(name.At, name.Text == "true");
        if (name.Text == "null")
            throw new SyntaxException(name.At, "null is not supported", "Ask has(event.NAME) whether the event has a field");
        if (name.Text == "in" || Reserved.Contains(name.Text))
            throw new SyntaxException(name.At, $"'{name.Text}' is a reserved word", "Names begin with event, features, consent or offer");
        return _token.Is("(") ? Checked(new Call(name.At, null, name.Text, Arguments("(", ")"))) : new Identifier(name.At, name.Text);
    }

    private List<Syntax> Arguments(string open, string close)
    {
        Expect(open, "");
        var list = new List<Syntax>();
        while (!_token.Is(close))
        {
            list.Add(Expression());
            if (_token.Is(",")) Take();
            else if (!_token.Is(close)) throw Unexpected($"Write a comma or '{close}' here");
        }
        Take();
        return list;
    }

    private Literal Number(bool negative, int at)
    {
        var token = Take();
        var sign = negative ? "-" : "";
        if (token.Kind == TokenKind.Double)
            return new Literal(at, double.Parse(sign + token.Text, NumberStyles.Float, CultureInfo.InvariantCulture));
        var hex = token.Text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        var digits = hex ? token.Text[2..] : token.Text;
        var known = Int128.TryParse(digits, hex ? NumberStyles.AllowHexSpecifier
            : NumberStyles.None, CultureInfo.InvariantCulture, out var value);
        if (negative) value = -value;
        if (!known || value < long.MinValue || value > long.MaxValue || digits.Length > 30)
            throw new SyntaxException(at, "the number is too large for an int",
                "An int has 64 bits; write a double with a point, e.g. 1e30");
        return new Literal(at, (long)value);
    }

    private Token Take()
    {
        var token = _token;
        _token = _lexer.Next();
        return token;
    }

    private void Expect(string symbol, string remedy)
    {
        if (!_token.Is(symbol)) throw Unexpected(remedy, symbol);
        Take();
    }

    private SyntaxException Unexpected(string remedy, string? expected = null) =>
        new(_token.At, expected is null ? _token.Kind == TokenKind.End ? "the expression ends too early" : $"unexpected {_token}"
            : $"expected '{expected}' but found {_token}", remedy);

    private static Syntax Checked(Syntax node) => node.Depth > MaxDepth ? throw TooDeep(node.At) : node;

    private static SyntaxException TooDeep(int at) =>
        new(at, $"the expression nests deeper than {MaxDepth} levels", "Split it, or write long alternatives as value in [...]");
}
