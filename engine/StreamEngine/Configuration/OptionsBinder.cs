using System.Collections;

namespace StreamEngine.Configuration;

/// <summary>
/// Makes option records from config nodes, by reflection over the records alone: property names are snake case, a list marked <see
/// cref="KeyedAttribute"/> is a mapping, a record marked <see cref="ShorthandAttribute"/> may be a bare scalar. Every mistake is added to
/// the errors; binding goes on with the default.
/// </summary>
public static class OptionsBinder
{
    /// <summary>How many unknown names of one mapping are told one by one.</summary>
    private const int MostUnknown = 100;

    /// <summary>Binds a node to a record; what the node does not say keeps the record's default.</summary>
    public static T Bind<T>(ConfigNode node, ConfigErrors errors) where T : ILocated =>
        (T)(Record(OptionShape.Of(typeof(T)), node, null, errors) ?? Activator.CreateInstance<T>());

    private static object? Value(OptionShape shape, ConfigNode node, ConfigErrors errors) => shape.Kind switch
    {
        ShapeKind.Scalar => Scalar(shape, node, errors),
        ShapeKind.List => List(shape, node, errors),
        ShapeKind.Keyed => Keyed(shape, node, errors),
        ShapeKind.Texts => Texts(node, errors),
        ShapeKind.OneOrMore => OneOrMore(node, errors),
        ShapeKind.OneOrNamed => OneOrNamed(node, errors),
        _ => Record(shape, node, null, errors),
    };

    /// <summary>
    /// A record from a mapping, or from a scalar where it has a shorthand; <paramref name="key"/> is its name in a keyed list.
    /// </summary>
    private static object? Record(OptionShape shape, ConfigNode node, string? key, ConfigErrors errors)
    {
        var shorthand = shape.Shorthand;
        if ((node.Items is not null && !shape.TakesList) || (node.Scalar is not null && shorthand is null))
            return Wrong(node, shorthand is null ? "a mapping" : "a mapping or a single value",
                "Indent its options below it, one 'name: value' a line", errors);

        var record = Activator.CreateInstance(shape.Type)!;
        shape.Type.GetProperty(nameof(ILocated.Node))!.SetValue(record, node);
        if (key is not null) shape.Type.GetProperty("Name")!.SetValue(record, key);
        if (node.Scalar is not null || node.Items is not null) Set(record, OptionShape.Of(shorthand!), node, errors);

        var members = OptionShape.Members(shape.Type, key is not null);
        var unknown = 0;
        foreach (var (name, value) in node.Entries ?? [])
        {
            var member = members.FirstOrDefault(m => m.Name == name);
            if (member is null)
            {
                if (unknown++ < MostUnknown) Unknown(name, value, members, errors);
            }
            else if (!IsNull(value)) Set(record, member, value, errors);
        }
        if (unknown > MostUnknown)
            errors.Add(node.At, $"{unknown - MostUnknown} more names here are no options", "Give the right file");
        return record;
    }

    private static void Set(object record, OptionShape member, ConfigNode node, ConfigErrors errors)
    {
        if (Value(member, node, errors) is { } value) member.Property!.SetValue(record, value);
    }

    private static void Unknown(string name, ConfigNode node, IReadOnlyList<OptionShape> members, ConfigErrors errors)
    {
        var near = KnownNames.Nearest(name, members.Select(m => m.Name));
        var known = string.Join(", ", members.Select(m => m.Name));
        if (IsNull(node) && name.AsSpan().ContainsAny("()'\" "))
            errors.Add(node.At, $"'{name}' is no option here",
                "A comma inside { } begins the next option: put a value that holds one in quotes, or write one option a line");
        else errors.Add(node.At, $"'{name}' is no option here", near is null ? $"The options are: {known}"
            : $"Did you mean '{near}'? The options are: {known}");
    }

