using System.Globalization;
using System.Text.RegularExpressions;

namespace StreamEngine.Events.Avro;

/// <summary>
/// Names that Apache's parser would refuse, such as <c>order-id</c>, under others that it takes. They bear on no byte of the data, and
/// lenient writers have them.
/// </summary>
internal sealed partial class AvroNames
{
    private readonly Dictionary<string, string> _safe = [], _given = [];

    /// <summary>Whether the specification allows the name.</summary>
    public static bool IsName(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');

    /// <summary>The name with each part that is not allowed replaced.</summary>
    public string Safe(string name) => string.Join('.', name.Split('.').Select(part =>
    {
        if (IsName(part)) return part;
        if (!_safe.TryGetValue(part, out var safe))
        {
            _safe[part] = safe = string.Create(CultureInfo.InvariantCulture, $"_streamengine_{_safe.Count}_");
            _given[safe] = part;
        }
        return safe;
    }));

    /// <summary>The name, or the text with names, as it was given.</summary>
    public string Given(string text) =>
        _given.Count == 0 ? text : Replaced().Replace(text, m => _given.GetValueOrDefault(m.Value, m.Value));

    [GeneratedRegex("_streamengine_[0-9]+_")]
    private static partial Regex Replaced();
}
