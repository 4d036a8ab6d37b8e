using System.Globalization;
using System.Text.Json;
using StreamEngine.Configuration;

namespace StreamEngine.Dashboard.Components.Parts;

/// <summary>Numbers, times and words as people read them.</summary>
public static class Show
{
    private static readonly string[] Bytes = ["B", "kB", "MB", "GB", "TB"];

    /// <summary>A whole number with separators.</summary>
    public static string Count(double value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A rate: with a digit behind the point where it is small.</summary>
    public static string Rate(double value) =>
        value.ToString(value is > 0 and < 10 ? "N1" : "N0", CultureInfo.InvariantCulture);

    /// <summary>A short number for an axis: 1.2k, 3M.</summary>
    public static string Short(double value) => Math.Abs(value) switch
    {
        >= 1e9 => (value / 1e9).ToString("0.#", CultureInfo.InvariantCulture) + "G",
        >= 1e6 => (value / 1e6).ToString("0.#", CultureInfo.InvariantCulture) + "M",
        >= 1e3 => (value / 1e3).ToString("0.#", CultureInfo.InvariantCulture) + "k",
        _ => value.ToString("0.##", CultureInfo.InvariantCulture),
    };

    /// <summary>Milliseconds; a dash where there are none.</summary>
    public static string Milliseconds(double value) => !double.IsFinite(value) ? "-"
        : value >= 10_000 ? $"{(value / 1_000).ToString("N1", CultureInfo.InvariantCulture)} s"
        : $"{value.ToString(value < 10 ? "N2" : "N1", CultureInfo.InvariantCulture)} ms";

    /// <summary>A size in bytes.</summary>
    public static string Size(double bytes)
    {
        var unit = 0;
        for (; bytes >= 1_000 && unit < Bytes.Length - 1; unit++) bytes /= 1_000;
        return $"{bytes.ToString(unit == 0 ? "N0" : "N1", CultureInfo.InvariantCulture)} {Bytes[unit]}";
    }

    /// <summary>A share in percent.</summary>
    public static string Percent(double share) => share.ToString(share is > 0 and < 0.1 ? "P1" : "P0", CultureInfo.InvariantCulture);

    /// <summary>A span of time in its two largest units.</summary>
    public static string Span(TimeSpan span)
    {
        if (span < TimeSpan.Zero) return $"-{Span(-span)}";
        return span.TotalSeconds < 10 ? $"{span.TotalSeconds.ToString("N1", CultureInfo.InvariantCulture)} s"
            : span.TotalMinutes < 2 ? $"{(int)span.TotalSeconds} s"
            : span.TotalHours < 2 ? $"{(int)span.TotalMinutes} min {span.Seconds} s"
            : span.TotalDays < 2 ? $"{(int)span.TotalHours} h {span.Minutes} min"
            : $"{(int)span.TotalDays} d {span.Hours} h";
    }

    /// <summary>A date and time, UTC.</summary>
    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>A word of the config or of a record, with spaces: <c>not_eligible</c> is "not eligible".</summary>
    public static string Word(string word) => word.Replace('_', ' ').Replace('-', ' ');

    /// <summary>An enum's value as records spell it, with spaces: <c>NoConsent</c> is "no consent".</summary>
    public static string Name<T>(T value) where T : struct, Enum => Word(Spelling.Snake(value.ToString()));

    /// <summary>A feature's or a cap's number, as short as it is exact enough.</summary>
    public static string Number(double value) => value.ToString("G6", CultureInfo.InvariantCulture);

    /// <summary>A member of a JSON object as text; empty where there is none.</summary>
    public static string Text(this JsonElement record, string name) =>
        record.ValueKind != JsonValueKind.Object || !record.TryGetProperty(name, out var value) ? "" : value.ValueKind switch
        {
            JsonValueKind.String => value.GetString()!,
            JsonValueKind.Null => "",
            JsonValueKind.Number => Number(value.GetDouble()),
            _ => value.GetRawText(),
        };
}
