using StreamEngine.Configuration;
using StreamEngine.Decisions;
using StreamEngine.Events;
using StreamEngine.Events.Tables;
using StreamEngine.Expressions;
using StreamEngine.Features;

namespace StreamEngine.Runtime.Catalogue;

/// <summary>
/// The catalogue of a config's features: what each is, what it costs, how exact it is, and its lineage from the fields of events to the
/// models and rules that read it.
/// </summary>
public static class FeatureCatalogue
{
    /// <summary>All features, in the config's order.</summary>
    public static IReadOnlyList<FeatureEntry> Of(CompiledEngine engine)
    {
        var shapes = engine.Features.Shapes;
        var owners = shapes.SelectMany(s => Names(s).Select(name => (name, s))).ToDictionary(p => p.name, p => p.s);
        var slots = shapes.Select((_, number) => engine.Features.SlotsOf(number)).ToList();
        var lengths = engine.Layout.Slots.Where(s => s.Length > 0).ToDictionary(s => s.Offset);
        var uses = Uses(engine, owners);
        return [.. shapes.Select((shape, number) => new FeatureEntry
        {
            Name = shape.Options.Name,
            Numbers = shape.Numbers,
            Texts = shape.Texts,
            Definition = FeatureDefinition.Of(shape.Options),
            Window = shape.Options.Expr is null ? FeatureDefinition.Window(shape.Options.Window) : "",
            Unit = FeatureDefinition.Unit(shape.Options),
            Default = shape.Options.Default,
            Freshness = FeatureDefinition.Freshness(shape.Options),
            Bound = FeatureDefinition.Bound(shape.Options, IsFixed(shape.Options, engine.Events.Fields)),
            Bytes = slots[number].Sum(offset => lengths[offset].Length),
            SharedWith =
                [.. shapes.Where((_, i) => i != number && slots[i].Intersect(slots[number]).Any()).Select(other => other.Options.Name)],
            Fields = [.. Fields(shape, owners, []).Order(StringComparer.Ordinal).Select(field => Origin(field, engine.Options))],
            Reads = [.. Reads(shape).Order(StringComparer.Ordinal)],
            ReadBy = [.. uses.Where(u => u.Shape == shape).Select(u => u.Use)],
        })];
    }

    /// <summary>The feature of a name, or the one that a value of that name belongs to; null where there is none.</summary>
    /// <param name="features">All features.</param>
    /// <param name="name">The name.</param>
    /// <param name="nearest">The name that may be meant, where there is none.</param>
    public static FeatureEntry? Find(IReadOnlyList<FeatureEntry> features, string name, out string? nearest)
    {
        nearest = null;
        var found = features.FirstOrDefault(f => f.Name == name)
            ?? features.FirstOrDefault(f => f.Numbers.Contains(name) || f.Texts.Contains(name));
        if (found is null)
            nearest = KnownNames.Nearest(name, features.SelectMany(f => f.Numbers.Concat(f.Texts).Prepend(f.Name)).Distinct());
        return found;
    }

    /// <summary>The names under which expressions read a feature.</summary>
    private static IEnumerable<string> Names(FeatureShape shape) =>
        shape.IsRanked ? [shape.Options.Name, .. shape.Numbers, .. shape.Texts] : [.. shape.Numbers, .. shape.Texts];

    private static IEnumerable<string> Reads(FeatureShape shape) =>
        shape.Options.Expr is { } expr ? ExpressionCompiler.References(expr).Features : [];

    /// <summary>The fields of events that a feature is made of, also by way of other features.</summary>
    private static HashSet<string> Fields(FeatureShape shape, Dictionary<string, FeatureShape> owners, HashSet<FeatureShape> seen)
    {
        var fields = new HashSet<string>(StringComparer.Ordinal);
        if (!seen.Add(shape)) return fields;
        var feature = shape.Options;
        foreach (var text in new[] { feature.Of, feature.Where, feature.Per, feature.Weight })
            if (text is not null) fields.UnionWith(ExpressionCompiler.References(text).Event);
        if (feature.Over is { } over && ExpressionCompiler.References(over).Event.FirstOrDefault() is { } list)
            fields.UnionWith(ItemFields(feature, list));
        foreach (var read in Reads(shape)) fields.UnionWith(Fields(owners[read], owners, seen));
        return fields;
    }

    /// <summary>The fields of items that a feature reads, as LIST.FIELD; the list itself where it reads none of them.</summary>
    private static IEnumerable<string> ItemFields(FeatureOptions feature, string list) =>
        new[] { feature.Of, feature.Where, feature.Per, feature.Weight }.OfType<ExprText>()
            .SelectMany(text => ExpressionCompiler.References(text).Of("item")).Select(field => $"{list}.{field}").DefaultIfEmpty(list);

    private static IEnumerable<string> ItemOrigins(EventSourceOptions source, string field, IReadOnlyList<TableOptions> tables) =>
        field.Split('.') is not [var list, var name] ? []
            : from f in source.Fields.Where(f => f.Name == list)
              from item in f.Items.Where(i => i.Name == name)
              select $"{source.Name}: {ItemOrigin(f, item, tables)}";

