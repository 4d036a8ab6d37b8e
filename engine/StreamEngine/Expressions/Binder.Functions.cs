using StreamEngine.Configuration;
using StreamEngine.Events;
using E = System.Linq.Expressions.Expression;

namespace StreamEngine.Expressions;

/// <summary>Functions and the methods of texts.</summary>
internal sealed partial class Binder
{
    private static readonly string[] Functions =
        ["has", "size", "min", "max", "abs", "floor", "ceil", "round", "log1p", "exp", "int", "double"];
    private static readonly string[] Methods = ["startsWith", "endsWith", "contains", "size"];

    private Bound BindCall(Call call) => call.Target is null ? BindFunction(call) : BindMethod(call, call.Target);

    private Bound BindFunction(Call call) => call.Function switch
    {
        "has" => Counted(call, 1) ? BindHas(call.Arguments[0]) : Bound.Failed,
        "size" => Counted(call, 1) ? Size(Argument(call, ExprType.String)) : Bound.Failed,
        "min" or "max" => BindExtreme(call),
        "abs" => Counted(call, 1) ? Abs(call) : Bound.Failed,
        "floor" => OfDouble(call, x => E.Call(typeof(Math), nameof(Math.Floor), null, x)),
        "ceil" => OfDouble(call, x => E.Call(typeof(Math), nameof(Math.Ceiling), null, x)),
        "round" => OfDouble(call, x => Bound.Invoke(nameof(ExprOps.Round), x)),
        "log1p" => OfDouble(call, x => Bound.Invoke(nameof(ExprOps.Log1P), x)),
        "exp" => OfDouble(call, x => E.Call(typeof(Math), nameof(Math.Exp), null, x)),
        "int" or "double" => Counted(call, 1) ? BindConversion(call) : Bound.Failed,
        _ => Error(call.At, $"unknown function '{call.Function}'", FunctionRemedy(call.Function, Functions, Methods, "event.name.")),
    };

    private Bound BindMethod(Call call, Syntax target)
    {
        if (!Methods.Contains(call.Function))
            return Error(call.At, $"unknown method '{call.Function}'", call.Function == "matches"
                ? "Regular expressions are not supported; use startsWith, endsWith or contains"
                : FunctionRemedy(call.Function, Methods, Functions, ""));
        var text = Bind(target, ExprType.String, $"the value before '.{call.Function}'");
        if (call.Function == "size") return Counted(call, 0) ? Size(text) : Bound.Failed;
        if (!Counted(call, 1)) return Bound.Failed;
        var part = Argument(call, ExprType.String);
        if (text.IsFailed || part.IsFailed) return Bound.Failed;
        var method = call.Function switch
        {
            "startsWith" => nameof(ExprOps.StartsWith),
            "endsWith" => nameof(ExprOps.EndsWith),
            _ => nameof(ExprOps.Contains),
        };
        return Bound.Fold(ExprType.Bool, Bound.Invoke(method, text.Emit(), part.Emit()), text, part);
    }

    private Bound BindHas(Syntax argument)
    {
        if (argument is not Selection { Of: Identifier root } selection || scope.Event is null || root.Name != scope.EventName)
            return Error(argument.Start, $"has() takes a field of the {scope.EventName}", scope.Event is null
                ? "There is no event here" : $"Write has({scope.EventName}.NAME)");
        if (selection.Member is "type" or "time" && HasTypeAndTime) return Bound.Of(true);
        return FindField(selection) is { } field ? new Bound(ExprType.Bool, E.Field(Place(field), nameof(FieldValue.Present)))
            : Bound.Failed;
    }

    private static Bound Size(Bound text) => text.IsFailed ? text
        : Bound.Fold(ExprType.Int, Bound.Invoke(nameof(ExprOps.Size), text.Emit()), text);

    private Bound BindExtreme(Call call)
    {
        if (call.Arguments.Count < 2)
            return Error(call.At, $"{call.Function}() takes two values or more", $"Write it as {call.Function}(event.value, 1.0)");
        var all = call.Arguments.Select(Bind).ToList();
        if (all.Any(b => b.IsFailed)) return Bound.Failed;
        if (all.Any(b => b.Type == ExprType.Double)) all = all.ConvertAll(b => b.Widened());
        for (var i = 0; i < all.Count; i++)
            if (!all[i].IsNumber || all[i].Type != all[0].Type)
                return Error(call.Arguments[i].Start,
                    $"{call.Function}() takes ints or doubles, not {(i == 0 ? "" : $"{Name(all[0].Type)} and ")}{Name(all[i].Type)}",
                    Conversion(all[i].Type, all[i].Type == ExprType.Double ? ExprType.Int : ExprType.Double));
        var method = call.Function == "min" ? nameof(Math.Min) : nameof(Math.Max);
        return all.Aggregate((a, b) => Bound.Fold(a.Type, E.Call(typeof(Math), method, null, a.Emit(), b.Emit()), a, b));
    }

    private Bound Abs(Call call)
    {
        var value = Bind(call.Arguments[0]);
        if (value.IsFailed) return value;
        if (!value.IsNumber)
            return Error(call.Arguments[0].Start, $"abs() takes a number, not {Name(value.Type)}", Conversion(value.Type, ExprType.Double));
        var code = value.Type == ExprType.Int ? Bound.Invoke(nameof(ExprOps.Abs), value.Emit())
            : E.Call(typeof(Math), nameof(Math.Abs), null, value.Emit());
        return Bound.Fold(value.Type, code, value);
    }

    private Bound OfDouble(Call call, Func<E, E> code)
    {
        if (!Counted(call, 1)) return Bound.Failed;
        var value = Argument(call, ExprType.Double);
        return value.IsFailed ? value : Bound.Fold(ExprType.Double, code(value.Emit()), value);
    }

    private Bound BindConversion(Call call)
    {
        var value = Bind(call.Arguments[0]);
        if (value.IsFailed) return value;
        var type = call.Function == "int" ? ExprType.Int : ExprType.Double;
        if (!value.IsNumber)
            return Error(call.Arguments[0].Start, $"{call.Function}() takes a number, not {Name(value.Type)}",
                Conversion(value.Type, type));
        if (value.Type == type) return value;
        var code = type == ExprType.Int ? Bound.Invoke(nameof(ExprOps.ToInt), value.Emit()) : E.Convert(value.Emit(), typeof(double));
        return Bound.Fold(type, code, value);
    }

    private Bound Argument(Call call, ExprType type) => Bind(call.Arguments[^1], type, $"the argument of {call.Function}()");

    private bool Counted(Call call, int count)
    {
        if (call.Arguments.Count == count) return true;
        Error(call.At, $"{call.Function}() takes {count switch { 0 => "no argument", 1 => "one argument", _ => $"{count} arguments" }}, "
            + $"not {call.Arguments.Count}",
            call.Function is "floor" or "ceil" or "round" ? "Scale the value before and after for digits" : "Remove or add arguments");
        return false;
    }

    private static string FunctionRemedy(string name, string[] own, string[] other, string example) =>
        other.Contains(name) ? $"Write it as {example}{name}(...)"
        : KnownNames.Nearest(name, own) is { } nearest ? $"Did you mean {nearest}()?"
        : $"Known: {string.Join(", ", own)}";
}
