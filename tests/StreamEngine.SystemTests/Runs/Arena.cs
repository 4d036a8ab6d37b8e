using StreamEngine.Connectors;
using StreamEngine.Connectors.Embedded;
using StreamEngine.Connectors.Kafka;
using StreamEngine.Host.Cli;
using StreamEngine.SystemTests.Oracle;
using StreamEngine.SystemTests.Shop;
using StreamEngine.Testing;

namespace StreamEngine.SystemTests.Runs;

/// <summary>
/// Where one run takes place: a log, topics and a group of its own, folders that go with it, and the command lines of its engines.
/// </summary>
internal sealed class Arena : IDisposable
{
    public const int Partitions = 4;
    private static readonly Dictionary<string, string> WriterSettings = new() { ["producer.message.timeout.ms"] = "30000" };
    private readonly string? _kafka;
    private readonly int _partitions;
    private readonly string _directory;
    private readonly List<EngineProcess> _engines = [];

    /// <param name="job">The job; gets a group of its own.</param>
    /// <param name="kafka">A broker's address; null for the embedded log.</param>
    /// <param name="name">Unique among the runs on the broker.</param>
    /// <param name="partitions">Partitions of each topic.</param>
    /// <param name="disk">The folder on whose disk its files are; null for that of temporary files.</param>
    public Arena(JobDefinition job, string? kafka, string name, int partitions = Partitions, string? disk = null)
    {
        _directory = disk is null ? Directory.CreateTempSubdirectory("streamengine-chaos-").FullName
            : Directory.CreateDirectory(Path.Combine(disk, name)).FullName;
        _kafka = kafka;
        _partitions = partitions;
        Config = Path.Combine(Root, "perf", "job", job.Name == "job" ? "streamengine.yaml" : $"{job.Name}.yaml");
        Job = job with { Name = name };
        Topics = new RunTopics($"{name}-events", $"{name}-decisions", $"{name}-actions", $"{name}-dead-letter", $"{name}-late");
        using var log = OpenLog();
        log.CreateTopics([.. new[] { Topics.Events, Topics.Decisions, Topics.Actions, Topics.DeadLetter, Topics.Late }
            .Select(t => new TopicSpec(t, partitions)), new TopicSpec(CheckpointTopic, partitions, Compacted: true)]);
    }

    /// <summary>The job's config file.</summary>
    public string Config { get; }

    /// <summary>The job under the run's name.</summary>
    public JobDefinition Job { get; }

    /// <summary>The run's topics.</summary>
    public RunTopics Topics { get; }

    /// <summary>A topic for checkpoints, where a run asks for one.</summary>
    public string CheckpointTopic => $"{Job.Name}-checkpoints";

    /// <summary>Where the run's engines restored their shards from.</summary>
    public RestoreCount Restores { get; } = new();

    /// <summary>Whether the engines deliver at least once; then what comes again must be the same.</summary>
    public bool AtLeastOnce { get; init; }

    /// <summary>The repository, found from the tests' folder.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The run's log; of an embedded one, nobody else may have it open.</summary>
    public ILog OpenLog() => _kafka is null ? new EmbeddedLog(new EmbeddedLogOptions(LogDirectory))
        : new KafkaLog(new KafkaLogOptions { Bootstrap = _kafka, Settings = WriterSettings });

    /// <summary>The run's log on Kafka as an engine with these settings opens it.</summary>
    public ILog OpenLog(KafkaOptions options) =>
        new KafkaLog(new KafkaLogOptions
        {
            Bootstrap = _kafka!,
            Settings = options.Settings,
            TransactionTimeout = options.TransactionTimeout
        });

    /// <summary>Writes records, at most so many per second; 0 for as fast as it goes.</summary>
    public async Task Write(IEnumerable<InputRecord> records, int perSecond = 0)
    {
        using var log = OpenLog();
        using var writer = log.OpenWriter();
        var n = 0;
        foreach (var record in records)
        {
            writer.Write(Topics.Events, record.Key, record.Value, record.Timestamp);
            if (perSecond == 0 || ++n % (perSecond / 50) != 0) continue;
            writer.Flush();
            await Task.Delay(20);
        }
        writer.Flush();
    }

    /// <summary>Where the engines of a node keep their files.</summary>
    public string StateOf(string node) => Path.Combine(_directory, $"state-{node}");

    /// <summary>Where the embedded log lies.</summary>
    public string LogDirectory => Path.Combine(_directory, "log");

