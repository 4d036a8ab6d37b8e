using System.Globalization;

namespace StreamEngine.Expressions.Functions;

/// <summary>Reads timestamps, durations and offsets as CEL writes them, without allocating.</summary>
internal static class TimeReader
{
    private static readonly (byte[] Name, long Nanoseconds)[] Units =
    [
        ("ns"u8.ToArray(), 1), ("us"u8.ToArray(), 1_000), ("µs"u8.ToArray(), 1_000), ("μs"u8.ToArray(), 1_000),
        ("ms"u8.ToArray(), 1_000_000), ("s"u8.ToArray(), 1_000_000_000), ("m"u8.ToArray(), 60_000_000_000),
        ("h"u8.ToArray(), 3_600_000_000_000),
    ];

    /// <summary>Reads a time of RFC 3339.</summary>
    /// <param name="text">E.g. <c>2024-02-29T12:30:00.5+01:00</c>.</param>
    /// <param name="ticks">100 nanoseconds since the year 1; may be outside the range of a <see cref="DateTime"/>.</param>
    /// <param name="exact">Whether the text is not finer than that.</param>
    public static bool TryTimestamp(ReadOnlySpan<byte> text, out long ticks, out bool exact)
    {
        (ticks, exact) = (0, true);
        if (text.Length < 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':'
            || !TryDigits(text[..4], out var year) || !TryDigits(text[5..7], out var month) || !TryDigits(text[8..10], out var day)
            || !TryDigits(text[11..13], out var hour) || !TryDigits(text[14..16], out var minute)
            || !TryDigits(text[17..19], out var second)) return false;
        if (year == 0 || month is 0 or > 12 || day == 0 || day > DateTime.DaysInMonth(year, month)) return false;
        if (hour > 23 || minute > 59 || second > 59) return false;
        ticks = new DateTime(year, month, day, hour, minute, second, DateTimeKind.Utc).Ticks;
        text = text[19..];
        if (text[0] == '.')
        {
            var digits = text[1..].IndexOfAnyExceptInRange((byte)'0', (byte)'9');
            if (digits <= 0) return false;
            var unit = TimeSpan.TicksPerSecond;
            foreach (var digit in text.Slice(1, digits))
            {
                unit /= 10;
                ticks += unit * (digit - '0');
                if (unit == 0 && digit != '0') exact = false;
            }
            text = text[(digits + 1)..];
        }
        if (text.SequenceEqual("Z"u8)) return true;
        if (text.Length != 6 || text[0] is not ((byte)'+' or (byte)'-') || text[3] != ':' || !TryDigits(text[1..3], out var hours)
            || !TryDigits(text[4..], out var minutes) || hours > 23 || minutes > 59) return false;
        ticks -= (text[0] == '-' ? -1 : 1) * (hours * TimeSpan.TicksPerHour + minutes * TimeSpan.TicksPerMinute);
        return true;
    }

    /// <summary>Reads a duration: numbers with units, <c>1h30m</c>, <c>-1.5s</c>, or <c>0</c>.</summary>
    public static bool TryDuration(ReadOnlySpan<byte> text, out Int128 nanoseconds)
    {
        nanoseconds = 0;
        var negative = text is [(byte)'-', ..];
        if (negative || text is [(byte)'+', ..]) text = text[1..];
        if (text.SequenceEqual("0"u8)) return true;
        if (text.IsEmpty) return false;
        while (!text.IsEmpty)
        {
            var whole = text.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
            if (whole is < 0 or > 18) return false;
            var (value, used, scale, digits) = ((Int128)0, whole, (Int128)1, whole);
            for (var i = 0; i < whole; i++) value = value * 10 + (text[i] - '0');
            if (text[used] == '.')
                for (used++; used < text.Length && char.IsAsciiDigit((char)text[used]); used++, digits++)
                    if (scale < 1_000_000_000_000_000) (value, scale) = (value * 10 + (text[used] - '0'), scale * 10);
            text = text[used..];
            if (digits == 0 || UnitOf(text) is not { } unit) return false;
            nanoseconds += value * unit.Nanoseconds / scale;
            if (nanoseconds > long.MaxValue) return false;
            text = text[unit.Name.Length..];
        }
        if (negative) nanoseconds = -nanoseconds;
        return true;
    }

    /// <summary>Reads an offset from UTC: <c>+05:30</c>, <c>-02:00</c>, <c>02:00</c>.</summary>
    public static bool TryOffset(string text, out TimeSpan offset)
    {
        offset = default;
        var digits = text.AsSpan(text is ['+' or '-', ..] ? 1 : 0);
        if (digits.Length != 5 || digits[2] != ':'
            || !int.TryParse(digits[..2], NumberStyles.None, CultureInfo.InvariantCulture, out var hours)
            || !int.TryParse(digits[3..], NumberStyles.None, CultureInfo.InvariantCulture, out var minutes) || minutes > 59) return false;
        offset = new TimeSpan(hours, minutes, 0);
        if (text[0] == '-') offset = -offset;
        return true;
    }

    private static (byte[] Name, long Nanoseconds)? UnitOf(ReadOnlySpan<byte> text)
    {
        foreach (var unit in Units)
            // The m of ms is not the one of minutes.
            if (text.StartsWith(unit.Name)
                && (text.Length == unit.Name.Length || text[unit.Name.Length] is (>= (byte)'0' and <= (byte)'9') or (byte)'.')) return unit;
        return null;
    }

    private static bool TryDigits(ReadOnlySpan<byte> text, out int value)
    {
        value = 0;
        foreach (var b in text)
        {
            if (b is < (byte)'0' or > (byte)'9') return false;
            value = value * 10 + (b - '0');
        }
        return true;
    }
}
