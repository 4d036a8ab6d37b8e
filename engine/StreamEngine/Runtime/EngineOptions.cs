using System.Numerics;
using StreamEngine.Configuration;
using StreamEngine.Decisions;
using StreamEngine.Decisions.Audiences;
using StreamEngine.Decisions.Outcomes;
using StreamEngine.Events;
using StreamEngine.Events.Tables;
using StreamEngine.Features;
using StreamEngine.Inference;
using StreamEngine.State;

namespace StreamEngine.Runtime;

/// <summary>
/// The config of an engine. A program that puts more around it (a connector, an endpoint) derives its own root from this one, with a
/// section for each.
/// </summary>
[Doc("The config of a StreamEngine: what events look like, which features are kept, which offers there are and how one is chosen.")]
public record EngineOptions : ILocated
{
    [Doc("The engine's name: the consumer group and the prefix of transactional ids.")]
    public string Name { get; init; } = "streamengine";

    [Doc("Where Avro schemas are found.")]
    public SchemaOptions Schemas { get; init; } = new();

    [Doc("The event sources.")]
    [Keyed]
    public IReadOnlyList<EventSourceOptions> Events { get; init; } = [];

    [Doc("Tables of reference data, from which fields of events are looked up by key. Their files are read at the start.")]
    [Keyed]
    public IReadOnlyList<TableOptions> Tables { get; init; } = [];

    [Doc("Event time.")]
    public TimeOptions Time { get; init; } = new();

    [Doc("Duplicates by event id.")]
    public DuplicateOptions Duplicates { get; init; } = new();

    [Doc("Purposes that customers consent to, at most 64.")]
    public IReadOnlyList<string> Purposes { get; init; } = [];

    [Doc("The features, in the order of the vector.")]
    [Keyed]
    public IReadOnlyList<FeatureOptions> Features { get; init; } = [];

    [Doc("Event-time timers.")]
    [Keyed]
    public IReadOnlyList<TimerOptions> Timers { get; init; } = [];

    [Doc("The models.")]
    [Keyed]
    public IReadOnlyList<ModelOptions> Models { get; init; } = [];

    [Doc("When and how decisions are made.")]
    public DecisionOptions Decisions { get; init; } = new();

    [Doc("The offers.")]
    [Keyed]
    public IReadOnlyList<OfferOptions> Offers { get; init; } = [];

    [Doc("What becomes of decisions: the events that are their outcomes. Where absent, no outcomes are recorded.")]
    public OutcomeOptions? Outcomes { get; init; }

    [Doc("Segments of customers: who enters and leaves them is written to outputs.audiences.")]
    public AudienceOptions Audiences { get; init; } = new();

    [Doc("Decisions and profiles that are asked for, beside those that events and timers cause.")]
    public RequestOptions Requests { get; init; } = new();

    [Doc("The topics that are written.")]
    public OutputOptions Outputs { get; init; } = new();

    [Doc("The state store.")]
    public StateOptions State { get; init; } = new();

    [Doc("Checkpoints of the state, so that a restart re-reads little.")]
    public CheckpointOptions Checkpoints { get; init; } = new();

    [Doc("What can be switched off at run time: an offer, a channel, a model, a budget, everything.")]
    public ControlOptions Control { get; init; } = new();

    [Doc("The numbers that all shards share: what is spent of budgets, and what each shard may spend.")]
    public SharingOptions Shared { get; init; } = new();

    [Doc("The loop.")]
    public RuntimeOptions Runtime { get; init; } = new();

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}

/// <summary>How the engine writes what others read.</summary>
public enum OutputFormat
{
    /// <summary>Avro behind Confluent's header.</summary>
    Avro,

    /// <summary>One JSON object a record, in UTF-8.</summary>
    Json,
}

/// <summary>The topics that are written.</summary>
public sealed record OutputOptions : ILocated
{
    [Doc("The topic of actions whose channel has no topic of its own; empty writes no actions (the decision record has all of them).")]
    public string Actions { get; init; } = "actions";

    [Doc("Topics of single channels: channel to topic.")]
    public IReadOnlyDictionary<string, string> Channels { get; init; } = new Dictionary<string, string>();

    [Doc("The topic of decision records: the engine's own log of what it decided; as many partitions as the sources.")]
    public string Decisions { get; init; } = "decisions";

    [Doc("The topic of rejected records.")]
    public string DeadLetter { get; init; } = "dead-letter";

    [Doc("The topic of late records.")]
    public string Late { get; init; } = "late";

    [Doc("The topic of what became of decisions; written where outcomes are declared.")]
    public string Outcomes { get; init; } = "outcomes";

