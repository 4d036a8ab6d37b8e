namespace StreamEngine.Expressions;

/// <summary>
/// An evaluation error of CEL. While the engine runs it has a defined value (a zero, or the nearest end of a range) and is counted; among
/// constants it is a config error.
/// </summary>
public static class ExprFault
{
    [ThreadStatic]
    private static string? _last;

    private static long _total;

    /// <summary>How many evaluation errors there were since the process began.</summary>
    public static long Total => Interlocked.Read(ref _total);

    /// <summary>Notes an error. The message is a constant text, so that nothing is allocated.</summary>
    internal static void Raise(string message)
    {
        _last = message;
        Interlocked.Increment(ref _total);
    }

    /// <summary>Evaluates constants.</summary>
    /// <returns>The last error, or null where there was none.</returns>
    internal static string? During(Action evaluation)
    {
        _last = null;
        var before = Total;
        evaluation();
        // The errors of constants are told as mistakes of the config; only those of a running engine are counted.
        if (_last is not null) Interlocked.Add(ref _total, before - Total);
        return _last;
    }
}
