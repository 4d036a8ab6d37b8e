using System.Linq.Expressions;
using StreamEngine.Events;
using StreamEngine.Expressions.Functions;
using E = System.Linq.Expressions.Expression;

namespace StreamEngine.Expressions;

/// <summary>Lists: literals, membership, items and the macros with a variable.</summary>
internal sealed partial class Binder
{
    /// <summary>The longest list of texts that is compared one by one in the code; a longer one is searched in a loop.</summary>
    private const int LongestChain = 16;

    /// <summary>The longest list with items that are computed: each is code within the code of the one before.</summary>
    private const int MostComputed = 250;

    private static readonly string[] Macros = ["all", "exists", "existsOne", "exists_one", "filter", "map"];

    private readonly Dictionary<string, Variable> _variables = [];

    /// <summary>The outermost thing that was read since a macro began: a variable's number, or -1 for the event and all else.</summary>
    private int _outermost = int.MaxValue;

    private Bound BindList(ListOf list) => ListOf(list, [.. list.Items.Select(Bind)]);

    private Bound ListOf(ListOf list, List<Bound> items)
    {
        if (items.Any(i => i.IsFailed)) return Bound.Failed;
        if (items.Count == 0) return new Bound(ExprTypes.EmptyList, null, Array.Empty<FieldValue>());
        var type = items[0].Type;
        for (var i = 0; i < items.Count; i++)
            if (items[i].Type.IsList())
                return Error(list.Items[i].Start, "lists of lists are not supported", "Join them with +");
            else if (items[i].Type != type)
                return Error(list.Items[i].Start, $"a list holds values of one type, not {Name(type)} and {Name(items[i].Type)}",
                    Conversion(items[i].Type, type));
        if (items.TrueForAll(i => i.Constant is not null))
            return new Bound(type | ExprType.List, null, items.Select(i => ConstantCell(i.Constant!)).ToArray());
        if (items.Count > MostComputed)
            return Error(list.At, $"a list with items that are no constants has at most {MostComputed}",
                "Split the list and join it with +");
        var code = Bound.Invoke(nameof(ListFunctions.Start), E.Constant(items.Count));
        for (var i = 0; i < items.Count; i++)
            code = Bound.Invoke(nameof(ListFunctions.With), code, E.Constant(i), Cell(items[i]));
        return Made(new Bound(type | ExprType.List, code)
        {
            Millis = items.TrueForAll(i => i.Millis == items[0].Millis) ? items[0].Millis : Millis.Derived
        });
    }

    private static FieldValue ConstantCell(object constant)
    {
        if (constant is not byte[] text)
            return constant switch
            {
                bool flag => ListFunctions.Item(flag),
                long number => ListFunctions.Item(number),
                double number => ListFunctions.Item(number),
                DateTime time => ListFunctions.Item(time),
                _ => ListFunctions.Item((TimeSpan)constant),
            };
        FieldValue cell = default;
        cell.Set(text, 0, text.Length);
        return cell;
    }

    private static E Cell(Bound item) => Bound.Invoke(nameof(ListFunctions.Item), item.Emit());

    private Bound BindIndexed(Indexed indexed)
    {
        if (RankedNames(indexed.Of) is { } ranked && Bind(indexed.Index) is var name && (name.IsFailed || name.Type == ExprType.String))
            return name.IsFailed ? name : WeightOf(name, ranked);
        var list = Bind(indexed.Of);
        var index = Bind(indexed.Index, ExprType.Int, "the index");
        if (list.IsFailed || index.IsFailed) return Bound.Failed;
        if (!list.Type.IsList())
            return Error(indexed.At, $"an index takes an item of a list, not of {Name(list.Type)}",
                list.Type == ExprType.String ? "Write text.charAt(index)" : "Write it behind a list");
        if (list.Type == ExprTypes.EmptyList) return Error(indexed.At, "an empty list has no items", "Write the items of the list");
        var type = list.Type.Element();
        var item = Fold(indexed.At, type, AsItem(type, Bound.Invoke(nameof(ListFunctions.At), list.Emit(), index.Emit())), list, index);
        return item with { Millis = list.Millis };
    }

