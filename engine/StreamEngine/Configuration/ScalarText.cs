using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.RegularExpressions;

namespace StreamEngine.Configuration;

/// <summary>Reads scalars. A failure is a value: what was expected and how to write it.</summary>
public static partial class ScalarText
{
    /// <summary>How a number that is missing is written.</summary>
    public const string Missing = ".nan";

    private static readonly Dictionary<string, double> Seconds =
        new() { ["ms"] = 0.001, ["s"] = 1, ["m"] = 60, ["h"] = 3_600, ["d"] = 86_400 };

    /// <summary>How to write a duration, as a pattern.</summary>
    public const string DurationPattern = @"^([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+$|^0$";

    /// <summary>How to write a size, as a pattern.</summary>
    public const string SizePattern = "^[0-9]+ ?([kKmMgGtT]?[bB])?$";

    /// <summary>Reads text as a value of that type; null with <paramref name="fault"/> set where it is none.</summary>
    /// <param name="type">string, bool, int, long, double, an enum, TimeSpan, ByteSize or DateTimeOffset.</param>
    /// <param name="text">The text.</param>
    /// <param name="fault">What was expected, and how to write it.</param>
    public static object? Read(Type type, string text, out (string Expected, string Remedy) fault)
    {
        fault = default;
        if (type == typeof(string)) return text;
        if (type.IsEnum) return Enumerated(type, text, out fault);
        if (type == typeof(TimeSpan))
            return Duration(text) is { } d ? d
                : Fail("a duration", "Write a number and a unit: 20ms, 5s, 30m, 1h, 7d, or 1h30m", out fault);
        if (type == typeof(ByteSize))
            return Size(text) is { } b ? b : Fail("a size", "Write a number of bytes or 512kb, 64mb, 2gb", out fault);
        if (type == typeof(bool))
            return text switch
            {
                "true" or "True" => true,
                "false" or "False" => false,
                _ =>
                Fail("true or false", "Write true or false", out fault)
            };
        if (type == typeof(DateTimeOffset))
            return Time(text) is { } t ? t : Fail("a time",
                "Write ISO 8601 (2010-12-01 or 2010-12-01T08:26:00Z) or milliseconds since 1970", out fault);
        if (type == typeof(double))
            return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var x) && double.IsFinite(x) ? x
                : Fail("a number", "Write it with digits and a decimal point, e.g. 0.25", out fault);
        return Integer(type, text) ?? Fail("a whole number", "Write digits only, e.g. 1000", out fault);
    }

    /// <summary>A value as a number, for its bounds: seconds, bytes, or itself; null where bounds mean nothing.</summary>
    public static double? Magnitude(object value) => value switch
    {
        TimeSpan t => t.TotalSeconds,
        ByteSize b => b.Bytes,
        string or bool or Enum or DateTimeOffset => null,
        IConvertible c => c.ToDouble(CultureInfo.InvariantCulture),
        _ => null,
    };

    /// <summary>Writes a bound in the unit of its value's type.</summary>
    public static string Bound(object value, double bound) => value switch
    {
        TimeSpan => Duration(TimeSpan.FromSeconds(bound)),
        ByteSize => new ByteSize((long)bound).ToString(),
        _ => bound.ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>Reads a duration; null where it is none.</summary>
    public static TimeSpan? Duration(string text)
    {
        if (text == "0") return TimeSpan.Zero;
        if (!DurationRegex().IsMatch(text)) return null;
        var seconds = DurationPart().Matches(text)
            .Sum(m => double.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture) * Seconds[m.Groups[2].Value]);
        return seconds < 1e11 ? TimeSpan.FromTicks((long)Math.Round(seconds * TimeSpan.TicksPerSecond)) : null;
    }

    /// <summary>
    /// Reads a time as events have it: ISO 8601, UTC where no offset is given, or milliseconds since 1970; null where it is none.
    /// </summary>
    public static DateTimeOffset? Time(string text) =>
        TimeText.TryRead(Encoding.UTF8.GetBytes(text), out var ms) ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : null;

    /// <summary>The names of an enum as the config writes them: snake case, and kebab case where that differs.</summary>
    public static IEnumerable<string> EnumNames(Type type) =>
        Enum.GetNames(type).SelectMany(n => new[] { Spelling.Kebab(n), Spelling.Snake(n) }).Distinct();

    private static string Duration(TimeSpan t) =>
        t.TotalSeconds >= 1 && t.Ticks % TimeSpan.TicksPerDay == 0 ? $"{t.Days}d"
        : t.TotalSeconds >= 1 && t.Ticks % TimeSpan.TicksPerSecond == 0 ? $"{(long)t.TotalSeconds}s"
        : string.Create(CultureInfo.InvariantCulture, $"{t.TotalMilliseconds}ms");

    private static ByteSize? Size(string text)
    {
        var match = SizeRegex().Match(text);
        if (!match.Success || !long.TryParse(match.Groups[1].Value, CultureInfo.InvariantCulture, out var n)) return null;
        var shift = match.Groups[2].Value.ToLowerInvariant() switch { "kb" => 10, "mb" => 20, "gb" => 30, "tb" => 40, _ => 0 };
        return n <= long.MaxValue >> shift ? new ByteSize(n << shift) : null;
    }

    private static object? Enumerated(Type type, string text, out (string, string) fault)
    {
        fault = default;
        foreach (var name in Enum.GetNames(type))
            if (text == Spelling.Kebab(name) || text == Spelling.Snake(name)) return Enum.Parse(type, name);
        var names = Enum.GetNames(type).Select(Spelling.Snake).ToList();
        var near = KnownNames.Nearest(text, names);
        var all = names.Count == 1 ? names[0] : $"{string.Join(", ", names[..^1])} or {names[^1]}";
        return Fail("known here", near is null ? $"Write {all}" : $"Did you mean '{near}'? It can be {all}", out fault);
    }

    private static object? Integer(Type type, string text)
    {
        if (!BigInteger.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n)) return null;
        try
        {
            return type == typeof(int) ? (object)(int)n : type == typeof(long) ? (long)n
                : throw new NotSupportedException($"Options of type {type} can't be read.");
        }
        catch (OverflowException)
        {
            return null;
        }
    }

    private static object? Fail(string expected, string remedy, out (string, string) fault)
    {
        fault = (expected, remedy);
        return null;
    }

    [GeneratedRegex(DurationPattern)]
    private static partial Regex DurationRegex();

    [GeneratedRegex(@"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")]
    private static partial Regex DurationPart();

    [GeneratedRegex("^([0-9]+) ?([kKmMgGtT]?[bB])?$")]
    private static partial Regex SizeRegex();
}
