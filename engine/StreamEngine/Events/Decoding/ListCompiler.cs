using StreamEngine.Configuration;
using StreamEngine.Events.Tables;

namespace StreamEngine.Events.Decoding;

/// <summary>
/// Collects what the items of lists have, over all sources: sources that declare a list of the same name share it, each may name other
/// fields of its items, and a field that two of them name must have the same type.
/// </summary>
internal sealed class ListCompiler(ConfigErrors errors, TableSet tables)
{
    private readonly Dictionary<string, Plan> _plans = [];

    /// <summary>Whether a field is declared as a list.</summary>
    public static bool IsList(FieldOptions options) => options.Items.Count > 0 || options.Type.Trim() == "list"
        || FieldTypeText.ItemsOf(options.Type) is not null;

    /// <summary>What the items of a list have, once all sources were declared.</summary>
    public FieldCatalog ItemsOf(string list) => new(_plans[list].Fields) { Unusable = _plans[list].Unusable };

    /// <summary>Takes a list's declaration; false, with the mistakes told, where it can't be used.</summary>
    public bool Declare(FieldOptions options)
    {
        if (options.Items.Count == 0 && FieldTypeText.ItemsOf(options.Type) is null)
        {
            errors.Add(options.Node, "type", $"the list '{options.Name}' does not say what its items are",
                "Write 'items' with the fields of a record, e.g. items: { sku: string, price: decimal(2) }, or a type such as "
                + "list(string).");
            return false;
        }
        var isSingle = options.Items.Count == 0;
        if (!isSingle && options.Type.Trim() is not "list" && (options.Node["type"] is not null || options.Type != "string"))
        {
            errors.Add(options.Node, "type", $"'{options.Name}' has 'items', so it is a list of records, and no {options.Type}",
                "Take out 'type', or take out 'items'.");
            return false;
        }
        if (!_plans.TryGetValue(options.Name, out var plan))
            _plans[options.Name] = plan = new Plan(isSingle, options.Node.At);
        else if (plan.IsSingle != isSingle)
        {
            errors.Add(options.Node, "", $"the list '{options.Name}' has other items at {plan.At}",
                "Sources that declare the same name share the list: let both be of records or of single values.");
            return false;
        }
        if (isSingle) return DeclareItem(plan, options.Node, "type", "", FieldTypeText.ItemsOf(options.Type)!);
        foreach (var item in options.Items)
        {
            if (item.Name.Length == 0 || char.IsAsciiDigit(item.Name[0]) || !item.Name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_'))
                errors.Add(item.Node, "", $"'{item.Name}' can't be used in an expression",
                    "Use letters, digits and _, and give the item's own name as 'from'.");
            if (item.Lookup is null) DeclareItem(plan, item.Node, "type", item.Name, item.Type);
            else if (LookupCompiler.FieldOf(item.Lookup, ofItem: true, tables, item.Node, errors) is { } from)
                DeclareItem(plan, item.Node, "lookup", item.Name, from.Type, from.Scale);
            else plan.Unusable.Add(item.Name);
        }
        return true;
    }

    private bool DeclareItem(Plan plan, ConfigNode node, string key, string name, string text)
    {
        if (!FieldTypeText.TryParse(text, out var type, out var scale, out _, out var problem))
        {
            errors.Add(node, key, problem, "An item has single values: string, double, decimal(N), int, bool, timestamp.");
            plan.Unusable.Add(name);
            return false;
        }
        DeclareItem(plan, node, key, name, type, scale);
        return true;
    }

    private void DeclareItem(Plan plan, ConfigNode node, string key, string name, FieldType type, int scale)
    {
        if (plan.Fields.Find(f => f.Name == name) is not { } known)
            plan.Fields.Add(new Field(plan.Fields.Count, name, type, scale));
        else if (known.Type != type || known.Scale != scale)
            errors.Add(node, key,
                $"items of this list have another type{(name.Length == 0 ? "" : $" of '{name}'")} in the list at {plan.At}",
                "Sources that declare the same list share it: give both the same type, or the list another name with 'from'.");
    }

    /// <summary>A list while sources are declared.</summary>
    private sealed record Plan(bool IsSingle, ConfigLocation At)
    {
        public List<Field> Fields { get; } = [];

        public HashSet<string> Unusable { get; } = [];
    }
}
