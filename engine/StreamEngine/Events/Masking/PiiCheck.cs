using StreamEngine.Configuration;
using StreamEngine.Events.Decoding;

namespace StreamEngine.Events.Masking;

/// <summary>
/// Holds that nothing is kept of a source's personal data: what lies in, below or above a path of <c>pii</c> is not read for anything but
/// the consent, of which nothing is kept but a yes or a no.
/// </summary>
internal sealed class PiiCheck(EventSourceOptions options, ConfigErrors errors)
{
    /// <summary>Adds every place where it is.</summary>
    public void Check()
    {
        var at = (options.Node["pii"] ?? options.Node).At;
        foreach (var path in options.Pii)
        {
            if (PathNode.Fault(path) is { } fault)
            {
                errors.Add(options.Node, "pii", fault.Message, fault.Remedy);
                continue;
            }
            foreach (var field in options.Fields)
                if (field.Paths.FirstOrDefault(p => Overlap(options.Format, p, path)) is { } wanted)
                    errors.Add(field.Node, "", $"the field '{field.Name}' {Is(wanted, path)} personal data by 'pii: {path}' "
                        + $"({at}), which is never kept", "Drop the field, or take the path out of 'pii'.");
            foreach (var (read, option) in options.Reads().Where(r => r.Option is not "consent" && !r.Option.StartsWith("fields.",
                StringComparison.Ordinal) && Overlap(options.Format, r.Path, path)))
                errors.Add(options.Node, "pii", $"'{read}' {Is(read, path)} personal data by 'pii: {path}', but the {option} "
                    + $"({(options.Node[option] ?? options.Node).At}) stands in the state, in keys and in what is written",
                    "Let the producer send a hash of it in a field of its own and name that here, or take the path out of 'pii'.");
        }
    }

    /// <summary>Whether a value that is read may hold personal data, or be part of them.</summary>
    public static bool IsPersonal(EventSourceOptions source, string read) =>
        source.Pii.Any(path => Overlap(source.Format, read, path));

    /// <summary>A column of CSV lies in no other, whatever its name.</summary>
    private static bool Overlap(RecordFormat format, string read, string path) => format == RecordFormat.Csv
        ? RecordPart.Unescaped(read) == RecordPart.Unescaped(path)
        : Overlap(PathNode.Parts(read), PathNode.Parts(path));

    /// <summary>
    /// Whether one path lies in, below or above the other. A path that steps into an array without a number means every item, so that a
    /// number of the other one's is passed over.
    /// </summary>
    private static bool Overlap(ReadOnlySpan<string> a, ReadOnlySpan<string> b)
    {
        if (a.IsEmpty || b.IsEmpty) return true;
        if (a[0] == b[0]) return Overlap(a[1..], b[1..]);
        var (aIsItem, bIsItem) = (IsItem(a[0]), IsItem(b[0]));
        return aIsItem != bIsItem && (aIsItem ? Overlap(a[1..], b) : Overlap(a, b[1..]));
    }

    private static bool IsItem(string part) => part.All(char.IsAsciiDigit);

    private static string Is(string read, string path) => PathNode.Parts(read).Length < PathNode.Parts(path).Length ? "holds" : "is";
}
