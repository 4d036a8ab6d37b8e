namespace StreamEngine.Connectors;

/// <summary>A partition of a topic.</summary>
public readonly record struct TopicPartition(string Topic, int Partition);

/// <summary>
/// A topic to create. Retention is unlimited by default: records carry event time, and a broker's default of seven days deletes a replayed
/// history.
/// </summary>
/// <param name="Name">The topic's name.</param>
/// <param name="Partitions">How many partitions.</param>
/// <param name="Retention">How long records are kept; null for ever.</param>
/// <param name="ReplicationFactor">Copies; -1 takes the broker's default.</param>
/// <param name="Compacted">Whether only the newest record of a key is kept.</param>
public sealed record TopicSpec(string Name, int Partitions, TimeSpan? Retention = null, short ReplicationFactor = -1,
    bool Compacted = false)
{
    /// <summary>
    /// For how long a compacted topic keeps every record, superseded or not. A reader that goes to an end it has asked for within this time
    /// misses nothing: what was superseded before that end is followed by what superseded it, and what was superseded behind it is still
    /// there.
    /// </summary>
    public static TimeSpan CompactionLag { get; } = TimeSpan.FromMinutes(30);
}

/// <summary>A member of a consumer group, as the log sees it.</summary>
/// <param name="Id">The log's own id: members are told apart, and put in order, by it.</param>
/// <param name="InstanceId">The <see cref="WorkerOptions.InstanceId"/> that it joined with; null where it has none.</param>
/// <param name="Partitions">What it is assigned.</param>
/// <param name="Host">Where it connected from; empty where the log can't tell.</param>
public sealed record GroupMember(string Id, string? InstanceId, IReadOnlyList<TopicPartition> Partitions, string Host = "");

/// <summary>What a topic is, for <c>topics list</c>.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Offsets">The first offset of each partition and the one past its last (uncommitted records included).</param>
/// <param name="Retention">How long records are kept, in words.</param>
public sealed record TopicInfo(string Name, IReadOnlyList<(long First, long End)> Offsets, string Retention)
{
    /// <summary>How many partitions.</summary>
    public int Partitions => Offsets.Count;

    /// <summary>Offsets that are taken: as many as records, where the log needs none for markers of transactions.</summary>
    public long Records => Offsets.Sum(o => o.End - o.First);
}

/// <summary>A log of partitioned topics with transactions over outputs and input offsets: Kafka, or the embedded log.</summary>
public interface ILog : IDisposable
{
    /// <summary>Partitions of a topic; 0 where it does not exist.</summary>
    int Partitions(string topic);

    /// <summary>
    /// Which topic it is that has this name now: one that is deleted and made anew gets another id. Null where it does not exist, or the
    /// log has no such ids.
    /// </summary>
    /// <exception cref="LogException">The log does not answer.</exception>
    string? TopicId(string topic) => null;

    /// <summary>Creates the topics that are missing; returns the names of those it created.</summary>
    /// <exception cref="LogException">A topic exists with another number of partitions, or the log refuses.</exception>
    IReadOnlyList<string> CreateTopics(IReadOnlyList<TopicSpec> topics);

    /// <summary>The topics there are.</summary>
    IReadOnlyList<TopicInfo> ListTopics();

    /// <summary>The first offset and the one past the last (the high watermark, uncommitted records included).</summary>
    (long Low, long High) Watermarks(TopicPartition partition);

    /// <summary>The offsets past the last records of many partitions, in the order asked.</summary>
    IReadOnlyList<long> Ends(IReadOnlyList<TopicPartition> partitions) => [.. partitions.Select(p => Watermarks(p).High)];

    /// <summary>
    /// The group's stable committed offset: waits while a transaction that holds offsets of the partition is pending. Null where the group
    /// has none.
    /// </summary>
    long? Committed(string group, TopicPartition partition);

    /// <summary>
    /// The group's members with what is assigned to them. Empty while the group is changing, or nobody can tell: ask again. Null where all
    /// members are always in this process.
    /// </summary>
    IReadOnlyList<GroupMember>? Members(string group) => null;

    /// <summary>After how long the log ends a transaction whose worker died or stalled; zero where none outlives its worker.</summary>
    TimeSpan TransactionTimeout => TimeSpan.Zero;

    /// <summary>Joins the group: one consumer and one producer (transactional, if so asked), both owned by the calling thread.</summary>
    ILogWorker OpenWorker(WorkerOptions options);

    /// <summary>A reader outside any group, for restore and for people; sees only committed records, in order.</summary>
    ILogReader OpenReader();

