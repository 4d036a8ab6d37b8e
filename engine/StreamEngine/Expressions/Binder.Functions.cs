using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Expressions.Functions;
using E = System.Linq.Expressions.Expression;

namespace StreamEngine.Expressions;

/// <summary>Calls of functions and methods.</summary>
internal sealed partial class Binder
{
    /// <summary>What is bound by its own rules, beside the <see cref="FunctionTable"/>.</summary>
    private static readonly string[] OwnFunctions = ["has", "min", "max"];

    private Bound BindCall(Call call)
    {
        if (call.Function == "size" && (call.Target ?? call.Arguments.FirstOrDefault()) is { } counted
            && RecordList(counted) is { } records)
            return Counted(call, call.Function, call.Target is null ? 1 : 0)
                ? new Bound(ExprType.Int, E.Convert(E.Field(Place(records), nameof(FieldValue.Length)), typeof(long))) : Bound.Failed;
        if (call.Target is not { } target)
            return call.Function switch
            {
                "has" => Counted(call, call.Function, 1) ? BindHas(call.Arguments[0]) : Bound.Failed,
                "min" or "max" => BindExtreme(call, call.Function, call.Arguments, atLeast: 2, greatest: call.Function == "max"),
                "timestamp" when call.Arguments.Count == 1 => BindTimestamp(call),
                _ => BindFunction(call, call.Function, call.Arguments),
            };
        if (target is Identifier { Name: var space } && FunctionTable.Namespaces.Contains(space) && !_variables.ContainsKey(space))
            return space == "math" && call.Function is "greatest" or "least" ? BindExtreme(call)
                : BindFunction(call, $"{space}.{call.Function}", call.Arguments);
        return Macros.Contains(call.Function) ? BindMacro(call, target) : BindMethod(call, target);
    }

    private Bound BindFunction(Call call, string name, IReadOnlyList<Syntax> arguments) =>
        FunctionTable.Find(name, isMethod: false) is { Length: > 0 } forms ? BindForms(call, name, forms, arguments)
            : Error(call.At, $"unknown function '{name}'", FunctionRemedy(name, isMethod: false));

    private Bound BindMethod(Call call, Syntax target) =>
        FunctionTable.Find(call.Function, isMethod: true) is { Length: > 0 } forms
            ? BindForms(call, call.Function, forms, [target, .. call.Arguments])
            : Error(call.At, $"unknown method '{call.Function}'", FunctionRemedy(call.Function, isMethod: true));

    private Bound BindForms(Call call, string name, Overload[] forms, IReadOnlyList<Syntax> arguments)
    {
        var counted = forms.Where(f => f.Parameters.Length == arguments.Count).ToArray();
        if (counted.Length == 0)
        {
            Counted(call, name, [.. forms.Select(f => f.Parameters.Length - (f.IsMethod ? 1 : 0)).Distinct().Order()]);
            return Bound.Failed;
        }
        var bound = arguments.Select(Bind).ToArray();
        if (bound.Any(b => b.IsFailed)) return Bound.Failed;
        var form = counted.FirstOrDefault(f => Fit(f, bound));
        if (form is not null) return Invoke(call, form, arguments, bound);
        Bound[] widened = [.. bound.Select(b => b.Widened())];
        form = counted.FirstOrDefault(f => Fit(f, widened));
        return form is null ? Mismatch(call, name, counted, arguments, bound) : Invoke(call, form, arguments, widened);
    }

    private static bool Fit(Overload form, Bound[] arguments) => form.Parameters.Zip(arguments).All(p => p.Second.Type.Fits(p.First));

    private Bound Invoke(Call call, Overload form, IReadOnlyList<Syntax> arguments, Bound[] bound)
    {
        var code = new E[bound.Length];
        for (var i = 0; i < code.Length; i++)
            if (!form.IsPattern(i) && !form.IsZone(i)) code[i] = bound[i].Emit();
            else if (bound[i].Constant is not byte[] constant)
                return Error(arguments[i].Start,
                    $"the {(form.IsZone(i) ? "time zone" : "pattern")} of {form.Name}() must be a constant text",
                    "It is compiled when the config is read; write it as a literal");
            else if (Compiled(form, i, constant, arguments[i]) is { } compiled) code[i] = compiled;
            else return Bound.Failed;
        return Fold(call.At, form.Result, E.Call(form.Code, code), bound);
    }

