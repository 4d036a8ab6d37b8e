using System.Diagnostics;

namespace StreamEngine.Telemetry;

/// <summary>
/// The engine's traces: every span is made from this source, so one name switches all of them on. Without a listener they cost nothing.
/// </summary>
public static class EngineTraces
{
    /// <summary>The source's name, for <c>AddSource</c>.</summary>
    public const string Name = "StreamEngine";

    /// <summary>The source.</summary>
    public static ActivitySource Source { get; } = new(Name);
}
