using StreamEngine.Events.Decoding;

namespace StreamEngine.Events;

/// <summary>
/// The config's words for what a record has beside its value. A path names a field; a field that is called like one of these is written
/// with a backslash before the <c>$</c>.
/// </summary>
public static class RecordPart
{
    /// <summary>The record's key.</summary>
    public const string Key = "$key";

    /// <summary>The record's timestamp, as the log has it.</summary>
    public const string Timestamp = "$timestamp";

    /// <summary>Both.</summary>
    public static IReadOnlyList<string> All { get; } = [Key, Timestamp];

    /// <summary>A path without the backslash that tells a field from a part of the record: a CSV column's name.</summary>
    public static string Unescaped(string path) => path.StartsWith("\\$", StringComparison.Ordinal) ? path[1..] : path;

    /// <summary>The names of a path, from the record's root.</summary>
    public static IReadOnlyList<string> Names(string path) => PathNode.Parts(path);

    /// <summary>What is wrong with a path; null where nothing is.</summary>
    public static (string Message, string Remedy)? Fault(string path) => PathNode.Fault(path);

    /// <summary>What it is, in words.</summary>
    public static string Meaning(string part) => part == Key ? "the record's key" : "the record's own time";
}
