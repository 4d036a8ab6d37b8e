namespace StreamEngine.Configuration;

/// <summary>One value from the command line or the environment that replaces the file's.</summary>
/// <param name="Source">Its name in messages, e.g. <c>--set time.lateness</c>.</param>
/// <param name="Path">Where it goes, from the root; dots inside a name may have been split.</param>
/// <param name="Value">The value; its place is made up from <paramref name="Source"/>.</param>
/// <param name="IgnoreCase">Whether names match without regard to case, as environment variables do; what is not there yet is taken as
/// written.</param>
public sealed record ConfigOverride(string Source, IReadOnlyList<string> Path, ConfigNode Value, bool IgnoreCase = false);

/// <summary>
/// Puts overrides into a tree of nodes before it is bound: entries of keyed lists go by name, list items by index (one past the last
/// appends), and what follows a mapping of free names is one name with its dots (<c>kafka.settings.security.protocol</c>).
/// </summary>
public static class ConfigOverrides
{
    /// <summary>The tree for <typeparamref name="T"/> with the overrides in it, later ones last.</summary>
    public static ConfigNode Apply<T>(ConfigNode root, IEnumerable<ConfigOverride> overrides, ConfigErrors errors) where T : ILocated
    {
        foreach (var o in overrides) root = Put(root, OptionShape.Of(typeof(T)), o, 0, errors);
        return root;
    }

    private static ConfigNode Put(ConfigNode? node, OptionShape? shape, ConfigOverride o, int depth, ConfigErrors errors)
    {
        if (depth == o.Path.Count) return At(o.Value, Place(o, depth));
        // A bare list that stands for a mapping is opened to it, unless the path goes on with an item's number.
        var isItem = node?.Items is not null && !(shape?.TakesList == true && !int.TryParse(o.Path[depth], out _));
        if (isItem || (node is null && shape?.Kind == ShapeKind.List)) return PutItem(node, shape, o, depth, errors);

        var entries = Opened(node, shape).ToList();
        var (name, used) = shape?.Kind == ShapeKind.Texts
            ? (TextName(entries, shape, o, depth), o.Path.Count - depth)
            : Existing(entries, o, depth) ?? (o.Path[depth], 1);
        var index = entries.FindIndex(e => e.Key == name);
        var changed = Put(index < 0 ? null : entries[index].Value, Below(shape, name), o, depth + used, errors);
        if (index < 0) entries.Add(new(name, changed));
        else entries[index] = new(name, changed);
        return new ConfigNode(node?.At ?? Place(o, depth)) { Entries = entries };
    }

    private static ConfigNode PutItem(ConfigNode? node, OptionShape? shape, ConfigOverride o, int depth, ConfigErrors errors)
    {
        var items = node?.Items?.ToList() ?? [];
        if (!int.TryParse(o.Path[depth], out var index) || index < 0 || index > items.Count)
        {
            errors.Add(Place(o, depth + 1), $"'{o.Path[depth]}' is no index of a list with {items.Count} items",
                $"Write a number from 0 to {items.Count}, where {items.Count} appends");
            return node ?? new ConfigNode(Place(o, depth)) { Items = [] };
        }
        var changed = Put(index < items.Count ? items[index] : null, shape?.Kind == ShapeKind.List ? shape.Item
            : null, o, depth + 1, errors);
        if (index < items.Count) items[index] = changed;
        else items.Add(changed);
        return new ConfigNode(node?.At ?? Place(o, depth)) { Items = items };
    }

    /// <summary>A mapping's entries; a shorthand becomes the mapping it stands for, any other scalar is replaced.</summary>
    private static IReadOnlyList<KeyValuePair<string, ConfigNode>> Opened(ConfigNode? node, OptionShape? shape) =>
        node?.Entries ?? ((node?.Scalar ?? (object?)node?.Items) is not null && shape?.Shorthand is { } s
            ? [new(Spelling.Snake(s.Name), node!)] : []);

    /// <summary>The entry that the path's next parts name: the longest that is there, so that a name may hold dots.</summary>
    private static (string Name, int Used)? Existing(List<KeyValuePair<string, ConfigNode>> entries, ConfigOverride o, int depth)
    {
        for (var used = o.Path.Count - depth; used > 0; used--)
        {
            var wanted = string.Join('.', o.Path.Skip(depth).Take(used));
            foreach (var (name, _) in entries)
                if (name.Equals(wanted, o.IgnoreCase ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal)) return (name, used);
        }
        return null;
    }

    /// <summary>
    /// The free name that the rest of the path is. Environment variables have no dots: where names are written with them, an underscore
    /// stands for one (<c>SASL_PASSWORD</c>), but for that of <c>_file</c> at the end.
    /// </summary>
    private static string TextName(List<KeyValuePair<string, ConfigNode>> entries, OptionShape shape, ConfigOverride o, int depth)
    {
        var name = string.Join('.', o.Path.Skip(depth));
        if (!o.IgnoreCase || shape.Property?.IsDefined(typeof(DottedAttribute), false) != true) return name;
        const string file = "_file";
        var dotted = name.EndsWith(file, StringComparison.Ordinal) ? name[..^file.Length].Replace('_', '.') + file
            : name.Replace('_', '.');
        return entries.Find(e => e.Key.Equals(name, StringComparison.OrdinalIgnoreCase)
            || e.Key.Equals(dotted, StringComparison.OrdinalIgnoreCase)).Key ?? dotted;
    }

    private static OptionShape? Below(OptionShape? shape, string name) => shape?.Kind switch
    {
        ShapeKind.Keyed => shape.Item,
        ShapeKind.Record => OptionShape.Members(shape.Type, false).FirstOrDefault(m => m.Name == name),
        _ => null,
    };

    private static ConfigLocation Place(ConfigOverride o, int depth) => new(o.Source, 0, 0, string.Join('.', o.Path.Take(depth)));

    private static ConfigNode At(ConfigNode value, ConfigLocation at) => new(at)
    {
        Scalar = value.Scalar,
        Items = value.Items is null ? null : [.. value.Items.Select((item, i) => At(item, at with { Path = $"{at.Path}.{i}" }))],
        Entries = value.Entries is null ? null
            : [.. value.Entries.Select(e => KeyValuePair.Create(e.Key, At(e.Value, at with { Path = $"{at.Path}.{e.Key}" })))],
    };
}