    /// <summary>A plain writer for producers of events (demo, load, tests): keyed, murmur2-partitioned; not transactional.</summary>
    ILogWriter OpenWriter();
}

/// <summary>Who a worker is and what it reads and writes.</summary>
public sealed record WorkerOptions
{
    /// <summary>The consumer group.</summary>
    public required string Group { get; init; }

    /// <summary>
    /// Stable id of group, node and worker: static member id and transactional id. A second worker with the same id fences the first.
    /// </summary>
    public required string InstanceId { get; init; }

    /// <summary>The topics to read: a record's <see cref="RecordInfo.Topic"/> is an index into this list.</summary>
    public required IReadOnlyList<string> Sources { get; init; }

    /// <summary>The topics to write: an output's <see cref="OutputInfo.Topic"/> is an index into this list.</summary>
    public required IReadOnlyList<string> Outputs { get; init; }

    /// <summary>
    /// Whether outputs and offsets go into transactions. Without, <see cref="ILogWorker.Write"/> writes at once, in order, <see
    /// cref="ILogWorker.Commit"/> waits until all of it is durable and only then commits the offsets, and <see cref="ILogWorker.Abort"/>
    /// drops what is not sent yet.
    /// </summary>
    public bool Transactional { get; init; } = true;

    /// <summary>
    /// Without transactions: the output topic (an index) whose records must be durable before any other output of the same write can be
    /// read, so that nothing is acted on that the log does not hold.
    /// </summary>
    public int First { get; init; } = -1;
}

/// <summary>
/// Told of ownership changes, on the loop's thread, from inside <see cref="ILogWorker.Poll"/> or <see cref="IDisposable.Dispose"/>. A shard
/// is a partition number over all sources.
/// </summary>
public interface IOwnership
{
    /// <summary>These partitions are ours now; the worker has paused them: resume each when its shard is restored.</summary>
    void Assigned(IReadOnlyList<TopicPartition> partitions);

    /// <summary>These are about to go: commit what is done, then close. Still ours during the call.</summary>
    void Revoked(IReadOnlyList<TopicPartition> partitions);

    /// <summary>These are gone already, somebody else may own them: drop them, commit nothing for them.</summary>
    void Lost(IReadOnlyList<TopicPartition> partitions);
}

/// <summary>An offset to commit: the next one to read.</summary>
public readonly record struct OffsetToCommit(int Topic, int Partition, long Next);

/// <summary>How a commit or an abort ended: what the caller must do next.</summary>
public enum CommitOutcome
{
    /// <summary>Everything of the transaction is committed.</summary>
    Committed,

    /// <summary>The transaction was aborted; nothing of it is visible. Resend what is still owned in a new one.</summary>
    Aborted,

    /// <summary>Nothing failed, but the log is not done yet: ask again.</summary>
    Waiting,

    /// <summary>
    /// Nobody knows: the caller must call <see cref="ILogWorker.Rebuild"/>, read the stable committed offset, and resend only if it is
    /// behind.
    /// </summary>
    Unknown,

    /// <summary>
    /// Another producer has our transactional id, or the client is beyond repair: nothing was committed; <see cref="ILogWorker.Rebuild"/>
    /// and check ownership.
    /// </summary>
    Fenced,
}

/// <summary>One worker's consumer and transactional producer. Not thread-safe: everything on the loop's thread.</summary>
public interface ILogWorker : IDisposable
{
    /// <summary>
    /// Fetches at most <paramref name="maxRecords"/> records into <paramref name="batch"/> (cleared first), waiting at most <paramref
    /// name="timeout"/>; ownership changes are told during the call.
    /// </summary>
    /// <exception cref="OffsetOutOfRangeException">The committed offset is no longer in the log: records were lost before they were
    /// read.</exception>
    /// <exception cref="LogException">The log can't be used, for a reason that waiting does not cure.</exception>
    void Poll(RecordBatch batch, int maxRecords, TimeSpan timeout, IOwnership ownership);

    /// <summary>
    /// Makes the poll that waits now, or the next one, return at once. Any thread, also after <see cref="IDisposable.Dispose"/>.
    /// </summary>
    void Wake();

    /// <summary>
    /// For how long after a confirmed commit nobody else can be taken for the owner of our partitions, as long as nobody joins with this
    /// worker's own id; <see cref="Timeout.InfiniteTimeSpan"/> where ownership never goes without this worker being asked.
    /// </summary>
    TimeSpan Lease { get; }

    /// <summary>Stops fetching these partitions.</summary>
    void Pause(IReadOnlyList<TopicPartition> partitions);

    /// <summary>Fetches these partitions (again), from the given offset where one is given.</summary>
    void Resume(IReadOnlyList<TopicPartition> partitions, long? offset = null);