    /// <summary>Where an item's field comes from: a path, or a table's field and the key that finds its row.</summary>
    private static string ItemOrigin(FieldOptions list, ItemFieldOptions item, IReadOnlyList<TableOptions> tables) =>
        item.Lookup is null || LookupText.Parse(item.Lookup) is not { } lookup ? $"{list.From ?? list.Name}[].{item.From ?? item.Name}"
            : lookup.Origin(list.Items.FirstOrDefault(i => i.Name == lookup.Key) is { Lookup: null } key ? ItemOrigin(list, key, tables)
                : $"item.{lookup.Key}", Topic(lookup, tables));

    /// <summary>Where a field comes from: a path, or a table's field and the key that finds its row.</summary>
    private static string Origin(EventSourceOptions source, FieldOptions field, IReadOnlyList<TableOptions> tables) =>
        field.Lookup is null || LookupText.Parse(field.Lookup) is not { } lookup ? field.From ?? field.Name
            : lookup.Origin(source.Fields.FirstOrDefault(f => f.Name == lookup.Key) is { Lookup: null } key ? Origin(source, key, tables)
                : $"event.{lookup.Key}", Topic(lookup, tables));

    private static string Topic(LookupText lookup, IReadOnlyList<TableOptions> tables) =>
        tables.FirstOrDefault(t => t.Name == lookup.Table)?.Topic ?? "";

    private static FieldOrigin Origin(string field, EngineOptions options) => new(field,
    [
        .. field switch
        {
            "type" => options.Events.Select(s => $"{s.Name}: {(s.Type is null ? "the source's name" : $"{s.Type}")}"),
            "time" => options.Events.Select(s => $"{s.Name}: {s.Time.Field}"),
            _ when field.Contains('.', StringComparison.Ordinal) =>
                options.Events.SelectMany(s => ItemOrigins(s, field, options.Tables)),
            _ => options.Events.SelectMany(s => s.Fields.Where(f => f.Name == field)
                .Select(f => $"{s.Name}: {Origin(s, f, options.Tables)}")),
        },
    ]);

    private static bool IsFixed(FeatureOptions feature, FieldCatalog fields)
    {
        var scope = new Scope { Event = fields };
        if (feature.Over is { } over) scope = scope with { Items = ExpressionCompiler.List(over, scope, new ConfigErrors())?.Items };
        return feature.Scale is not null || feature.Of is { } of
            && (ExpressionCompiler.PlainItem(of, scope) ?? ExpressionCompiler.PlainField(of, scope))
                is { Type: FieldType.Decimal or FieldType.Int or FieldType.Timestamp };
    }

    private static List<(FeatureShape Shape, FeatureUse Use)> Uses(CompiledEngine engine, Dictionary<string, FeatureShape> owners)
    {
        var uses = new List<(FeatureShape, FeatureUse)>();
        foreach (var shape in engine.Features.Shapes) Add("feature", shape.Options.Name, "expr", Reads(shape));
        foreach (var (name, model) in engine.Models.Models.OrderBy(m => m.Key, StringComparer.Ordinal))
            foreach (var input in model.Manifest.Inputs) Add("model", name, input, [input]);
        foreach (var offer in engine.Options.Offers)
            foreach (var (part, text) in Parts(offer))
                if (text is not null) Add("offer", offer.Name, part, ExpressionCompiler.References(text).Features);
        foreach (var experiment in engine.Options.Decisions.Experiments)
            foreach (var (part, text) in experiment.Variations.SelectMany(Parts))
                Add("experiment", experiment.Name, part, ExpressionCompiler.References(text).Features);
        foreach (var segment in engine.Options.Audiences.Segments)
            if (segment.Where is { } where) Add("segment", segment.Name, "where", ExpressionCompiler.References(where).Features);
        foreach (var quiet in engine.Options.Decisions.QuietHours)
            if (quiet.TimeZone is { } zone) Add("quiet_hours", quiet.Name, "time_zone", ExpressionCompiler.References(zone).Features);
        return uses;

        void Add(string kind, string name, string part, IEnumerable<string> read)
        {
            foreach (var shape in read.Select(owners.GetValueOrDefault).OfType<FeatureShape>().Distinct())
                uses.Add((shape, new FeatureUse(kind, name, part)));
        }
    }

    private static IEnumerable<(string Part, ExprText Text)> Parts(VariationOptions variation) =>
    [
        .. variation.Levers.Select(l => ($"lever of {l.Name} in {variation.Name}", l.By)),
        .. variation.Values.Select(t => ($"value of {t.Name} in {variation.Name}", t.Is)),
        .. variation.Contexts.Select(t => ($"context of {t.Name} in {variation.Name}", t.Is)),
    ];

    private static IEnumerable<(string Part, ExprText? Text)> Parts(OfferOptions offer) =>
    [
        ("eligible", offer.Eligible), ("applicable", offer.Applicable), ("suitable", offer.Suitable), ("context", offer.Context),
        ("value", offer.Value), .. offer.Levers.Select(l => ($"lever {l.Name}", (ExprText?)l.By)),
    ];
}