    private E? Compiled(Overload form, int parameter, byte[] constant, Syntax argument)
    {
        var text = System.Text.Encoding.UTF8.GetString(constant);
        if (form.IsZone(parameter))
        {
            if (TimeFunctions.Zone(text) is { } zone) return E.Constant(zone);
            Error(argument.Start, $"unknown time zone '{text}'", "Write a name such as 'Europe/Berlin' or an offset such as '+05:30'");
            return null;
        }
        try
        {
            return E.Constant(PatternText.Compile(text));
        }
        catch (FormatException e)
        {
            Error(argument.Start, $"the regular expression can't be used: {e.Message}",
                "It has the syntax of RE2, without \\b, \\p and \\Q; write r'...' for backslashes");
            return null;
        }
    }

    private Bound Mismatch(Call call, string name, Overload[] forms, IReadOnlyList<Syntax> arguments, Bound[] bound)
    {
        var wrong = Enumerable.Range(0, bound.Length).FirstOrDefault(i => !forms.Any(f => bound[i].Type.Fits(f.Parameters[i])));
        var (at, found) = (arguments[wrong].Start, bound[wrong].Type);
        var asked = forms.Select(f => f.Parameters[wrong]).Distinct().ToArray();
        var (before, own) = (forms[0].IsMethod, wrong - (forms[0].IsMethod ? 1 : 0));
        var what = before && wrong == 0 ? $"the value before '.{name}'"
            : call.Arguments.Count == 1 ? $"the argument of {name}()" : $"argument {own + 1} of {name}()";
        return Error(at, $"{what} must be {string.Join(" or ", asked.Select(Name))}, not {Name(found)}", Conversion(found, asked[0]));
    }

    private Bound BindHas(Syntax argument)
    {
        if (scope.Items is { } items && argument is Selection { Of: Identifier { Name: "item" } } part)
            return FindItem(part, items) is { } own ? new Bound(ExprType.Bool, E.Field(ItemPlace(own), nameof(FieldValue.Present)))
                : Bound.Failed;
        if (argument is not Selection { Of: Identifier root } selection || scope.Event is null || root.Name != scope.EventName)
            return Error(argument.Start, $"has() takes a field of the {scope.EventName}", scope.Event is null
                ? "There is no event here" : $"Write has({scope.EventName}.NAME)");
        if (selection.Member is "type" or "time" && HasTypeAndTime) return Bound.Of(true);
        return FindField(selection) is { } field ? new Bound(ExprType.Bool, E.Field(Place(field), nameof(FieldValue.Present)))
            : Bound.Failed;
    }

    /// <summary>CEL's ints are seconds, the engine's own times milliseconds: those are known by their origin.</summary>
    private Bound BindTimestamp(Call call)
    {
        var value = Bind(call.Arguments[0]);
        if (value.IsFailed) return value;
        if (value.Millis == Millis.Derived)
            return Error(call.Arguments[0].Start, "timestamp() takes a time in milliseconds only as the event has it",
                "Convert first, compute then: timestamp(event.time) + duration('5s')");
        if (value.Millis == Millis.Instant)
            return new Bound(ExprType.Timestamp, Bound.Invoke(nameof(TimeFunctions.OfMilliseconds), value.Emit()));
        var forms = FunctionTable.Find(call.Function, isMethod: false);
        var form = forms.FirstOrDefault(f => Fit(f, [value]));
        return form is null ? Mismatch(call, call.Function, forms, call.Arguments, [value]) : Invoke(call, form, call.Arguments, [value]);
    }