    /// <summary>
    /// The position a partition is read from next: the stable committed offset, or the earliest for a group that has none.
    /// </summary>
    long StartOffset(TopicPartition partition);

    /// <summary>The most bytes of an output, key and value, that the log takes.</summary>
    int MaxOutputBytes { get; }

    /// <summary>Opens a transaction: takes the group metadata now, on this thread.</summary>
    void Begin();

    /// <summary>
    /// Adds outputs <paramref name="from"/> (inclusive) to <paramref name="to"/> (exclusive) to the open transaction; waits while the log
    /// is slow.
    /// </summary>
    void Write(OutputBuffer outputs, int from, int to);

    /// <summary>
    /// Begins to commit the open transaction with these input offsets (never empty: a transaction without offsets is not fenced). It goes
    /// on beside the loop, which may poll meanwhile and is woken at its end, but not write: the next transaction begins after <see
    /// cref="EndCommit"/> has told how this one ended.
    /// </summary>
    void BeginCommit(ReadOnlySpan<OffsetToCommit> offsets);

    /// <summary>
    /// How the commit ended; <see cref="CommitOutcome.Waiting"/> where it has not within the patience. Without transactions the log may be
    /// less patient than its caller.
    /// </summary>
    CommitOutcome EndCommit(TimeSpan patience);

    /// <summary>Begins a commit and waits for its end.</summary>
    CommitOutcome Commit(ReadOnlySpan<OffsetToCommit> offsets)
    {
        BeginCommit(offsets);
        return EndCommit(Timeout.InfiniteTimeSpan);
    }

    /// <summary>Aborts the open transaction, or without transactions a commit that has not ended.</summary>
    CommitOutcome Abort();

    /// <summary>
    /// Replaces the producer (and where it is dead, the consumer) by a new one: resolves what a predecessor with this id left open.
    /// </summary>
    void Rebuild();

    /// <summary>
    /// Makes <see cref="IDisposable.Dispose"/> leave the group for good: the partitions go to other members at once, not only when the
    /// group misses this one. What was revoked is told as always.
    /// </summary>
    void Leave();

    /// <summary>
    /// Whether there is nothing left to fetch below the positions given by <see cref="ILog.Watermarks"/> when asked; used by drain.
    /// </summary>
    long Position(TopicPartition partition);
}

/// <summary>A read-committed reader of assigned partitions, outside any group.</summary>
public interface ILogReader : IDisposable
{
    /// <summary>Reads this partition from this offset on (replaces the earlier assignment).</summary>
    void Assign(TopicPartition partition, long offset);

    /// <summary>
    /// Fetches the next committed records (topic index 0) into <paramref name="batch"/> (cleared first); fewer or none when the timeout
    /// passes first.
    /// </summary>
    void Read(RecordBatch batch, int maxRecords, TimeSpan timeout);

    /// <summary>Nothing is read for a while: fetches nothing any more until a partition is assigned again.</summary>
    void Rest()
    {
        // Most readers fetch only while they are asked.
    }

    /// <summary>
    /// The next offset to be read: also past aborted records and markers at the end, so that it reaches a high watermark taken before.
    /// </summary>
    long Position { get; }
}

/// <summary>A plain, keyed producer. Not thread-safe.</summary>
public interface ILogWriter : IDisposable
{
    /// <summary>
    /// Appends a record to the partition that the key hashes to (murmur2, as Kafka's default partitioner); waits while the log is slow.
    /// </summary>
    void Write(string topic, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long timestamp);

    /// <summary>Waits until everything written is durable.</summary>
    /// <exception cref="LogException">A record could not be written.</exception>
    void Flush();
}

/// <summary>The log can't do what was asked; the message names the topic or address and the remedy.</summary>
public class LogException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The offset to read from is not in the log any more: names the gap.</summary>
public sealed class OffsetOutOfRangeException(TopicPartition partition, long wanted, long low, long high)
    : LogException($"{partition.Topic}[{partition.Partition}]: offset {wanted} is not in the log any more (it holds {low} to {high}): "
    + $"{Math.Max(0, low - wanted)} records were deleted before they were read. Raise the topic's retention; to go on without them, reset "
    + "the group's offset.")
{
    /// <summary>The partition with the gap.</summary>
    public TopicPartition Partition { get; } = partition;

    /// <summary>The offset that was to be read.</summary>
    public long Wanted { get; } = wanted;

    /// <summary>The first offset there is.</summary>
    public long Low { get; } = low;

    /// <summary>The offset past the last one.</summary>
    public long High { get; } = high;
}