    /// <summary>Starts an engine on this run's topics.</summary>
    /// <param name="version">The model's version; null for the config's.</param>
    /// <param name="drain">Whether it ends by itself at the present end of the input.</param>
    /// <param name="node">The node's name: engines with the same name take each other's place.</param>
    /// <param name="settings">More settings, <c>path=value</c>.</param>
    public EngineProcess Start(int? version, bool drain = false, string node = "a", params string[] settings)
    {
        string[] log = _kafka is null ? ["--embedded", LogDirectory] : ["--kafka", _kafka];
        var set = Settings(version, node, settings);
        var engine = EngineProcess.Start(["run", "--log-level", "debug", "--config", Config, .. log, .. drain ? ["--drain"]
            : Array.Empty<string>(), .. set.SelectMany(s => new[] { "--set", s })], Restores.Heard);
        _engines.Add(engine);
        return engine;
    }

    /// <summary>The settings, <c>path=value</c>, of an engine on this run's topics.</summary>
    public string[] Settings(int? version, string node, params string[] settings) =>
        [
            $"name={Job.Name}", $"events.shop.topic={Topics.Events}", $"outputs.decisions={Topics.Decisions}",
                $"outputs.dead_letter={Topics.DeadLetter}", $"outputs.late={Topics.Late}",
            $"outputs.actions={(Job.Actions is null ? "" : Topics.Actions)}", $"state.directory={StateOf(node)}", $"kafka.node_name={node}",
                "state.memory=16mb",
            .. version is null ? Array.Empty<string>() : [$"models.{Job.Model}.version={version}"],
            .. AtLeastOnce ? ["runtime.delivery=at_least_once"] : Array.Empty<string>(),
            .. settings,
        ];

    /// <summary>Runs <c>leave</c> as an operator does: for the process that listens on a port, or for a node that is gone.</summary>
    /// <returns>Exit code and what was said.</returns>
    public async Task<(int Code, string Output)> Leave(int port, string? node = null)
    {
        using var said = new StringWriter();
        string[] who = node is null ? ["--set", $"http.port={port}"] : ["--node", node];
        var code = await CommandLine.RunAsync(["leave", "--config", Config, "--kafka", _kafka!, "--set", $"name={Job.Name}", "--set",
            $"events.shop.topic={Topics.Events}", .. who], said, said);
        return (code, said.ToString());
    }

    /// <summary>Runs an engine to the present end of the input.</summary>
    public async Task Drain(int? version, params string[] settings)
    {
        using var engine = Start(version, drain: true, "a", settings);
        var code = await engine.Exit(TimeSpan.FromMinutes(3));
        if (code != 0) throw new InvalidOperationException($"the draining engine ended with {code}:\n{engine.Output}");
    }

    /// <summary>Holds everything in the log against the oracle.</summary>
    /// <param name="asked">Finds what was asked for by its id; null where nobody asked.</param>
    public Report Check(Func<string, Ask?>? asked = null)
    {
        using var log = OpenLog();
        return new LogCheck(log, Job, Topics, Path.Combine(Root, "schemas"), AtLeastOnce, asked).Run();
    }

    /// <summary>What was decided, as a read-committed reader sees it.</summary>
    public List<DecisionRecord> Decisions()
    {
        using var log = OpenLog();
        return new LogCheck(log, Job, Topics, Path.Combine(Root, "schemas")).Decisions();
    }

    /// <summary>By partition of the events: where the topic ends, and what the group has committed of it.</summary>
    public (long End, long Committed)[] Offsets()
    {
        using var log = OpenLog();
        return Offsets(log);
    }

    /// <summary>The partitions' ends: an answer also where committed offsets can't be read.</summary>
    public long[] Ends()
    {
        using var log = OpenLog();
        return [.. Ends(log)];
    }

    /// <summary>The same as <see cref="Offsets()"/>, by a log that is open.</summary>
    public (long End, long Committed)[] Offsets(ILog log) => [.. Ends(log).Select((end, p) =>
        (end, log.Committed(Job.Name, new TopicPartition(Topics.Events, p)) ?? 0))];

    // All in one question: those that follow a broker through its restarts ask often.
    private IReadOnlyList<long> Ends(ILog log) =>
        log.Ends([.. Enumerable.Range(0, _partitions).Select(p => new TopicPartition(Topics.Events, p))]);

    /// <summary>Whether everything in the events topic is committed.</summary>
    public bool AllCommitted() => Offsets().All(p => p.Committed == p.End);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var engine in _engines) engine.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private static string FindRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "StreamEngine.sln"))) directory = directory.Parent;
        return directory?.FullName ?? throw new DirectoryNotFoundException("the repository is not above the tests' folder");
    }
}
