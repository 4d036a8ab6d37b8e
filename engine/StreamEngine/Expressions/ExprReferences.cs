namespace StreamEngine.Expressions;

/// <summary>The names that an expression reads, without their roots.</summary>
public sealed class ExprReferences
{
    private readonly Dictionary<string, HashSet<string>> _byRoot = [];

    /// <summary>The features: <c>features.NAME</c>.</summary>
    public IReadOnlySet<string> Features => Of("features");

    /// <summary>The event's fields, with <c>type</c> and <c>time</c>: <c>event.NAME</c>.</summary>
    public IReadOnlySet<string> Event => Of("event");

    /// <summary>The purposes: <c>consent.NAME</c>.</summary>
    public IReadOnlySet<string> Consent => Of("consent");

    /// <summary>The names under any root, e.g. <c>offer</c>.</summary>
    public IReadOnlySet<string> Of(string root) => _byRoot.GetValueOrDefault(root) ?? [];

    internal void Add(Syntax syntax)
    {
        switch (syntax)
        {
            case Selection { Of: Identifier root } selection:
                if (!_byRoot.TryGetValue(root.Name, out var names)) _byRoot[root.Name] = names = new(StringComparer.Ordinal);
                names.Add(selection.Member);
                break;
            case Selection selection: Add(selection.Of); break;
            case Unary unary: Add(unary.Operand); break;
            case Binary binary: Add(binary.Left, binary.Right); break;
            case Conditional conditional: Add(conditional.Test, conditional.Then, conditional.Otherwise); break;
            case Indexed indexed: Add(indexed.Of, indexed.Index); break;
            case ListOf list: Add([.. list.Items]); break;
            case Call call:
                if (call.Target is not null) Add(call.Target);
                Add([.. call.Arguments]);
                break;
        }
    }

    private void Add(params ReadOnlySpan<Syntax> all)
    {
        foreach (var syntax in all) Add(syntax);
    }
}
