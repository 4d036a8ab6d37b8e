using FASTER.core;

namespace StreamEngine.Connectors.Embedded;

/// <summary>Where an embedded log lives and what it may take.</summary>
/// <param name="Directory">The log's own directory; made where it is missing. One process at a time has it open.</param>
public sealed record EmbeddedLogOptions(string Directory)
{
    /// <summary>Bytes of a page, a power of two: a record with its key must fit in one.</summary>
    public int PageBytes { get; init; } = 4 << 20;

    /// <summary>Bytes of memory for what is being written, a power of two and at least four pages.</summary>
    public int WriteMemoryBytes { get; init; } = 16 << 20;

    /// <summary>Bytes of a file, a power of two and at least a page.</summary>
    public long SegmentBytes { get; init; } = 256L << 20;

    /// <summary>Bytes of memory for what was written or read last.</summary>
    public long CacheBytes { get; init; } = 32L << 20;

    /// <summary>Makes the device that the log is written to; tests give one that loses or refuses writes.</summary>
    internal Func<string, IDevice>? Device { get; init; }
}