    [Doc("The topic of who enters and leaves segments; written where segments are declared.")]
    public string Audiences { get; init; } = "audiences";

    [Doc("How actions, outcomes, audiences and dead letters are written: avro (Confluent's wire format), or json (one object a record with "
        + "the same fields). Decision records are Avro, as the engine reads them back; late records stay as they were read.")]
    public OutputFormat Format { get; init; } = OutputFormat.Avro;

    [Doc("Whether the outputs' schemas are registered at the start, where schemas.registry is a URL, under TOPIC-value. With false they "
        + "must be there, and are looked up.")]
    public bool Register { get; init; } = true;

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}

/// <summary>Which store keeps the profiles.</summary>
public enum StoreKind
{
    /// <summary>FASTER: memory first, the rest on disk.</summary>
    Faster,

    /// <summary>Memory only, for tests and small runs.</summary>
    Memory,
}

/// <summary>The state store.</summary>
public sealed record StateOptions : ILocated
{
    [Doc("faster or memory.")]
    public StoreKind Store { get; init; } = StoreKind.Faster;

    [Doc("The folder for checkpoints and for profiles that do not fit into memory. Where absent, the latter go to a temporary folder, and "
        + "no checkpoints are kept.")]
    public string? Directory { get; init; }

    [Doc("Memory for profiles per shard.")]
    [Bounds(1 << 20, 1L << 40)]
    public ByteSize Memory { get; init; } = ByteSize.Mb(256);

    /// <summary>
    /// The most bytes of a profile: with its key it must fit on a page of the store, and the largest page is a quarter of the memory.
    /// </summary>
    public int LargestProfile => (int)Math.Min(StateLayout.MaxProfileBytes,
        Store == StoreKind.Memory ? long.MaxValue : (1L << BitOperations.Log2((ulong)Memory.Bytes)) / 4 - StateLayout.BesideProfile);

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}

/// <summary>Checkpoints of the state.</summary>
public sealed record CheckpointOptions : ILocated
{
    [Doc("How often each shard's changed profiles are written, to state.directory and to the topic; a restart re-reads the events since "
        + "then. 0s keeps no checkpoints.")]
    [Bounds(0, 86_400)]
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(30);

    [Doc("A compacted topic for checkpoints as well, from which any machine restores a shard; as many partitions as the sources. Empty "
        + "writes none.")]
    public string Topic { get; init; } = "";

    [Doc("On how many other nodes each shard's checkpoints are kept up to date from the topic, so that a take-over there re-reads only the "
        + "events since; needs topic and state.directory.")]
    [Bounds(0, 8)]
    public int Standbys { get; init; }

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}

/// <summary>What becomes of a record in a partition that its key does not hash to.</summary>
public enum WrongPartitionFate
{
    /// <summary>Counted and processed where it is.</summary>
    Count,

    /// <summary>Rejected to the dead letter.</summary>
    Refuse,
}

/// <summary>What is promised of the outputs.</summary>
public enum Delivery
{
    /// <summary>Outputs, decisions and offsets in one transaction: readers of committed records see everything once.</summary>
    ExactlyOnce,

    /// <summary>Outputs at once, without transactions; after a crash some come again, with the same ids.</summary>
    AtLeastOnce,
}

/// <summary>The loop.</summary>
public sealed record RuntimeOptions : ILocated
{
    [Doc("exactly_once: outputs and offsets in one transaction. at_least_once: outputs at once, without one; after a crash the last "
        + "interval's come again with the same ids.")]
    public Delivery Delivery { get; init; } = Delivery.ExactlyOnce;

    [Doc("Threads with a consumer and a producer each.")]
    [Bounds(1, 256)]
    public int Workers { get; init; } = 1;

    [Doc("How often outputs, decisions and offsets are committed together.")]
    [Bounds(0.001, 10)]
    public TimeSpan CommitInterval { get; init; } = TimeSpan.FromMilliseconds(20);

    [Doc("The most records of one poll.")]
    [Bounds(1, 100_000)]
    public int MaxPollRecords { get; init; } = 1_000;

    [Doc("Commits early when the interval's outputs grow to this size.")]
    [Bounds(1 << 10, 1 << 30)]
    public ByteSize MaxIntervalBytes { get; init; } = ByteSize.Mb(16);

    [Doc("A record larger than this is rejected.")]
    [Bounds(64, 1L << 30)]
    public ByteSize MaxRecordBytes { get; init; } = ByteSize.Mb(1);

    [Doc("A record in a partition that its key does not hash to: count or refuse.")]
    public WrongPartitionFate WrongPartition { get; init; } = WrongPartitionFate.Count;

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}
