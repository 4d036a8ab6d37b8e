using System.Globalization;

namespace StreamEngine.Decisions;

/// <summary>
/// A decision's id in its parts: the engine's name and the position of the cause. The decision's record stands in the decision topic's
/// partition of the same number.
/// </summary>
/// <param name="Engine">The engine's name.</param>
/// <param name="Topic">The source topic of the cause.</param>
/// <param name="Partition">The partition, which is the shard.</param>
/// <param name="Offset">The offset of the record that caused it.</param>
/// <param name="Ordinal">Which of that offset's decisions it is, from 0.</param>
public readonly record struct DecisionId(string Engine, string Topic, int Partition, long Offset, int Ordinal)
{
    private const int Parts = 4;

    /// <summary>Reads an id. It is taken apart from its end, as an engine's name may hold slashes; a topic's can't.</summary>
    public static bool TryParse(string text, out DecisionId id)
    {
        id = default;
        var parts = new string[Parts];
        var end = text.Length;
        for (var i = Parts - 1; i >= 0; i--)
        {
            var slash = end > 0 ? text.LastIndexOf('/', end - 1) : -1;
            if (slash < 0) return false;
            parts[i] = text[(slash + 1)..end];
            end = slash;
        }
        if (end == 0 || parts[0].Length == 0 || !Number(parts[1], int.MaxValue, out var partition)
            || !Number(parts[2], long.MaxValue, out var offset) || !Number(parts[3], int.MaxValue, out var ordinal)) return false;
        id = new DecisionId(text[..end], parts[0], (int)partition, offset, (int)ordinal);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Engine}/{Topic}/{Partition}/{Offset}/{Ordinal}");

    /// <summary>
    /// A number as ids have it. A position may stand before the first record of all (-1), where a request came before any event.
    /// </summary>
    private static bool Number(string text, long most, out long number) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number) && number >= -1 && number <= most
        && number.ToString(CultureInfo.InvariantCulture) == text;
}
