using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Events.Decoding;

namespace StreamEngine.Events.Tables;

/// <summary>Compiles the lookups of one source. Fields that look into one table by one key share one look.</summary>
internal sealed class LookupCompiler(EventSourceOptions source, FieldCatalog catalog, TableSet tables, ConfigErrors errors)
{
    private readonly List<Look> _looks = [];

    /// <summary>The lookups, in an order in which a key is there before it is looked up; none where no rows were read.</summary>
    public Lookup[] Compiled =>
    [
        .. _looks.Where(l => tables.IsLookedUp(l.Table))
            .Select(l => new Lookup(tables.RowsOf(l.Table), l.Table.Index, l.List, l.Width, l.Key, l.Fields)),
    ];

    /// <summary>What a lookup takes its value from; null, with the mistake told, where there is no such thing.</summary>
    /// <param name="lookup">The lookup's text.</param>
    /// <param name="ofItem">Whether it is for the items of a list.</param>
    /// <param name="tables">The tables.</param>
    /// <param name="node">Where the lookup stands.</param>
    /// <param name="errors">Takes the mistake.</param>
    public static Field? FieldOf(string lookup, bool ofItem, TableSet tables, ConfigNode node, ConfigErrors errors)
    {
        var root = ofItem ? "item" : "event";
        if (LookupText.Parse(lookup) is not { } text || text.IsOfItem != ofItem)
        {
            errors.Add(node, "lookup", $"'{lookup}' is no lookup {(ofItem ? "of an item" : "of an event")}",
                $"Write TABLE[{root}.KEY].FIELD, such as products[{root}.sku].category.");
            return null;
        }
        if (tables.Find(text.Table) is not { } table)
        {
            errors.Add(node, "lookup", $"there is no table '{text.Table}'",
                KnownNames.Hint(text.Table, [.. tables.Shapes.Select(s => s.Name)], "tables"));
            return null;
        }
        if (table.Fields.Find(text.Field) is { } field) return field;
        if (!table.Fields.Unusable.Contains(text.Field))
            errors.Add(node, "lookup", $"the table '{text.Table}' has no field '{text.Field}'",
                KnownNames.Hint(text.Field, [.. table.Fields.Fields.Select(f => f.Name)], $"fields of '{text.Table}'"));
        return null;
    }

    /// <summary>Adds a field of the event that is looked up.</summary>
    public void Add(FieldOptions field)
    {
        foreach (var (given, key) in new[] { (field.From is not null, "from"), (field.Node["type"] is not null, "type"),
            (field.Items.Count > 0, "items") })
            if (given) errors.Add(field.Node, key, $"'{field.Name}' is looked up, so it has no '{key}' of its own",
                "Take it out, or take out 'lookup'.");
        if (LookupText.Parse(field.Lookup!) is not { } text || catalog.Find(field.Name) is not { } slot) return;
        var names = source.Fields.Select(f => (f.Name, IsLookedUp: f.Lookup is not null)).ToList();
        Add(text, slot, names, catalog, -1, field.Default, field.Node);
    }

    /// <summary>Adds a field of a list's items that is looked up.</summary>
    public void Add(Field list, FieldOptions of, ItemFieldOptions item)
    {
        foreach (var (given, key) in new[] { (item.From is not null, "from"), (item.Node["type"] is not null, "type") })
            if (given) errors.Add(item.Node, key, $"'{item.Name}' is looked up, so it has no '{key}' of its own",
                "Take it out, or take out 'lookup'.");
        if (LookupText.Parse(item.Lookup!) is not { } text || list.Items!.Find(item.Name) is not { } slot) return;
        var names = of.Items.Select(i => (i.Name, IsLookedUp: i.Lookup is not null)).ToList();
        Add(text, slot, names, list.Items!, list.Index, item.Default, item.Node);
    }

    private void Add(LookupText text, Field to, List<(string Name, bool IsLookedUp)> declared, FieldCatalog fields, int list,
        string? standIn, ConfigNode node)
    {
        var root = text.IsOfItem ? "item" : "event";
        if (tables.Find(text.Table) is not { } table || table.Fields.Find(text.Field) is not { } column) return;
        var at = declared.FindIndex(f => f.Name == text.Key);
        if (at < 0)
            errors.Add(node, "lookup", $"there is no field '{text.Key}' with the key in the source '{source.Name}'",
                KnownNames.Hint(text.Key, [.. declared.Select(f => f.Name)], $"names behind '{root}.'"));
        else if (declared[at].IsLookedUp && at >= declared.FindIndex(f => f.Name == to.Name))
            errors.Add(node, "lookup", $"'{root}.{text.Key}' is looked up itself, and stands behind '{to.Name}'",
                $"Declare '{text.Key}' before '{to.Name}'.");
        else if (fields.Find(text.Key) is { } key && key.Type != table.KeyType)
            errors.Add(node, "lookup", $"'{root}.{text.Key}' is {Word(key.Type)}, and the keys of '{text.Table}' are {Word(table.KeyType)}",
                $"Declare both as string or both as int ({table.Options.Node.At}).");
        var value = default(FieldValue);
        if (standIn is not null && !TryRead(standIn, table.Options.Fields.First(f => f.Name == text.Field).Type, ref value))
            errors.Add(node, "default", $"'{standIn}' is no {Word(column.Type)}",
                $"Write a value of the type of '{text.Table}.{text.Field}', or leave it out: then the field is absent.");
        if (fields.Find(text.Key) is not { } by) return;
        var look = _looks.Find(l => l.Table == table && l.List == list && l.Key == by.Index);
        if (look is null) _looks.Add(look = new Look(table, list, fields.Count, by.Index));
        look.Fields.Add(new LookedUp(to.Index, column.Index, value));
    }

    private static bool TryRead(string text, string type, ref FieldValue value)
    {
        if (!FieldTypeText.TryParse(type, out var of, out var scale, out var time, out _)) return true;
        var bytes = Encoding.UTF8.GetBytes(text);
        return Conversion.FromText(new Target(0, "", of, scale, time), bytes, 0, bytes.Length, ref value) == Faults.None;
    }

    private static string Word(FieldType type) => Spelling.Snake($"{type}");

    /// <summary>What is looked up by one key.</summary>
    private sealed record Look(TableShape Table, int List, int Width, int Key)
    {
        public List<LookedUp> Fields { get; } = [];
    }
}
