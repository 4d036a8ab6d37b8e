using System.Linq.Expressions;
using StreamEngine.Configuration;
using StreamEngine.Events;

namespace StreamEngine.Expressions;

/// <summary>
/// Compiles expressions of a CEL subset once to delegates that throw nothing when they run and, once warm, allocate nothing. A syntax, type
/// or name error is added to the config's errors with line and column, and the result is null. The language is described in
/// engine/docs/expressions.md.
/// </summary>
public static class ExpressionCompiler
{
    /// <summary>Compiles an expression that must be of type bool.</summary>
    public static BoolExpr? Bool(ExprText text, Scope scope, ConfigErrors errors) =>
        Bind(text, scope, errors, ExprType.Bool, out var context) is not { } bound ? null
        : bound.Constant is bool known ? _ => known
        : Expression.Lambda<BoolExpr>(bound.Emit(), context).Compile();

    /// <summary>Compiles an expression that must be a number; an int is widened.</summary>
    public static DoubleExpr? Double(ExprText text, Scope scope, ConfigErrors errors) =>
        Bind(text, scope, errors, ExprType.Double, out var context) is not { } bound ? null
        : bound.Constant is double known ? _ => known
        : Expression.Lambda<DoubleExpr>(bound.Emit(), context).Compile();

    /// <summary>Compiles an expression that must be a text.</summary>
    public static StringExpr? String(ExprText text, Scope scope, ConfigErrors errors) =>
        Bind(text, scope, errors, ExprType.String, out var context) is not { } bound ? null
        : bound.Constant is byte[] known ? _ => known
        : Expression.Lambda<StringExpr>(bound.Emit(), context).Compile();

    /// <summary>The names that an expression reads; none where it has a syntax error, which compiling reports.</summary>
    public static ExprReferences References(ExprText text)
    {
        var found = new ExprReferences();
        if (Parse(text, new ConfigErrors()) is { } syntax) found.Add(syntax);
        return found;
    }

    /// <summary>
    /// The event field that the whole expression is (<c>event.NAME</c>), or null where it is more than a field: lets a reader take an exact
    /// decimal or a text's slice instead of the expression's double.
    /// </summary>
    public static Field? PlainField(ExprText text, Scope scope) =>
        Parse(text, new ConfigErrors()) is Selection { Of: Identifier { Name: "event" }, Member: not ("type" or "time") } selection
        && !scope.Constants.ContainsKey($"event.{selection.Member}")
            ? scope.Event?.Find(selection.Member)
            : null;

    /// <summary>
    /// The item's field that the whole expression is (<c>item.NAME</c>, or <c>item</c> of a list of single values), or null.
    /// </summary>
    public static Field? PlainItem(ExprText text, Scope scope) => scope.Items is not { } items ? null
        : Parse(text, new ConfigErrors()) switch
        {
            Identifier { Name: "item" } when items.IsSingle => items.Fields[0],
            Selection { Of: Identifier { Name: "item" }, Member: var name } when !items.IsSingle => items.Find(name),
            _ => null,
        };

    /// <summary>The list of the event that an expression names; null, with the mistake told, where it names none.</summary>
    public static Field? List(ExprText text, Scope scope, ConfigErrors errors)
    {
        if (Parse(text, errors) is not { } syntax) return null;
        if (PlainField(text, scope) is { } field)
        {
            if (field.Type == FieldType.List) return field;
            Report(errors, text, syntax.Start, $"event.{field.Name} is no list", Lists(scope));
        }
        else if (syntax is not Selection { Of: Identifier { Name: "event" }, Member: var name })
            Report(errors, text, syntax.Start, "'over' names a list of the event", Lists(scope));
        else if (scope.Event?.Unusable.Contains(name) != true)
            Report(errors, text, syntax.Start, $"unknown name 'event.{name}'", Lists(scope));
        return null;
    }

    private static string Lists(Scope scope)
    {
        var lists = (scope.Event?.Fields ?? []).Where(f => f.Type == FieldType.List).Select(f => $"event.{f.Name}").ToList();
        return lists.Count > 0 ? $"Lists are {string.Join(", ", lists)}"
            : "Declare a list among the source's fields, e.g. products: { items: { sku: string, price: decimal(2) } }";
    }

    private static Bound? Bind(ExprText text, Scope scope, ConfigErrors errors, ExprType type, out ParameterExpression context)
    {
        var failed = false;
        var binder = new Binder(scope, (at, message, remedy) =>
        {
            failed = true;
            Report(errors, text, at, message, remedy);
        });
        context = binder.Context;
        if (Parse(text, errors) is not { } syntax) return null;
        var bound = binder.Bind(syntax, type, "the expression", widen: true);
        if (failed || bound.IsFailed) return null;
        return bound.Constant is null && binder.MakesValues
            ? bound with { Code = Expression.Block(Expression.Call(typeof(Scratch), nameof(Scratch.Begin), null), bound.Emit()) }
            : bound;
    }

    private static Syntax? Parse(ExprText text, ConfigErrors errors)
    {
        try
        {
            return Parser.Parse(text.Text);
        }
        catch (SyntaxException e)
        {
            Report(errors, text, e.At, e.Message, e.Remedy);
            return null;
        }
    }

    private static void Report(ConfigErrors errors, ExprText text, int at, string message, string remedy)
    {
        var place = text.Node.At;
        if (place.Line == 0)
        {
            errors.Add(place, at == 0 ? message : $"{message} (character {at + 1})", remedy);
            return;
        }
        var before = text.Text.AsSpan(0, at);
        var (line, column) = text.Node.TextAt;
        errors.Add(place with { Line = line + before.Count('\n'), Column = column + at - (before.LastIndexOf('\n') + 1) }, message, remedy);
    }
}
