namespace StreamEngine.Expressions;

/// <summary>
/// Makes a static method a function of expressions. Its parameters and its result say the types, so that a new function is one method with
/// one attribute; methods of one name are overloads.
/// </summary>
/// <param name="name">The name as written, with its namespace: <c>size</c>, <c>math.ceil</c>.</param>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
internal sealed class CelAttribute(string name) : Attribute
{
    /// <summary>The name as written.</summary>
    public string Name { get; } = name;

    /// <summary>Whether the first parameter stands before a dot: <c>text.trim()</c>.</summary>
    public bool IsMethod { get; init; }

    /// <summary>What the lists among parameters and result hold; <see cref="ExprType.List"/> for anything.</summary>
    public ExprType Elements { get; init; } = ExprType.List;
}