    private static E AsItem(ExprType type, E cell) => Bound.Invoke(type switch
    {
        ExprType.Bool => nameof(ListFunctions.AsBool),
        ExprType.Int => nameof(ListFunctions.AsInt),
        ExprType.Double => nameof(ListFunctions.AsDouble),
        ExprType.String => nameof(ListFunctions.AsString),
        ExprType.Timestamp => nameof(ListFunctions.AsTimestamp),
        _ => nameof(ListFunctions.AsDuration),
    }, cell);

    private Bound CompareLists(Binary binary, Bound left, Bound right)
    {
        if (binary.Operator is not ("==" or "!="))
            return Error(binary.At, $"'{binary.Operator}' doesn't compare lists", "Compare an item, or the sizes");
        if (!left.Type.Fits(right.Type) && !right.Type.Fits(left.Type))
            return Error(binary.At, $"'{binary.Operator}' compares two values of one type, not {Name(left.Type)} and {Name(right.Type)}",
                "Give both lists one type");
        var doubles = E.Constant(left.Type.Element() == ExprType.Double);
        var same = Bound.Invoke(nameof(ListFunctions.Same), left.Emit(), right.Emit(), doubles);
        return Fold(binary.At, ExprType.Bool, binary.Operator == "==" ? same : E.Not(same), left, right);
    }

    private Bound BindIn(Binary binary)
    {
        var value = Bind(binary.Left);
        if (value.Type == ExprType.String && !value.IsFailed && RankedNames(binary.Right) is { } ranked) return HasName(value, ranked);
        if (binary.Right is not ListOf list) return InList(binary, value, Bind(binary.Right));
        var items = list.Items.Select(i => Item(i, value)).ToList();
        if (value.IsFailed || items.Any(i => i.IsFailed)) return Bound.Failed;
        if (items.Any(i => i.Constant is null) || value.Type is ExprType.Timestamp or ExprType.Duration)
            return InList(binary, value, ListOf(list, items));
        if (value.Place is { } place && items.Count is > 0 and <= LongestChain)
            return new Bound(ExprType.Bool, items.Select(i => IsText(place, (byte[])i.Constant!)).Aggregate(E.OrElse));
        E known = value.Type switch
        {
            ExprType.String => E.Constant(items.Select(i => (byte[])i.Constant!).ToArray()),
            ExprType.Int => E.Constant(items.Select(i => (long)i.Constant!).ToArray()),
            ExprType.Double => E.Constant(items.Select(i => (double)i.Constant!).ToArray()),
            _ => E.Constant(items.Select(i => (bool)i.Constant!).ToArray()),
        };
        return Fold(binary.At, ExprType.Bool, Bound.Invoke(nameof(ExprOps.In), value.Emit(), known), value);
    }

    private Bound Item(Syntax syntax, Bound value)
    {
        var item = Bind(syntax);
        if (item.IsFailed || value.IsFailed) return item;
        if (value.Type == ExprType.Double) item = item.Widened();
        return item.Type == value.Type && !value.Type.IsList() ? item
            : Error(syntax.Start, $"the list must hold {Name(value.Type)} like the value before 'in', not {Name(item.Type)}",
            Conversion(item.Type, value.Type));
    }

    private Bound InList(Binary binary, Bound value, Bound list)
    {
        if (list.IsFailed) return list;
        if (!list.Type.IsList())
            return Error(binary.Right.Start, "'in' needs a list on its right side", "Write it as value in ['a', 'b']");
        if (value.IsFailed) return value;
        if (list.Type.Element() == ExprType.Double) value = value.Widened();
        if (value.Type.IsList() || list.Type != ExprTypes.EmptyList && list.Type.Element() != value.Type)
            return Error(binary.Right.Start,
                $"the list must hold {Name(value.Type)} like the value before 'in', not {Name(list.Type.Element())}",
                Conversion(list.Type.Element(), value.Type));
        MakesValues = true;
        var doubles = E.Constant(value.Type == ExprType.Double);
        return Fold(binary.At, ExprType.Bool, Bound.Invoke(nameof(ListFunctions.In), Cell(value), list.Emit(), doubles), value, list);
    }

