using System.Globalization;

namespace StreamEngine.Configuration;

/// <summary>
/// Reads times written as text, without allocating. Where no offset is written, the time is of the zone that is given, else UTC.
/// </summary>
public static class TimeText
{
    /// <summary>0001-01-01 and 9999-12-31, ms since 1970: nothing outside is a time.</summary>
    public const long Min = -62_135_596_800_000, Max = 253_402_300_799_999;

    /// <summary>The text says no offset.</summary>
    internal const int NoOffset = int.MinValue;

    /// <summary>
    /// The one grammar of a time whose format is not told, for events, labels and the command line: ISO 8601, or a number of milliseconds
    /// since 1970. A number whose digits are a date (20240305, 20240305103000) is no time: which of the two it is can't be known.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> text, out long ms, TimeZoneInfo? zone = null)
    {
        text = Trimmed(text);
        if (DecimalMath.TryParse(text, 0, out ms, out _)) return InRange(ms) && !IsDate(ms) && !IsDate(text);
        return TryIso(text, out ms, zone);
    }

    /// <summary>Whether there can be such a time.</summary>
    public static bool InRange(long ms) => ms is >= Min and <= Max;

    /// <summary>Whether digits read as yyyyMMdd or yyyyMMddHHmmss of the years 1900 to 2099.</summary>
    public static bool IsDate(ReadOnlySpan<byte> text)
    {
        var at = 0;
        int hour = 0, minute = 0, second = 0;
        return text.Length is 8 or 14 && Digits(text, ref at, 4, 4, out var year) && year is >= 1900 and <= 2099
            && Digits(text, ref at, 2, 2, out var month) && Digits(text, ref at, 2, 2, out var day)
            && (text.Length == 8 || Digits(text, ref at, 2, 2, out hour) && Digits(text, ref at, 2, 2, out minute)
                && Digits(text, ref at, 2, 2, out second))
            && TryMake(year, month, day, hour, minute, second, 0, 0, out _);
    }

    /// <summary>Whether a number's digits read as such a date.</summary>
    public static bool IsDate(long number)
    {
        if (number is not (>= 19000101 and <= 20991231 or >= 19000101_000000 and <= 20991231_235959)) return false;
        Span<byte> digits = stackalloc byte[20];
        return number.TryFormat(digits, out var length, default, CultureInfo.InvariantCulture) && IsDate(digits[..length]);
    }

    /// <summary>A text without blanks and tabs around it, as exports pad their columns.</summary>
    public static ReadOnlySpan<byte> Trimmed(ReadOnlySpan<byte> text) =>
        text.Length > 0 && (text[0] is (byte)' ' or (byte)'\t' || text[^1] is (byte)' ' or (byte)'\t') ? text.Trim(" \t"u8) : text;

    /// <summary>ISO 8601 extended: yyyy-MM-dd, then optionally T or a blank, HH:mm, :ss, a fraction, and Z or an offset.</summary>
    public static bool TryIso(ReadOnlySpan<byte> text, out long ms, TimeZoneInfo? zone = null)
    {
        ms = 0;
        var at = 0;
        if (!Digits(text, ref at, 4, 4, out var year) || !Mark(text, ref at, '-') || !Digits(text, ref at, 2, 2, out var month)
            || !Mark(text, ref at, '-') || !Digits(text, ref at, 2, 2, out var day))
            return false;
        if (at == text.Length) return TryMake(year, month, day, 0, 0, 0, 0, NoOffset, out ms, zone);
        if (text[at] is not ((byte)'T' or (byte)'t' or (byte)' ')) return false;
        at++;
        int second = 0, milli = 0;
        if (!Digits(text, ref at, 2, 2, out var hour) || !Mark(text, ref at, ':') || !Digits(text, ref at, 2, 2, out var minute))
            return false;
        if (Mark(text, ref at, ':') && !Digits(text, ref at, 2, 2, out second)) return false;
        if ((Mark(text, ref at, '.') || Mark(text, ref at, ',')) && !Fraction(text, ref at, out milli)) return false;
        return Zone(text, ref at, out var offset) && at == text.Length
            && TryMake(year, month, day, hour, minute, second, milli, offset, out ms, zone);
    }

    /// <summary>Reads from <paramref name="least"/> to <paramref name="most"/> digits.</summary>
    internal static bool Digits(ReadOnlySpan<byte> text, ref int at, int least, int most, out int value)
    {
        value = 0;
        var from = at;
        for (; at < text.Length && at - from < most && (uint)(text[at] - '0') <= 9; at++) value = value * 10 + text[at] - '0';
        return at - from >= least;
    }

    /// <summary>Reads a fraction of a second: any number of digits, of which three count.</summary>
    internal static bool Fraction(ReadOnlySpan<byte> text, ref int at, out int milli)
    {
        milli = 0;
        var from = at;
        for (var unit = 100; at < text.Length && (uint)(text[at] - '0') <= 9; at++, unit /= 10) milli += unit * (text[at] - '0');
        return at > from;
    }

    /// <summary>Reads Z, +hh:mm, +hhmm or +hh, or nothing; the offset is in minutes, or <see cref="NoOffset"/>.</summary>
    internal static bool Zone(ReadOnlySpan<byte> text, ref int at, out int offset)
    {
        offset = NoOffset;
        if (at == text.Length) return true;
        offset = 0;
        if (Mark(text, ref at, 'Z') || Mark(text, ref at, 'z')) return true;
        if (text[at] is not ((byte)'+' or (byte)'-')) return false;
        var sign = text[at++] == '-' ? -1 : 1;
        if (!Digits(text, ref at, 2, 2, out var hours)) return false;
        Mark(text, ref at, ':');
        var minutes = 0;
        if (at < text.Length && !Digits(text, ref at, 2, 2, out minutes)) return false;
        offset = sign * (hours * 60 + minutes);
        return hours <= 14 && minutes < 60;
    }

    /// <summary>
    /// Milliseconds since 1970 of a civil time; false where there is no such time. Second 60 (a leap second) counts as the next minute's 0.
    /// Of a local time that the clocks showed twice, the second counts (standard time); one that they skipped is that of a clock that was
    /// not put forward.
    /// </summary>
    public static bool TryMake(int year, int month, int day, int hour, int minute, int second, int milli, int offset, out long ms,
        TimeZoneInfo? zone = null)
    {
        ms = 0;
        if (year is < 1 or > 9999 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month)) return false;
        if (hour > 24 || hour == 24 && (minute | second | milli) != 0 || minute > 59 || second > 60) return false;
        ms = new DateTime(year, month, day).Ticks / TimeSpan.TicksPerMillisecond + Min;
        ms += ((hour * 60L + minute) * 60 + second) * 1000 + milli;
        if (offset != NoOffset) ms -= offset * 60_000L;
        else if (zone is not null && InRange(ms))
            ms -= zone.GetUtcOffset(new DateTime((ms - Min) * TimeSpan.TicksPerMillisecond)).Ticks / TimeSpan.TicksPerMillisecond;
        return InRange(ms);
    }

    private static bool Mark(ReadOnlySpan<byte> text, ref int at, char mark)
    {
        if (at >= text.Length || text[at] != mark) return false;
        at++;
        return true;
    }
}
