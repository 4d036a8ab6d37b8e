namespace StreamEngine.Expressions;

/// <summary>An expression as written, before names and types are known.</summary>
/// <param name="At">Where an error about it points, in characters from 0: for an operator, at the operator.</param>
/// <param name="Depth">How deep it nests: bounds the recursion of everything that walks it.</param>
internal abstract record Syntax(int At, int Depth)
{
    /// <summary>Where the text of the expression begins.</summary>
    public virtual int Start => At;
}

/// <summary>A literal: long, double, bool or string.</summary>
internal sealed record Literal(int At, object Value) : Syntax(At, 1);

/// <summary>A name by itself: a root such as <c>event</c>, or a mistake.</summary>
internal sealed record Identifier(int At, string Name) : Syntax(At, 1);

/// <summary>A selection, <c>of.member</c>; errors about it point at the member.</summary>
internal sealed record Selection(int At, Syntax Of, string Member) : Syntax(At, Of.Depth + 1)
{
    public override int Start => Of.Start;
}

/// <summary>A call, <c>function(arguments)</c> or <c>target.function(arguments)</c>.</summary>
internal sealed record Call(int At, Syntax? Target, string Function, IReadOnlyList<Syntax> Arguments)
    : Syntax(At, 1 + Math.Max(Target?.Depth ?? 0, Arguments.Select(a => a.Depth).DefaultIfEmpty().Max()))
{
    public override int Start => Target?.Start ?? At;
}

/// <summary><c>!</c> or <c>-</c> before an operand.</summary>
internal sealed record Unary(int At, string Operator, Syntax Operand) : Syntax(At, Operand.Depth + 1);

/// <summary>Two operands with an operator between.</summary>
internal sealed record Binary(int At, string Operator, Syntax Left, Syntax Right) : Syntax(At, 1 + Math.Max(Left.Depth, Right.Depth))
{
    public override int Start => Left.Start;
}

/// <summary><c>test ? then : otherwise</c>.</summary>
internal sealed record Conditional(int At, Syntax Test, Syntax Then, Syntax Otherwise)
    : Syntax(At, 1 + Math.Max(Test.Depth, Math.Max(Then.Depth, Otherwise.Depth)))
{
    public override int Start => Test.Start;
}

/// <summary>An item of a list, <c>of[at]</c>.</summary>
internal sealed record Indexed(int At, Syntax Of, Syntax Index) : Syntax(At, 1 + Math.Max(Of.Depth, Index.Depth))
{
    public override int Start => Of.Start;
}

/// <summary>A list, <c>[a, b]</c>.</summary>
internal sealed record ListOf(int At, IReadOnlyList<Syntax> Items) : Syntax(At, 1 + Items.Select(i => i.Depth).DefaultIfEmpty().Max());