    private Bound BindMacro(Call call, Syntax target)
    {
        var list = Bind(target);
        if (list.IsFailed) return list;
        if (!list.Type.IsList())
            return Error(target.Start, $"the value before '.{call.Function}' must be list, not {Name(list.Type)}",
                $"Write a list, e.g. ['a', 'b'].{call.Function}(x, x == event.type)");
        var filtered = call.Function == "map" && call.Arguments.Count == 3;
        if (!filtered && !Counted(call, call.Function, 2)) return Bound.Failed;
        if (call.Arguments[0] is not Identifier { Name: var name } || FunctionTable.Namespaces.Contains(name) || Roots().Contains(name))
            return Error(call.Arguments[0].Start, $"{call.Function}() takes a new name first, for the items",
                $"Write it as list.{call.Function}(x, ...)");
        if (_variables.Count == EvalContext.MaxVariables)
            return Error(call.At, $"macros nest deeper than {EvalContext.MaxVariables} levels", "Split the expression");
        // Nothing is known of the items of [], and there are none.
        if (list.Type == ExprTypes.EmptyList)
            return call.Function is "map" or "filter" ? list : Bound.Of(call.Function == "all");
        var hidden = _variables.GetValueOrDefault(name);
        var (number, before) = (_variables.Values.Select(v => v.Number + 1).DefaultIfEmpty().Max(), _outermost);
        (_variables[name], _outermost) = (new Variable(number, list.Type.Element(), list.Millis), int.MaxValue);
        var result = filtered
            ? Macro(call, "map", Macro(call, "filter", list, number, call.Arguments[1]), number, call.Arguments[2])
            : Macro(call, call.Function, list, number, call.Arguments[1]);
        var outside = _outermost >= number ? int.MaxValue : _outermost;
        _outermost = Math.Min(before, outside);
        if (hidden is not null) _variables[name] = hidden;
        else _variables.Remove(name);
        return result.IsFailed || list.Constant is null || outside != int.MaxValue ? result
            : Evaluate(call.At, result.Type, result.Emit()) with { Millis = result.Millis };
    }

    private Bound Macro(Call call, string macro, Bound list, int number, Syntax body)
    {
        if (list.IsFailed) return list;
        if (macro == "map")
        {
            var item = Bind(body);
            if (item.IsFailed) return item;
            if (item.Type.IsList()) return Error(body.Start, "lists of lists are not supported", "Let map() make values");
            return Made(new Bound(item.Type | ExprType.List, Each(nameof(ListFunctions.Map), Compile<ItemExpr>(Cell(item))))
            {
                Millis = item.Millis
            });
        }
        var test = Bind(body, ExprType.Bool, $"the test of {call.Function}()");
        if (test.IsFailed) return test;
        var compiled = Compile<BoolExpr>(test.Emit());
        if (macro == "filter") return Made(new Bound(list.Type, Each(nameof(ListFunctions.Filter), compiled)) { Millis = list.Millis });
        return new Bound(ExprType.Bool, Each(macro switch
        {
            "exists" => nameof(ListFunctions.Exists),
            "all" => nameof(ListFunctions.All),
            _ => nameof(ListFunctions.ExistsOne),
        }, compiled));

        E Each(string method, Delegate each) => Bound.Invoke(method, list.Emit(), Context, E.Constant(number), E.Constant(each));
    }

    /// <summary>The context, for code that reads from it.</summary>
    private ParameterExpression Reading(int variable = -1)
    {
        _outermost = Math.Min(_outermost, variable);
        return Context;
    }

    /// <summary>The variable of a macro.</summary>
    private sealed record Variable(int Number, ExprType Type, Millis Millis)
    {
        public Bound Read(Binder binder) => Bound.Item(Type, E.ArrayAccess(
            E.Field(binder.Reading(Number), nameof(EvalContext.Variables)), E.Constant(Number))) with
        { Millis = Millis };
    }
}
