using System.Globalization;
using StreamEngine.Configuration;

namespace StreamEngine.Events.Decoding;

/// <summary>
/// A declared type as the config writes it: <c>string</c>, <c>double</c>, <c>decimal(2)</c>, <c>int</c>, <c>bool</c>, <c>timestamp</c>,
/// <c>timestamp(seconds)</c>.
/// </summary>
internal static class FieldTypeText
{
    public const string Valid =
        "string, double, decimal(N) with N from 0 to 9, int, bool, timestamp, timestamp(FORMAT), and list(TYPE) of these";
    private static readonly string[] Names = ["string", "double", "decimal(2)", "int", "bool", "timestamp", "list(string)"];

    /// <summary>The type of a list's items, as <c>list(TYPE)</c> has it; null where the text is none.</summary>
    public static string? ItemsOf(string text)
    {
        text = text.Trim();
        return text.StartsWith("list(", StringComparison.Ordinal) && text[^1] == ')' ? text[5..^1] : null;
    }

    /// <summary>Reads a type; false with the reason where there is none.</summary>
    public static bool TryParse(string text, out FieldType type, out int scale, out TimeFormat time, out string problem,
        TimeZoneInfo? zone = null)
    {
        (type, scale, time, problem) = (FieldType.String, 0, TimeFormat.Auto, "");
        text = text.Trim();
        switch (text)
        {
            case "string": return true;
            case "double": type = FieldType.Double; return true;
            case "int": type = FieldType.Int; return true;
            case "bool": type = FieldType.Bool; return true;
            case "timestamp":
                type = FieldType.Timestamp;
                time = TimeFormat.Compile(null, out _, zone)!;
                return true;
        }
        var open = text.IndexOf('(');
        if (open > 0 && text[^1] == ')')
        {
            var argument = text[(open + 1)..^1].Trim();
            if (text[..open] == "decimal")
            {
                type = FieldType.Decimal;
                var number = int.TryParse(argument, NumberStyles.None, CultureInfo.InvariantCulture, out scale);
                if (number && scale <= DecimalMath.MaxScale) return true;
                problem = number
                    ? $"decimal({scale}) could not hold ordinary amounts: the largest scale is decimal({DecimalMath.MaxScale}), for "
                        + "amounts up to 9.2 billion"
                    : $"'{argument}' is no number of digits from 0 to {DecimalMath.MaxScale}";
                return false;
            }
            if (text[..open] == "timestamp")
            {
                type = FieldType.Timestamp;
                time = TimeFormat.Compile(argument, out var wrong, zone) ?? TimeFormat.Auto;
                problem = wrong.Length == 0 ? "" : $"the time format '{argument}' can't be used: {wrong}";
                return problem.Length == 0;
            }
        }
        problem = $"'{text}' is no type{KnownNames.DidYouMean(text, Names)}";
        return false;
    }
}
