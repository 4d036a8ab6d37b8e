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
            "features" when scope.Features is not null => BindFeature(selection, scope.Features),
            "consent" when scope.Purposes is not null => BindConsent(selection, scope.Purposes),
            _ when Constants(root.Name).Any() => Unknown(selection, root.Name, Constants(root.Name)),
            "event" or "features" or "consent" => Error(root.At, $"'{root.Name}' is not in scope here", InScope()),
            _ => Error(root.At, $"unknown name '{root.Name}'", NameRemedy(root.Name)),
        };
    }

    private Bound BindEvent(Selection selection)
    {
        if (selection.Member == "type" && HasTypeAndTime) return Bound.Text(E.Field(Reading(), nameof(EvalContext.Type)));
        if (selection.Member == "time" && HasTypeAndTime)
            return new Bound(ExprType.Int, E.Field(Reading(), nameof(EvalContext.Time))) { Millis = Millis.Instant };
        return FindField(selection) is { } field ? Bound.Value(field, Place(field)) : Bound.Failed;
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
        new[] { scope.EventName, "features", "consent" }.Where(r => Members(r).Any())
            .Concat(scope.Constants.Keys.Select(k => k.Split('.')[0])).Distinct();

    private IEnumerable<string> Members(string root) => root switch
    {
        _ when scope.Event is not null && root == scope.EventName => EventMembers(),
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
