using Confluent.Kafka;

namespace StreamEngine.Connectors.Kafka;

/// <summary>Kafka as the engine's log, by Confluent.Kafka and librdkafka. Thread-safe; what it opens is not.</summary>
public sealed class KafkaLog : ILog
{
    private const string OpenTransaction = "A transaction that holds it is still open: list and abort it with kafka-transactions.sh.";

    /// <summary>After how long a wait for somebody else's transaction is told; again at widening intervals.</summary>
    private static readonly TimeSpan FirstTold = TimeSpan.FromSeconds(30);

    private readonly KafkaLogOptions _options;
    private readonly Lazy<IAdminClient> _admin;
    private readonly Lazy<TopicOffsets> _offsets;
    private readonly Lazy<GroupOffsets> _groups;
    private readonly KafkaTopics _topics;
    private readonly Calls _calls;

    /// <summary>What the last attempt to connect met: a timed-out request does not say.</summary>
    private volatile string? _connection;

    /// <summary>A log at the cluster that the options name; connects at the first use.</summary>
    /// <exception cref="LogException">A setting is refused (names all of them), or librdkafka is missing.</exception>
    public KafkaLog(KafkaLogOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        NativeLibrarySetup.Ensure();
        KafkaSettings.ThrowIfInvalid(options);
        _options = options;
        _admin = new Lazy<IAdminClient>(() => Clients.Make(new AdminClientBuilder(KafkaSettings.Client(options))
            .SetLogHandler((_, line) => ClientLog.Tell(options, line))
            .SetErrorHandler((_, error) => OnError(error))
            .Build));
        _calls = new Calls(options.Stop);
        _groups = new Lazy<GroupOffsets>(() => new GroupOffsets(options, _calls));
        _offsets = new Lazy<TopicOffsets>(() => new TopicOffsets(options, _calls, OnError));
        _topics = new KafkaTopics(options, () => _admin.Value, () => _offsets.Value, _calls, () => _connection);
    }

    /// <inheritdoc/>
    public TimeSpan TransactionTimeout => _options.TransactionTimeout;

    /// <inheritdoc/>
    public int Partitions(string topic) => _topics.Partitions(topic);

    /// <inheritdoc/>
    public string? TopicId(string topic) => _topics.Id(topic);

    /// <inheritdoc/>
    public IReadOnlyList<string> CreateTopics(IReadOnlyList<TopicSpec> topics) => _topics.Create(topics);

    /// <inheritdoc/>
    public IReadOnlyList<TopicInfo> ListTopics() => _topics.List();

    /// <inheritdoc/>
    public (long Low, long High) Watermarks(TopicPartition partition) => _topics.Watermarks([partition])[0];

    /// <inheritdoc/>
    public IReadOnlyList<long> Ends(IReadOnlyList<TopicPartition> partitions) => Ends(partitions, TimeSpan.FromSeconds(5));

    /// <summary>High watermarks in the order asked.</summary>
    internal IReadOnlyList<long> Ends(IReadOnlyList<TopicPartition> partitions, TimeSpan patience) => _topics.Ends(partitions, patience);

    /// <inheritdoc/>
    public long? Committed(string group, TopicPartition partition)
    {
        var tell = FirstTold;
        for (var wait = new Waiting(_options.Patience, _options.Stop); ;)
        {
            var answer = _groups.Value.Ask(group, partition);
            if (answer.Error.Code == ErrorCode.NoError) return answer.Offset.Value >= 0 ? answer.Offset.Value : null;
            var pending = answer.Error.Code == ErrorCode.UnstableOffsetCommit;
            if (!pending && KafkaErrors.IsLasting(answer.Error.Code))
                throw KafkaErrors.Lasting(answer.Error.Code, $"group {group}", answer.Error.Reason);
            if (!wait.Again())
                throw new LogException($"group {group}: the committed offset of {partition.Topic}[{partition.Partition}] can't be read "
                    + $"within {_options.Patience.TotalSeconds:0} s: {answer.Error.Reason}. "
                    + (pending ? OpenTransaction : "Check that the cluster is up."));
            if (!pending || wait.Lasts < tell) continue;
            tell = wait.Lasts * 3;
            _options.Waiting?.Invoke($"group {group}: waiting for the committed offset of {partition.Topic}[{partition.Partition}] for "
                + $"{wait.Lasts.TotalSeconds:0} s. {OpenTransaction}");
        }
    }

    /// <summary>A consumer group of the cluster.</summary>
    public KafkaGroup Group(string name) => new(_options, name);

    /// <inheritdoc/>
    public IReadOnlyList<GroupMember>? Members(string group) => GroupMembers.Ask(_groups.Value.Coordinator(group), _calls, group, _options);

    /// <inheritdoc/>
    public ILogWorker OpenWorker(WorkerOptions options) => new KafkaWorker(this, _options, options);

    /// <inheritdoc/>
    public ILogReader OpenReader() => new KafkaReader(this, _options);

    /// <inheritdoc/>
    public ILogWriter OpenWriter() => new KafkaWriter(this, _options);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_calls.AnyLeft) return;
        if (_offsets.IsValueCreated) _offsets.Value.Dispose();
        if (_groups.IsValueCreated) _groups.Value.Dispose();
        if (_admin.IsValueCreated) _admin.Value.Dispose();
    }

    private void OnError(Error error)
    {
        if (error.Code != ErrorCode.Local_AllBrokersDown) _connection = ClientLog.Plain(error.Reason); // that one says nothing of the cause
        _options.Diagnostics?.Invoke($"admin: {error.Reason} ({error.Code})");
    }
}
