using StreamEngine.Connectors;
using StreamEngine.Connectors.Embedded;

namespace StreamEngine.ContractTests.Logs;

public sealed class EmbeddedTopics : TopicContract
{
    private readonly TempDirectory _directory = new();

    private protected override ILog OpenLog() => new EmbeddedLog(new EmbeddedLogOptions(_directory.Path));

    protected override void Close() => _directory.Dispose();
}

/// <summary>The embedded log by way of another one that has it open.</summary>
public sealed class SharedTopics : TopicContract
{
    private readonly TempDirectory _directory = new();
    private ILog? _owner;

    private protected override ILog OpenLog()
    {
        _owner = EmbeddedLog.OpenShared(new EmbeddedLogOptions(_directory.Path));
        return EmbeddedLog.OpenShared(new EmbeddedLogOptions(_directory.Path));
    }

    protected override void Close()
    {
        _owner?.Dispose();
        _directory.Dispose();
    }
}

public sealed class EmbeddedTransactions : TransactionContract
{
    private readonly TempDirectory _directory = new();

    protected override bool KeepsTraceParents => false;

    private protected override ILog OpenLog() => new EmbeddedLog(new EmbeddedLogOptions(_directory.Path));

    protected override void Close() => _directory.Dispose();
}

public sealed class EmbeddedDirect : DirectContract
{
    private readonly TempDirectory _directory = new();

    protected override bool KeepsTraceParents => false;

    private protected override ILog OpenLog() => new EmbeddedLog(new EmbeddedLogOptions(_directory.Path));

    protected override void Close() => _directory.Dispose();
}

public sealed class EmbeddedGroups : GroupContract
{
    private readonly TempDirectory _directory = new();

    private protected override ILog OpenLog() => new EmbeddedLog(new EmbeddedLogOptions(_directory.Path));

    protected override void Close() => _directory.Dispose();
}

/// <summary>A directory of its own, removed afterwards.</summary>
internal sealed class TempDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("log-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
