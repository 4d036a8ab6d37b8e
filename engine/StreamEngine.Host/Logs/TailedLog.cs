using StreamEngine.Connectors;
using StreamEngine.Connectors.Embedded;
using StreamEngine.Connectors.Kafka;
using StreamEngine.Host.Cli;
using StreamEngine.Host.Run;

namespace StreamEngine.Host.Logs;

/// <summary>
/// The log that is followed. An embedded one is not kept open for that, because an engine has to be the first to open it: between looks it
/// is either in another process, by way of which it is read, or nothing can come.
/// </summary>
internal sealed class TailedLog : IDisposable
{
    private readonly Invocation _call;
    private readonly KafkaOptions _options;
    private readonly string? _folder;
    private DateTime _touched;
    private bool _changed;

    /// <summary>Opens it for a first look.</summary>
    /// <exception cref="LogException">It is not there, or can't be opened.</exception>
    public TailedLog(Invocation call, KafkaOptions options)
    {
        (_call, _options, _folder) = (call, options, call.Get(LogOptions.Embedded));
        Current = LogOptions.OpenExisting(call, options);
    }

    /// <summary>The log; null between looks.</summary>
    public ILog? Current { get; private set; }

    /// <summary>Ends a look: an embedded log that is ours alone is closed.</summary>
    public void Rest()
    {
        if (Current is not EmbeddedLog) return;
        Dispose();
        Current = null;
        _changed = false;
        _touched = Directory.GetLastWriteTimeUtc(_folder!);
    }

    /// <summary>The log for another look; null where nothing can have come.</summary>
    public ILog? Again()
    {
        if (Current is not null) return Current;
        // Who opens and closes the log leaves a mark in its folder.
        _changed |= Directory.GetLastWriteTimeUtc(_folder!) != _touched;
        return Current = LogOptions.TryShare(_call) ?? (_changed ? LogOptions.OpenExisting(_call, _options) : null);
    }

    /// <summary>The process by way of which an embedded log was read has ended; false for Kafka, which is asked again.</summary>
    public bool Lost()
    {
        if (_folder is null) return false;
        Dispose();
        Current = null;
        return _changed = true;
    }

    public void Dispose() => Current?.Dispose();
}
