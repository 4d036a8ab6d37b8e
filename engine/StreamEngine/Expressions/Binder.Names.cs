using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Expressions.Functions;
using E = System.Linq.Expressions.Expression;

namespace StreamEngine.Expressions;

/// <summary>Names: event, features, consent and constants.</summary>
internal sealed partial class Binder
{
    private Bound BindSelection(Selection selection)
    {
        if (selection.Of is not Identifier root || _variables.ContainsKey(root.Name))
            return Error(selection.At, $"'{selection.Member}' selects from something that has no members",
                "A name has two parts, e.g. event.value");
        if (scope.Constants.TryGetValue($"{root.Name}.{selection.Member}", out var constant)) return OfConstant(constant);
        return root.Name switch
        {
            _ when scope.Event is not null && root.Name == scope.EventName => BindEvent(selection),
            "item" when scope.Items is not null =>
                FindItem(selection, scope.Items) is { } field ? Bound.Value(field, ItemPlace(field)) : Bound.Failed,
            "features" when scope.Features is not null => BindFeature(selection, scope.Features),
            "consent" when scope.Purposes is not null => BindConsent(selection, scope.Purposes),
            _ when Constants(root.Name).Any() => Unknown(selection, root.Name, Constants(root.Name)),
            "event" or "features" or "consent" => Error(root.At, $"'{root.Name}' is not in scope here", InScope()),
            "item" => Error(root.At, "'item' is known only in a feature that goes over a list",
                "Give the feature 'over', e.g. over: event.products"),
            _ => Error(root.At, $"unknown name '{root.Name}'", NameRemedy(root.Name)),
        };
    }

    private Bound BindEvent(Selection selection)
    {
        if (selection.Member == "type" && HasTypeAndTime) return Bound.Text(E.Field(Reading(), nameof(EvalContext.Type)));
        if (selection.Member == "time" && HasTypeAndTime)
            return new Bound(ExprType.Int, E.Field(Reading(), nameof(EvalContext.Time))) { Millis = Millis.Instant };
        return FindField(selection) is not { } field ? Bound.Failed
            : !field.IsRecords ? field.Type == FieldType.List ? BindFieldList(field) : Bound.Value(field, Place(field))
            : Error(selection.At, $"'{scope.EventName}.{field.Name}' is a list of records, which are read item by item in features",
                $"Write a feature with over: {scope.EventName}.{field.Name}; size({scope.EventName}.{field.Name}) counts the items");
    }

    /// <summary>A field with a list of single values.</summary>
    private Bound BindFieldList(Field field)
    {
        var items = E.Field(Reading(), nameof(EvalContext.Items));
        var item = field.Items!.Fields[0];
        if (item.Type == FieldType.Decimal)
            return Made(new Bound(ExprType.List | ExprType.Double, Bound.Invoke(nameof(ListFunctions.DecimalsOf), Place(field), items,
                E.Constant(Math.Pow(10, item.Scale)))));
        var value = Bound.Value(item, Place(field));
        return new Bound(ExprType.List | value.Type, Bound.Invoke(nameof(ListFunctions.ItemsOf), Place(field), items))
        {
            Millis = value.Millis,
        };
    }

    /// <summary>The field that an expression names, where that is a list of records; null elsewhere.</summary>
    private Field? RecordList(Syntax syntax) => scope.Event is not null && syntax is Selection { Of: Identifier root } selection
        && root.Name == scope.EventName && !_variables.ContainsKey(root.Name)
        && scope.Event.Find(selection.Member) is { IsRecords: true } field ? field : null;

    private Field? FindItem(Selection selection, FieldCatalog items)
    {
        if (items.IsSingle)
        {
            Error(selection.At, "the items of this list are single values and have no fields", "Write item alone");
            return null;
        }
        var field = items.Find(selection.Member);
        if (field is null && !items.Unusable.Contains(selection.Member)) Unknown(selection, "item", items.Fields.Select(f => f.Name));
        return field;
    }

    /// <summary>The cell of the item's field.</summary>
    private E ItemPlace(Field field)
    {
        var context = Reading();
        E at = E.Field(context, nameof(EvalContext.Item));
        return E.ArrayAccess(E.Property(E.Field(context, nameof(EvalContext.Items)), nameof(ItemCells.Cells)),
            field.Index == 0 ? at : E.Add(at, E.Constant(field.Index)));
    }

    private Field? FindField(Selection selection)
    {
        var field = scope.Event!.Find(selection.Member);
        if (field is null && !scope.Event.Unusable.Contains(selection.Member))
            Unknown(selection, scope.EventName, EventMembers());
        return field;
    }

    private E Place(Field field) => E.ArrayAccess(E.Field(Reading(), nameof(EvalContext.Fields)), E.Constant(field.Index));

