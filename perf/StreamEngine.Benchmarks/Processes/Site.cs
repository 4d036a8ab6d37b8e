using StreamEngine.Connectors;
using StreamEngine.Connectors.Embedded;
using StreamEngine.Connectors.Kafka;
using StreamEngine.Testing;

namespace StreamEngine.Benchmarks.Processes;

/// <summary>Where engines run: a log with the job's topics on it, and folders for their state.</summary>
internal sealed class Site : IDisposable
{
    public const string Events = "events";

    private readonly string _directory = Directory.CreateTempSubdirectory("streamengine-perf-").FullName;
    private readonly string? _kafka;

    /// <param name="kafka">A broker's address; null for an embedded log.</param>
    /// <param name="partitions">Partitions of each topic.</param>
    public Site(string? kafka, int partitions)
    {
        (_kafka, Partitions) = (kafka, partitions);
        using var log = Open();
        log.CreateTopics([new TopicSpec(Events, partitions)]);
    }

    /// <summary>Partitions of each topic.</summary>
    public int Partitions { get; }

    /// <summary>The config that engines run, a file of the repository.</summary>
    public string Config { get; init; } = "perf/job/streamengine.yaml";

    /// <summary>Settings of the Kafka client of <see cref="Open"/>, as <c>kafka.settings</c> has them.</summary>
    public IReadOnlyDictionary<string, string> ClientSettings { get; init; } = new Dictionary<string, string>();

    /// <summary>The log; an embedded one only while no engine runs.</summary>
    public ILog Open() => _kafka is null ? new EmbeddedLog(new EmbeddedLogOptions(Path.Combine(_directory, "log")))
        : new KafkaLog(new KafkaLogOptions { Bootstrap = _kafka, Settings = ClientSettings });

    /// <summary>Makes the topics that a run writes.</summary>
    public void CreateOutputs(string run)
    {
        using var log = Open();
        log.CreateTopics([.. new[] { Decisions(run), $"{run}-dead-letter", $"{run}-late" }.Select(t => new TopicSpec(t, Partitions)),
            new TopicSpec(Checkpoints(run), Partitions, Compacted: true)]);
    }

    public static string Decisions(string run) => $"{run}-decisions";

    public static string Checkpoints(string run) => $"{run}-checkpoints";

    /// <summary>Where a node of a run keeps its state.</summary>
    public string StateOf(string run, string node) => Path.Combine(_directory, $"state-{run}-{node}");

    /// <summary>Deletes a node's state.</summary>
    public void Lose(string run, string node)
    {
        if (Directory.Exists(StateOf(run, node))) Directory.Delete(StateOf(run, node), recursive: true);
    }

    /// <summary>Starts an engine with the job's config; <c>{run}</c> in a setting is the run's name.</summary>
    public EngineProcess Start(string run, string node, bool drain, Action<string> heard, IEnumerable<string> settings)
    {
        string[] set =
        [
            $"name={run}", $"events.shop.topic={Events}", $"outputs.decisions={Decisions(run)}", $"outputs.dead_letter={run}-dead-letter",
                $"outputs.late={run}-late",
            $"state.directory={StateOf(run, node)}", $"kafka.node_name={node}",
                .. settings.Select(s => s.Replace("{run}", run, StringComparison.Ordinal)),
        ];
        return Command(["run", .. drain ? ["--drain", "--json"] : Array.Empty<string>()], set, heard);
    }

    /// <summary>Starts a command of <c>streamengine</c> on the log with the config.</summary>
    public EngineProcess Command(string[] words, IEnumerable<string> settings, Action<string> heard) =>
        EngineProcess.Start([.. words, "--config", Repository.File(Config), .. _kafka is null
            ? new[] { "--embedded", Path.Combine(_directory, "log") } : ["--kafka", _kafka],
            .. settings.SelectMany(s => new[] { "--set", s })], heard);

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
