using System.Globalization;
using System.Text;

namespace StreamEngine.Configuration;

/// <summary>How C# names are written in configs, in records and as metric labels.</summary>
public static class Spelling
{
    /// <summary><c>MaxPollRecords</c> as <c>max_poll_records</c>.</summary>
    public static string Snake(string name) => Join(name, '_');

    /// <summary><c>DeadLetter</c> as <c>dead-letter</c>.</summary>
    public static string Kebab(string name) => Join(name, '-');

    /// <summary>The beginning of a text that may be of any length, for a message.</summary>
    public static string Short(string text) => text.Length <= 80 ? text : $"{text[..80]}...";

    /// <summary>A duration as configs have it, in its largest whole unit: <c>90m</c>.</summary>
    public static string Duration(TimeSpan time) =>
        time.Ticks % TimeSpan.TicksPerDay == 0 ? $"{time.Ticks / TimeSpan.TicksPerDay}d"
        : time.Ticks % TimeSpan.TicksPerHour == 0 ? $"{time.Ticks / TimeSpan.TicksPerHour}h"
        : time.Ticks % TimeSpan.TicksPerMinute == 0 ? $"{time.Ticks / TimeSpan.TicksPerMinute}m"
        : time.Ticks % TimeSpan.TicksPerSecond == 0 ? $"{time.Ticks / TimeSpan.TicksPerSecond}s"
        : string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds}ms");

    private static string Join(string name, char separator)
    {
        var text = new StringBuilder(name.Length + 4);
        foreach (var c in name)
        {
            if (char.IsUpper(c) && text.Length > 0) text.Append(separator);
            text.Append(char.ToLowerInvariant(c));
        }
        return text.ToString();
    }
}