    /// <summary><c>math.greatest</c> and <c>math.least</c>: of their arguments, or of a list.</summary>
    private Bound BindExtreme(Call call)
    {
        var (name, greatest) = ($"math.{call.Function}", call.Function == "greatest");
        if (call.Arguments is not [var only]) return BindExtreme(call, name, call.Arguments, atLeast: 1, greatest);
        if (only is ListOf { Items.Count: > 0 } literal) return BindExtreme(call, name, literal.Items, atLeast: 1, greatest);
        var value = Bind(only);
        if (value.IsFailed || value.IsNumber) return value;
        var forms = FunctionTable.Find(name, isMethod: false);
        return value.Type != ExprTypes.EmptyList && forms.FirstOrDefault(f => Fit(f, [value])) is { } form
            ? Invoke(call, form, call.Arguments, [value])
            : Error(only.Start, $"{name}() takes numbers or a list of them, not {Name(value.Type)}",
                $"Write it as {name}(event.value, 1.0)");
    }

    private Bound BindExtreme(Call call, string name, IReadOnlyList<Syntax> arguments, int atLeast, bool greatest)
    {
        if (arguments.Count < atLeast)
            return Error(call.At, $"{name}() takes {(atLeast == 1 ? "one value" : "two values")} or more",
                $"Write it as {name}(event.value, 1.0)");
        var all = arguments.Select(Bind).ToList();
        if (all.Any(b => b.IsFailed)) return Bound.Failed;
        // Of constants the one itself is taken, with its own type, as CEL does.
        if (atLeast == 1 && all.All(b => b.Constant is long or double and not double.NaN))
            return all.Aggregate((a, b) => Order(b, a) * (greatest ? 1 : -1) > 0 ? b : a);
        if (all.Any(b => b.Type == ExprType.Double)) all = all.ConvertAll(b => b.Widened());
        for (var i = 0; i < all.Count; i++)
            if (!all[i].IsNumber || all[i].Type != all[0].Type)
                return Error(arguments[i].Start,
                    $"{name}() takes ints or doubles, not {(i == 0 ? "" : $"{Name(all[0].Type)} and ")}{Name(all[i].Type)}",
                    Conversion(all[i].Type, all[i].Type == ExprType.Double ? ExprType.Int : ExprType.Double));
        var method = greatest ? nameof(Math.Max) : nameof(Math.Min);
        return all.Aggregate((a, b) => Fold(call.At, a.Type, E.Call(typeof(Math), method, null, a.Emit(), b.Emit()), a, b));
    }

    private static int Order(Bound a, Bound b) => (a.Constant, b.Constant) switch
    {
        (long x, long y) => x.CompareTo(y),
        (double x, double y) => x == y ? 0 : x.CompareTo(y),
        (long x, double y) => ExprOps.Compare(x, y),
        (double x, long y) => -ExprOps.Compare(y, x),
        _ => throw new ArgumentException("not two numbers", nameof(a)),
    };

    private bool Counted(Call call, string name, params int[] counts)
    {
        if (counts.Contains(call.Arguments.Count)) return true;
        var known = string.Join(" or ", counts.Select(c => counts.Length > 1 ? $"{c}" : c switch { 0 => "no", 1 => "one", _ => $"{c}" }));
        Error(call.At, $"{name}() takes {known} {(counts is [0] or [1] ? "argument" : "arguments")}, not {call.Arguments.Count}",
            call.Function is "floor" or "ceil" or "round" ? "Scale the value before and after for digits" : "Remove or add arguments");
        return false;
    }

    private static string FunctionRemedy(string name, bool isMethod)
    {
        var functions = OwnFunctions.Concat(FunctionTable.Names(methods: false)).Append("math.greatest").Distinct().ToList();
        var methods = FunctionTable.Names(methods: true).Concat(Macros).ToList();
        var (own, other) = isMethod ? (methods, functions) : (functions, methods);
        return other.Contains(name) ? $"Write it as {(isMethod ? "" : "event.name.")}{name}(...)"
            : KnownNames.Nearest(name, own) is { } nearest ? $"Did you mean {nearest}()?"
            : $"Known: {string.Join(", ", own)}";
    }
}
