using StreamEngine.Configuration;

namespace StreamEngine.Events.Decoding;

/// <summary>
/// How a time is written: a unit for numbers, ISO 8601 or a pattern for text. Without a format, numbers are milliseconds and text is ISO
/// 8601.
/// </summary>
internal sealed class TimeFormat
{
    private enum Unit : byte
    {
        Auto,
        Millis,
        Seconds,
        Micros,
        Iso,
        Pattern,
    }

    /// <summary>Numbers are milliseconds, text is ISO 8601.</summary>
    public static readonly TimeFormat Auto = new(Unit.Auto, null);
    private readonly Unit _unit;
    private readonly TimePattern? _pattern;
    private readonly TimeZoneInfo? _zone;

    private TimeFormat(Unit unit, TimePattern? pattern, TimeZoneInfo? zone = null)
    {
        _unit = unit;
        _pattern = pattern;
        _zone = zone;
    }

    /// <summary>How a time must be written, for messages.</summary>
    public override string ToString() => _unit switch
    {
        Unit.Auto => "ISO 8601 or as milliseconds since 1970 (another way needs a format)",
        Unit.Iso => "ISO 8601",
        Unit.Pattern => $"'{_pattern}'",
        _ => $"{_unit.ToString().ToLowerInvariant()} since 1970",
    };

    /// <summary>Compiles a format, or says what is wrong with it.</summary>
    /// <param name="format">As the config writes it.</param>
    /// <param name="problem">What is wrong; empty where nothing is.</param>
    /// <param name="zone">That of texts without an offset; null for UTC.</param>
    public static TimeFormat? Compile(string? format, out string problem, TimeZoneInfo? zone = null)
    {
        problem = "";
        switch (format)
        {
            case null or "": return zone is null ? Auto : new TimeFormat(Unit.Auto, null, zone);
            case "millis": return new TimeFormat(Unit.Millis, null);
            case "seconds": return new TimeFormat(Unit.Seconds, null);
            case "micros": return new TimeFormat(Unit.Micros, null);
            case "iso": return new TimeFormat(Unit.Iso, null, zone);
        }
        return TimePattern.Compile(format, out problem) is { } pattern ? new TimeFormat(Unit.Pattern, pattern, zone) : null;
    }

    /// <summary>Reads a text: a number in the unit, or a time as written.</summary>
    public bool TryText(ReadOnlySpan<byte> text, out long ms)
    {
        switch (_unit)
        {
            case Unit.Iso: return TimeText.TryIso(TimeText.Trimmed(text), out ms, _zone);
            case Unit.Pattern: return _pattern!.TryParse(text, out ms, _zone) || _pattern.TryParse(TimeText.Trimmed(text), out ms, _zone);
            case Unit.Auto: return TimeText.TryRead(text, out ms, _zone);
        }
        text = TimeText.Trimmed(text);
        var scale = _unit == Unit.Seconds ? 3 : 0;
        if (!DecimalMath.TryParse(text, scale, out ms, out _)) return false;
        if (_unit == Unit.Micros) ms = FloorDiv(ms, 1000);
        return TimeText.InRange(ms);
    }

    /// <summary>Reads a number in the unit.</summary>
    public bool TryNumber(long number, out long ms)
    {
        ms = _unit switch
        {
            Unit.Micros => FloorDiv(number, 1000),
            Unit.Seconds => number is >= TimeText.Min / 1000 and <= TimeText.Max / 1000 ? number * 1000 : long.MaxValue,
            Unit.Auto when TimeText.IsDate(number) => long.MaxValue,
            _ => number,
        };
        return _unit is not (Unit.Iso or Unit.Pattern) && TimeText.InRange(ms);
    }

    /// <summary>Reads a number in the unit.</summary>
    public bool TryNumber(double number, out long ms)
    {
        var scaled = Math.Round(number * (_unit == Unit.Seconds ? 1000 : _unit == Unit.Micros ? 0.001 : 1));
        var ok = scaled is >= TimeText.Min and <= TimeText.Max && _unit is not (Unit.Iso or Unit.Pattern)
            && (_unit != Unit.Auto || !TimeText.IsDate((long)scaled));
        ms = ok ? (long)scaled : 0;
        return ok;
    }

    /// <summary>Division that rounds down, also below zero.</summary>
    public static long FloorDiv(long value, long by) => value >= 0 ? value / by : -((-(value + 1)) / by) - 1;
}
