using System.Diagnostics;
using Confluent.Kafka;

namespace StreamEngine.Connectors.Kafka;

/// <summary>Fetches through the client's own call, one record at a time: the fallback where its native handle can't be had.</summary>
internal sealed class SingleFetcher(IConsumer<byte[], byte[]> consumer) : IRecordFetcher
{
    private readonly List<ConsumeResult<byte[], byte[]>> _results = [];
    private bool _woken;

    public void Fetch(RecordBatch batch, Partitions partitions, int max, int timeout, List<FetchEvent> events)
    {
        _results.Clear();
        var started = Stopwatch.GetTimestamp();
        while (_results.Count < max)
        {
            // Short waits, so that a wake-up (a new assignment to announce) is noticed.
            var left = timeout - (int)Stopwatch.GetElapsedTime(started).TotalMilliseconds;
            var wait = _results.Count > 0 || _woken ? 0 : Math.Clamp(left, 0, 20);
            var result = Next(wait, partitions, events);
            if (result is not null) _results.Add(result);
            else if (_results.Count > 0 || _woken || events.Count > 0 || left <= 20) break;
        }
        _woken = false;

        // A stable sort by partition puts runs together and keeps offset order.
        foreach (var result in _results.OrderBy(r => partitions.IndexOf(r.Topic)).ThenBy(r => r.Partition.Value))
        {
            var state = partitions.Find(partitions.IndexOf(result.Topic), result.Partition.Value);
            if (state is not { Live: true } || result.Offset.Value < state.Next) continue;
            state.Next = result.Offset.Value + 1;
            var message = result.Message;
            batch.Add(state.Topic, state.Id.Partition, result.Offset.Value, message.Timestamp.UnixTimestampMs, message.Key, message.Key is not null, message.Value, message.Value is not null);
        }
    }

    public void Wake() => _woken = true;

    public void Forget()
    {
    }

    public void Dispose()
    {
    }

    private ConsumeResult<byte[], byte[]>? Next(int wait, Partitions partitions, List<FetchEvent> events)
    {
        try
        {
            var result = consumer.Consume(wait);
            if (result is not { IsPartitionEOF: true }) return result;
            events.Add(new FetchEvent(ErrorCode.Local_PartitionEOF, new TopicPartition(result.Topic, result.Partition.Value), result.Offset.Value, ""));
        }
        catch (ConsumeException e)
        {
            var record = e.ConsumerRecord;
            TopicPartition? partition = record?.Topic is { } topic && partitions.IndexOf(topic) >= 0 ? new TopicPartition(topic, record.Partition.Value) : null;
            events.Add(new FetchEvent(e.Error.Code, partition, record?.Offset.Value ?? -1, e.Error.Reason));
        }
        return null;
    }
}
