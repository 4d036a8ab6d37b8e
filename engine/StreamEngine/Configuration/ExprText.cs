namespace StreamEngine.Configuration;

/// <summary>The text of an expression (CEL subset) with its place, so that a type error can name line and column.</summary>
[Shorthand(nameof(Text))]
public sealed record ExprText : ILocated
{
    /// <summary>The expression.</summary>
    public string Text { get; init; } = "";

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;

    /// <summary>Makes an expression from code.</summary>
    public static implicit operator ExprText(string text) => new() { Text = text };
}
