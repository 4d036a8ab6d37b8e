using System.Runtime.InteropServices;
using Confluent.Kafka;

namespace StreamEngine.Connectors.Kafka.Native;

/// <summary>
/// Fetches by librdkafka's batch call on the consumer's queue, and copies records out of its buffers. librdkafka hands out a broker's
/// answer partition by partition, so a batch is a few runs; runs of one partition are put together here.
/// </summary>
internal sealed unsafe class BatchFetcher(nint client) : IDisposable
{
    private readonly nint _queue = Rdkafka.ConsumerQueue(client);
    private readonly List<PartitionState> _met = [];
    private (nint Handle, int Index)[] _topics = new (nint, int)[4];
    private int _topicCount;
    private RdMessage** _messages;
    private int _capacity;
    private Run[] _runs = new Run[64];
    private int _runCount;
    private int _woken;   // since the last fetch: librdkafka itself forgets a wake that finds nobody waiting

    private struct Run
    {
        public int Start, End, Next;
    }

    /// <summary>
    /// Appends at most <paramref name="max"/> records of live partitions, those of one partition together and in offset order. Returns as
    /// soon as it has some, or when the timeout (ms) is over; serves the client's callbacks on this thread.
    /// </summary>
    public void Fetch(RecordBatch batch, Partitions partitions, int max, int timeout, List<FetchEvent> events)
    {
        Reserve(max);

        // 1. What is there; only when nothing is, wait for one record (the batch call would wait until the array is full).
        var count = (int)Rdkafka.ConsumeBatch(_queue, 0, _messages, (nuint)max);
        if (count == 0 && timeout > 0 && Interlocked.Exchange(ref _woken, 0) == 0)
        {
            count = (int)Rdkafka.ConsumeBatch(_queue, timeout, _messages, 1);
            if (count == 1 && max > 1) count += (int)Math.Max(0, Rdkafka.ConsumeBatch(_queue, 0, _messages + 1, (nuint)max - 1));
        }
        Volatile.Write(ref _woken, 0);
        if (count <= 0) return;

        // 2. Cut into runs of one partition, chained by partition.
        Chain(partitions, count, events);

        // 3. Copy the runs, partition by partition.
        foreach (var state in _met)
        {
            for (var run = state.FirstRun; run >= 0; run = _runs[run].Next) Copy(batch, state, _runs[run].Start, _runs[run].End);
            state.FirstRun = state.LastRun = -1;
        }
        _met.Clear();

        // 4. Give the memory back in the order received: neighbours share a buffer.
        for (var i = 0; i < count; i++) Rdkafka.DestroyMessage(_messages[i]);
    }

    /// <summary>Makes the fetch that is running (or else the next one) return without waiting. Any thread.</summary>
    public void Wake()
    {
        Volatile.Write(ref _woken, 1);
        Rdkafka.YieldQueue(_queue);
    }

    /// <summary>Forgets what it remembers of topics: after every change of the assignment.</summary>
    public void Forget() => _topicCount = 0;

    public void Dispose()
    {
        if (_messages == null) return;
        NativeMemory.Free(_messages);
        _messages = null;
        Rdkafka.DestroyQueue(_queue);
    }

    private void Chain(Partitions partitions, int count, List<FetchEvent> events)
    {
        _runCount = 0;
        var topic = (nint)0;
        var partition = -1;
        var current = -1;
        for (var i = 0; i < count; i++)
        {
            var message = _messages[i];
            if (message->Error != 0)
            {
                events.Add(Event(partitions, message));
                current = -1;
                topic = 0;
                continue;
            }
            if (message->Topic != topic || message->Partition != partition)
            {
                topic = message->Topic;
                partition = message->Partition;
                current = Open(partitions.Find(Index(partitions, topic), partition), i);
            }
            if (current >= 0) _runs[current].End = i + 1;
        }
    }

    /// <summary>
    /// Starts a run; -1 for a partition whose records are not wanted (just assigned, or revoked while the batch was fetched).
    /// </summary>
    private int Open(PartitionState? state, int start)
    {
        if (state is not { Live: true }) return -1;
        if (_runCount == _runs.Length) Array.Resize(ref _runs, _runCount * 2);
        var run = _runCount++;
        _runs[run] = new Run { Start = start, End = start, Next = -1 };
        if (state.FirstRun < 0)
        {
            state.FirstRun = run;
            _met.Add(state);
        }
        else _runs[state.LastRun].Next = run;
        state.LastRun = run;
        return run;
    }

    private void Copy(RecordBatch batch, PartitionState state, int start, int end)
    {
        int type;
        for (var i = start; i < end; i++)
        {
            var m = _messages[i];
            if (m->Offset < state.Next) continue;
            state.Next = m->Offset + 1;
            if (batch.TakesTraceParent) AddTraceParent(batch, m);
            batch.Add(state.Topic, m->Partition, m->Offset, Rdkafka.Timestamp(m, &type),
                new ReadOnlySpan<byte>(m->Key, (int)m->KeyLength), m->Key != null, new ReadOnlySpan<byte>(m->Payload, (int)m->Length),
                    m->Payload != null);
        }
    }

    private static void AddTraceParent(RecordBatch batch, RdMessage* message)
    {
        if (Rdkafka.Headers(message, out var headers) == 0 && Rdkafka.LastHeader(headers, "traceparent", out var value, out var length) == 0
            && value != null)
            batch.TraceParents.Add(new ReadOnlySpan<byte>(value, (int)length).ToArray());
    }

    /// <summary>A topic's index by its handle: the name is only looked at when the handle is new.</summary>
    private int Index(Partitions partitions, nint topic)
    {
        for (var i = 0; i < _topicCount; i++)
            if (_topics[i].Handle == topic) return _topics[i].Index;
        var index = partitions.IndexOf(Rdkafka.Text(Rdkafka.TopicName(topic)));
        if (_topicCount == _topics.Length) Array.Resize(ref _topics, _topicCount * 2);
        _topics[_topicCount++] = (topic, index);
        return index;
    }

    private FetchEvent Event(Partitions partitions, RdMessage* message)
    {
        var index = message->Topic == 0 ? -1 : Index(partitions, message->Topic);
        TopicPartition? partition = index < 0 ? null : new TopicPartition(partitions.Topics[index], message->Partition);
        var text = message->Payload == null ? Rdkafka.Describe(message->Error)
            : Marshal.PtrToStringUTF8((nint)message->Payload, (int)message->Length);
        return new FetchEvent((ErrorCode)message->Error, partition, message->Offset, text);
    }

    private void Reserve(int max)
    {
        if (max <= _capacity) return;
        _messages = (RdMessage**)NativeMemory.Realloc(_messages, (nuint)max * (nuint)sizeof(RdMessage*));
        _capacity = max;
    }
}
