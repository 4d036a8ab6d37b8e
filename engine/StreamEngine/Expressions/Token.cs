namespace StreamEngine.Expressions;

/// <summary>What a piece of an expression's text is.</summary>
internal enum TokenKind
{
    End,
    Name,
    Int,
    Double,
    String,
    Symbol,
}

/// <summary>A piece of an expression's text.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="At">Where it begins, in characters from 0.</param>
/// <param name="Text">Names, symbols and digits as written; the value of a string literal, escapes resolved.</param>
internal readonly record struct Token(TokenKind Kind, int At, string Text)
{
    /// <summary>Whether this is that operator or bracket.</summary>
    public bool Is(string symbol) => Kind == TokenKind.Symbol && Text == symbol;

    /// <summary>How an error message calls the token.</summary>
    public override string ToString() => Kind switch
    {
        TokenKind.End => "the end of the expression",
        TokenKind.String => "a text",
        _ => $"'{Text}'",
    };
}

/// <summary>The text isn't an expression: thrown inside the compiler, becomes a config error.</summary>
internal sealed class SyntaxException(int at, string message, string remedy) : Exception(message)
{
    /// <summary>Where, in characters from 0.</summary>
    public int At { get; } = at;

    /// <summary>What to do about it.</summary>
    public string Remedy { get; } = remedy;
}
