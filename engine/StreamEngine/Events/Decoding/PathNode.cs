using System.Text;

namespace StreamEngine.Events.Decoding;

/// <summary>The declared paths of a source as a tree: what is wanted below each name.</summary>
internal sealed class PathNode(string name, string path)
{
    /// <summary>The last part of the path.</summary>
    public string Name { get; } = name;

    /// <summary>The path from the record's root.</summary>
    public string Path { get; } = path;

    /// <summary>The name's bytes.</summary>
    public byte[] Utf8 { get; } = Encoding.UTF8.GetBytes(name);

    /// <summary>The name as an array's index, or -1.</summary>
    public int Index { get; } = name.Length < 9 && int.TryParse(name, System.Globalization.NumberStyles.None, null, out var index) ? index
        : -1;

    /// <summary>What is wanted further down.</summary>
    public List<PathNode> Children { get; } = [];

    /// <summary>What is wanted of the value here.</summary>
    public List<Target> Targets { get; } = [];

    /// <summary>The list that is wanted here, or null.</summary>
    public ListTarget? List { get; set; }

    /// <summary>Whether the value here is the list of consents.</summary>
    public bool Consent { get; set; }

    /// <summary>The purposes that the value here gives or does not give, as bits.</summary>
    public ulong Flags { get; set; }

    /// <summary>Whether the value here is personal data (for masking).</summary>
    public bool Masked { get; set; }

    /// <summary>Whether something is read of the value here.</summary>
    public bool IsRead => Targets.Count > 0 || Consent || Flags != 0 || List is not null;

    /// <summary>
    /// The names of a path: dots part them, a dot behind a backslash is part of a name, and so is a <c>$</c> behind one at the beginning.
    /// </summary>
    public static string[] Parts(string path) =>
        [.. RecordPart.Unescaped(path).Replace("\\.", "\0", StringComparison.Ordinal).Split('.').Select(p => p.Replace('\0', '.'))];

    /// <summary>What is wrong with a path; null where nothing is.</summary>
    public static (string Message, string Remedy)? Fault(string path)
    {
        if (path.Length == 0 || Parts(path).Any(p => p.Length == 0))
            return ($"'{path}' is no path", "Write names joined by dots, such as order.total or items.0.sku.");
        if (path[0] != '$') return null;
        return (RecordPart.All.Contains(path) ? $"'{path}' is {RecordPart.Meaning(path)}, which can't stand here"
            : $"'{path}' is no part of a record: there are {string.Join(" and ", RecordPart.All)}", $"A field that is called so is "
            + $"written '\\{path}'.");
    }

    /// <summary>The node of a path below this one, made where it is not there yet.</summary>
    public PathNode At(string path)
    {
        var node = this;
        foreach (var part in Parts(path))
        {
            var next = node.Child(part);
            var written = part.Replace(".", "\\.", StringComparison.Ordinal);
            if (next is null) node.Children.Add(next = new PathNode(part, node.Path.Length == 0 ? written : $"{node.Path}.{written}"));
            node = next;
        }
        return node;
    }

    /// <summary>The target of that slot, here or further down; null where there is none.</summary>
    public Target? Find(int slot)
    {
        foreach (var target in Targets)
            if (target.Slot == slot) return target;
        foreach (var child in Children)
            if (child.Find(slot) is { } found) return found;
        return List?.Item.Find(slot);
    }

    /// <summary>The child of that name, or null.</summary>
    public PathNode? Child(string name) => Children.Find(c => c.Name == name);

    /// <summary>The child of that name, or null.</summary>
    public PathNode? Child(ReadOnlySpan<byte> name)
    {
        foreach (var child in Children)
            if (name.SequenceEqual(child.Utf8)) return child;
        return null;
    }

    /// <summary>The child of that array index, or null.</summary>
    public PathNode? Child(int index)
    {
        foreach (var child in Children)
            if (child.Index == index) return child;
        return null;
    }
}