    private static object? Scalar(OptionShape shape, ConfigNode node, ConfigErrors errors)
    {
        if (node.Scalar is null) return Wrong(node, "a single value", "Write one value behind the name", errors);
        if (shape.MayBeMissing && node.Scalar.Equals(ScalarText.Missing, StringComparison.OrdinalIgnoreCase)) return double.NaN;
        var value = ScalarText.Read(shape.Type, node.Scalar, out var fault);
        if (value is null) return Wrong(node, fault.Expected, fault.Remedy, errors);
        if (shape.Bounds is not { } bounds || ScalarText.Magnitude(value) is not { } size || (size >= bounds.Min && size <= bounds.Max))
            return value;
        errors.AddUnreadable(node.At, $"'{Spelling.Short(node.Scalar)}' is out of bounds",
            $"Choose from {ScalarText.Bound(value, bounds.Min)} to {ScalarText.Bound(value, bounds.Max)}");
        return null;
    }

    private static object? List(OptionShape shape, ConfigNode node, ConfigErrors errors)
    {
        if (node.Items is null)
            return Wrong(node, "a list", node.Scalar is null ? "Write its items one a line behind '- '"
                : $"Write [{Spelling.Short(node.Scalar)}]", errors);
        var list = NewList(shape.Item.Type);
        foreach (var item in node.Items)
            if (Value(shape.Item, item, errors) is { } value) list.Add(value);
        return list;
    }

    private static object? Keyed(OptionShape shape, ConfigNode node, ConfigErrors errors)
    {
        if (node.Entries is null)
            return Wrong(node, "a mapping of names", "Write the entries as 'name:' with their options indented below", errors);
        var list = NewList(shape.Item.Type);
        foreach (var (name, value) in node.Entries)
        {
            if (string.IsNullOrWhiteSpace(name) || name.Any(char.IsControl))
                errors.Add(value.At, $"'{Printable.Text(name)}' is no name", "Write a name that is not empty, on one line");
            else if (Record(shape.Item, value, name, errors) is { } record) list.Add(record);
        }
        return list;
    }

    private static OneOrMore? OneOrMore(ConfigNode node, ConfigErrors errors)
    {
        if (node.Scalar is not null) return node.Scalar;
        if (node.Items is null)
            return (OneOrMore?)Wrong(node, "one value or a list of them", "Write one, or several as [first, second]", errors);
        if (node.Items.Count == 0) return (OneOrMore?)Wrong(node, "a list with values", "Write at least one", errors);
        var all = new List<string>();
        foreach (var item in node.Items)
            if (item.Scalar is not null) all.Add(item.Scalar);
            else Wrong(item, "a single value", "Write one value an item", errors);
        return all.Count == node.Items.Count ? new OneOrMore(all) : null;
    }

    private static OneOrNamed? OneOrNamed(ConfigNode node, ConfigErrors errors)
    {
        if (node.Scalar is not null) return node.Scalar;
        if (node.Entries is not null) return Texts(node, errors) is { } texts ? new OneOrNamed([.. texts]) : null;
        return (OneOrNamed?)Wrong(node, "one value or a mapping of names to values", "Write one value, or { name: value, ... }", errors);
    }

    private static Dictionary<string, string>? Texts(ConfigNode node, ConfigErrors errors)
    {
        if (node.Entries is null)
            return (Dictionary<string, string>?)Wrong(node, "a mapping of names to values", "Write one 'name: value' a line", errors);
        var texts = new Dictionary<string, string>();
        foreach (var (name, value) in node.Entries)
        {
            if (value.Items is null && value.Entries is null) texts[name] = value.Scalar ?? "";
            else Wrong(value, "a single value", "Write one value behind the name", errors);
        }
        return texts;
    }

    private static IList NewList(Type item) => (IList)Activator.CreateInstance(typeof(List<>).MakeGenericType(item))!;

    private static bool IsNull(ConfigNode node) => node.Scalar is null && node.Items is null && node.Entries is null;

    private static object? Wrong(ConfigNode node, string expected, string remedy, ConfigErrors errors)
    {
        // Where a mapping belongs, a single value may be that of a setting in it, and a secret.
        var found = node.Scalar is not null ? expected.StartsWith("a mapping", StringComparison.Ordinal) ? "a single value"
            : $"'{Spelling.Short(node.Scalar)}'" : node.Items is not null ? "a list" : node.Entries is not null
            ? "a mapping" : "nothing";
        errors.AddUnreadable(node.At, $"{found} is not {expected}", remedy);
        return null;
    }
}
