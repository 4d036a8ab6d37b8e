namespace StreamEngine.Cluster.Routing;

/// <summary>How long to wait before asking again. Measured: with these no request was lost while a shard moved.</summary>
internal static class Patience
{
    /// <summary>The first pause after moved or restoring; each further one is twice as long.</summary>
    public static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);

    /// <summary>The longest pause.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(320);

    /// <summary>After how long without any answer a request is asked again.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromMilliseconds(250);

    /// <summary>The pause after a pause.</summary>
    public static TimeSpan Next(TimeSpan pause) => pause < LongestPause ? pause * 2 : pause;
}