    private Bound BindFeature(Selection selection, IReadOnlyList<string> names)
    {
        var index = IndexOf(names, selection.Member);
        if (index >= 0) return new Bound(ExprType.Double, E.ArrayIndex(Vector(), At(index)));
        if (scope.Texts.Texts.FirstOrDefault(t => t.Name == selection.Member) is { } text)
            return new Bound(ExprType.String, Bound.Invoke(nameof(VectorFunctions.TextIn), Vector(), At(text.Place)));
        if (RankedNames(selection) is not { } ranked) return Unknown(selection, "features", FeatureMembers());
        return Made(new Bound(ExprType.String | ExprType.List,
            Bound.Invoke(nameof(VectorFunctions.NamesIn), Vector(), At(ranked.Place), E.Constant(ranked.Count))));
    }

    /// <summary>The feature that a name is, where it is a list of names with weights.</summary>
    private NamesFeature? RankedNames(Syntax syntax) =>
        scope.Features is not null && syntax is Selection { Of: Identifier { Name: "features" } } selection
            ? scope.Texts.Ranked.FirstOrDefault(r => r.Name == selection.Member) : null;

    private Bound HasName(Bound name, NamesFeature ranked) => new(ExprType.Bool,
        Bound.Invoke(nameof(VectorFunctions.HasName), name.Emit(), Vector(), At(ranked.Place), E.Constant(ranked.Count)));

    private Bound WeightOf(Bound name, NamesFeature ranked) => new(ExprType.Double, Bound.Invoke(nameof(VectorFunctions.WeightOf),
        name.Emit(), Vector(), At(ranked.Place), E.Constant(ranked.Count), At(ranked.Weights)));

    private E Vector() => E.Field(Reading(), nameof(EvalContext.Features));

    /// <summary>A place of the feature vector, in its array.</summary>
    private E At(int place)
    {
        E at = E.Field(Reading(), nameof(EvalContext.FeatureBase));
        return place > 0 ? E.Add(at, E.Constant(place)) : at;
    }

    private IEnumerable<string> FeatureMembers() =>
        [.. scope.Features!, .. scope.Texts.Texts.Select(t => t.Name), .. scope.Texts.Ranked.Select(r => r.Name)];

    private Bound BindConsent(Selection selection, IReadOnlyList<string> purposes)
    {
        var bit = IndexOf(purposes, selection.Member);
        if (bit < 0) return Unknown(selection, "consent", purposes);
        var masked = E.And(E.Field(Reading(), nameof(EvalContext.Consent)), E.Constant(1UL << bit));
        return new Bound(ExprType.Bool, E.NotEqual(masked, E.Constant(0UL)));
    }

    private Bound Unknown(Selection selection, string root, IEnumerable<string> names)
    {
        var known = names.ToList();
        var nearest = KnownNames.Nearest(selection.Member, known);
        return Error(selection.At, $"unknown name '{root}.{selection.Member}'",
            nearest is not null ? $"Did you mean {root}.{nearest}?" : $"Known: {Listed(known.Select(n => $"{root}.{n}").ToList())}");
    }

    private string NameRemedy(string name)
    {
        var roots = Roots().ToList();
        if (roots.Contains(name)) return $"Select from it, e.g. {name}.{Members(name).FirstOrDefault() ?? "NAME"}";
        // Someone who writes 'value' most likely means event.value.
        foreach (var root in roots)
            if (Members(root).Contains(name)) return $"Did you mean {root}.{name}?";
        return KnownNames.Nearest(name, roots) is { } nearest ? $"Did you mean {nearest}?" : InScope();
    }

    private string InScope() => Roots().Any() ? $"In scope: {string.Join(", ", Roots().Select(r => $"{r}.*"))}"
        : "Only literals are in scope";

    private IEnumerable<string> Roots() =>
        new[] { scope.EventName, "item", "features", "consent" }.Where(r => Members(r).Any())
            .Concat(scope.Constants.Keys.Select(k => k.Split('.')[0])).Distinct();

    private IEnumerable<string> Members(string root) => root switch
    {
        _ when scope.Event is not null && root == scope.EventName => EventMembers(),
        "item" when scope.Items is not null => scope.Items.Fields.Select(f => f.Name),
        "features" when scope.Features is not null => FeatureMembers(),
        "consent" when scope.Purposes is not null => scope.Purposes,
        _ => Constants(root),
    };

    private bool HasTypeAndTime => scope.EventName == "event";

    private IEnumerable<string> EventMembers() =>
        scope.Event!.Fields.Select(f => f.Name).Concat(HasTypeAndTime ? ["type", "time"] : Array.Empty<string>());

    private IEnumerable<string> Constants(string root) =>
        scope.Constants.Keys.Where(k => k.StartsWith(root + '.', StringComparison.Ordinal)).Select(k => k[(root.Length + 1)..]);

    private static string Listed(List<string> names) =>
        names.Count <= 10 ? string.Join(", ", names) : $"{string.Join(", ", names.Take(10))} and {names.Count - 10} more";

    private static int IndexOf(IReadOnlyList<string> names, string name)
    {
        for (var i = 0; i < names.Count; i++)
            if (names[i] == name) return i;
        return -1;
    }
}
