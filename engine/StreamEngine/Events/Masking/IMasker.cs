using System.Buffers;
using StreamEngine.Events.Decoding;

namespace StreamEngine.Events.Masking;

/// <summary>
/// Copies a record with the values at some paths replaced: texts by <c>***</c>, numbers by 0. A single value that stands where a path
/// steps further down is replaced as well: it may hold what was meant. Not for the way of an event: allocates.
/// </summary>
internal interface IMasker
{
    /// <summary>Writes the masked copy; false where the record can't be parsed, and then what was written means nothing.</summary>
    bool TryMask(ReadOnlySpan<byte> value, ArrayBufferWriter<byte> output);
}

/// <summary>What masking needs of a path tree.</summary>
internal static class MaskPaths
{
    /// <summary>What stands in for a text.</summary>
    public static ReadOnlySpan<byte> Mask => "***"u8;

    /// <summary>The tree of paths to mask.</summary>
    public static PathNode Tree(IEnumerable<string> paths)
    {
        var root = new PathNode("", "");
        foreach (var path in paths) root.At(path).Masked = true;
        return root;
    }

    /// <summary>
    /// What applies to an array's item: the child of its number, or the array's own children where a path names no number (then every item
    /// is meant).
    /// </summary>
    public static PathNode? Item(PathNode? node, int index) =>
        node?.Child(index) ?? (node is { Masked: false } && node.Children.TrueForAll(c => c.Index >= 0) ? null : node);
}
