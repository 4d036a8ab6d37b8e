using Confluent.Kafka;
using StreamEngine.Connectors.Kafka.Native;

namespace StreamEngine.Connectors.Kafka;

/// <summary>A read-committed reader of one partition outside any group.</summary>
internal sealed class KafkaReader : ILogReader
{
    private readonly KafkaLog _log;
    private readonly KafkaLogOptions _options;
    private readonly IConsumer<byte[], byte[]> _consumer;
    private readonly BatchFetcher _fetcher;
    private readonly List<FetchEvent> _events = [];
    private Partitions _partitions = new([]);
    private PartitionState? _state;
    private LogException? _lasting;

    public KafkaReader(KafkaLog log, KafkaLogOptions options)
    {
        (_log, _options) = (log, options);
        var settings = KafkaSettings.Consumer(options);
        settings["group.id"] = "streamengine-reader"; // librdkafka wants a name; nothing is joined and nothing committed
        settings["enable.partition.eof"] = "true";
        // readers go to an end, where a marker is often the last thing: only an empty answer tells, and half a second for each is most of a
        // small restore
        settings.TryAdd("fetch.wait.max.ms", "10");
        _consumer = Clients.Make(new ConsumerBuilder<byte[], byte[]>(settings)
            .SetLogHandler((_, line) => ClientLog.Tell(options, line))
            .SetErrorHandler((_, error) => OnError(error))
            .Build);
        _fetcher = new BatchFetcher(ClientHandle.Of(_consumer));
    }

    public long Position => _state?.Next ?? -1;

    public void Assign(TopicPartition partition, long offset)
    {
        _partitions = new Partitions([partition.Topic]);
        _state = _partitions.Add(partition);
        _state.Next = offset;
        _state.Live = true;
        _lasting = null;
        _events.Clear();
        _fetcher.Forget();
        _consumer.Assign(new TopicPartitionOffset(partition.Topic, partition.Partition, offset));
    }

    public void Read(RecordBatch batch, int maxRecords, TimeSpan timeout)
    {
        batch.Clear();
        if (_state is null) throw new InvalidOperationException("Assign a partition first.");
        _fetcher.Fetch(batch, _partitions, maxRecords, (int)timeout.TotalMilliseconds, _events);
        foreach (var e in _events) Handle(e, _state);
        _events.Clear();
        if (_lasting is null || batch.Count > 0) return;
        var now = _lasting;
        _lasting = null;
        throw now;
    }

    public void Rest()
    {
        _consumer.Unassign();
        (_state, _lasting) = (null, null);
        _events.Clear();
        _fetcher.Forget();
    }

    public void Dispose()
    {
        _fetcher.Dispose();
        _consumer.Dispose();
    }

    private void Handle(FetchEvent e, PartitionState state)
    {
        if (e.Code == ErrorCode.Local_PartitionEOF)
        {
            // The end lies behind markers and aborted records, which no record tells of.
            if (e.Partition == state.Id) state.Next = Math.Max(state.Next, e.Offset);
        }
        else if (e.Code is ErrorCode.Local_AutoOffsetReset or ErrorCode.OffsetOutOfRange)
        {
            var (low, high) = _log.Watermarks(state.Id);
            _lasting = new OffsetOutOfRangeException(state.Id, state.Next, low, high);
        }
        else OnError(new Error(e.Code, e.Text));
    }

    private void OnError(Error error)
    {
        if (error.IsFatal || KafkaErrors.IsLasting(error.Code))
            _lasting = KafkaErrors.Lasting(error.Code, $"reading {_state?.Id}", error.Reason);
        else _options.Diagnostics?.Invoke($"reader: {error.Reason} ({error.Code})");
    }
}
