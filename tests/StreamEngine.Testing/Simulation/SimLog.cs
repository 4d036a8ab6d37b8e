using StreamEngine.Connectors;

namespace StreamEngine.Testing.Simulation;

/// <summary>
/// A log in memory for one thread, with no time and no chance of its own: both come from the <see cref="SimSchedule"/>. It keeps the
/// contract of <see cref="ILog"/> in the way of Kafka or of the embedded log, with all the latitude that the contract gives. Nothing
/// blocks: who would have to wait for somebody else lets the clock run until the transaction it waits for times out.
/// </summary>
public sealed class SimLog : ILog
{
    private static readonly TimeSpan TransactionTimeout = TimeSpan.FromSeconds(10);

    private readonly Dictionary<string, SimPartition[]> _topics = [];
    private readonly Dictionary<string, SimGroup> _groups = [];
    private readonly Dictionary<string, int> _epochs = [];
    private readonly List<SimTransaction> _transactions = []; // not known to everybody yet

    /// <summary>Makes an empty log.</summary>
    public SimLog(SimLogKind kind, SimSchedule schedule) => (Kind, Schedule) = (kind, schedule);

    internal SimLogKind Kind { get; }

    internal SimSchedule Schedule { get; }

    /// <summary>Counts what changes, so that a driver can tell when nothing does any more.</summary>
    internal long Changes { get; private set; }

    /// <summary>Whether something is under way that comes by itself.</summary>
    internal bool IsBusy => _transactions.Exists(t => t.Decided || t.IsOnItsWay);

    /// <inheritdoc/>
    public int Partitions(string topic) => _topics.TryGetValue(topic, out var partitions) ? partitions.Length : 0;

    /// <inheritdoc/>
    public IReadOnlyList<string> CreateTopics(IReadOnlyList<TopicSpec> topics)
    {
        foreach (var topic in topics)
            if (Partitions(topic.Name) is var n and > 0 && n != topic.Partitions)
                throw new LogException($"Topic {topic.Name} exists with {n} partitions, not {topic.Partitions}.");
        var created = topics.Where(t => !_topics.ContainsKey(t.Name)).Select(t => t.Name).Distinct().ToList();
        foreach (var topic in topics)
            if (created.Contains(topic.Name))
                _topics[topic.Name] =
                    [.. Enumerable.Range(0, topic.Partitions).Select(p => new SimPartition(new TopicPartition(topic.Name, p)))];
        return created;
    }

    /// <inheritdoc/>
    public IReadOnlyList<TopicInfo> ListTopics() =>
        [.. _topics.Select(t => new TopicInfo(t.Key, [.. t.Value.Select(p => (0L, p.High))], "unlimited"))];

    /// <inheritdoc/>
    public (long Low, long High) Watermarks(TopicPartition partition)
    {
        Schedule.At(SimPoint.AskingEnds);
        return (0, Known(partition).High);
    }

    /// <inheritdoc/>
    public long? Committed(string group, TopicPartition partition)
    {
        Schedule.At(SimPoint.AskingOffset);
        while (_transactions.Exists(t => t.Offsets.Exists(o => o.Partition == partition)))
        {
            Schedule.Wait(TimeSpan.FromSeconds(1));
            Tick();
        }
        return _groups.TryGetValue(group, out var known) && known.Offsets.TryGetValue(partition, out var next) ? next : null;
    }

    /// <inheritdoc/>
    public IReadOnlyList<GroupMember>? Members(string group)
    {
        if (Kind == SimLogKind.Embedded) return null;
        Schedule.At(SimPoint.AskingEnds);
        return _groups.TryGetValue(group, out var known) ? known.Members() : [];
    }

    /// <inheritdoc/>
    public ILogWorker OpenWorker(WorkerOptions options)
    {
        foreach (var topic in options.Sources.Concat(options.Outputs))
            if (Partitions(topic) == 0) throw new LogException($"Topic {topic} does not exist.");
        var group = Group(options.Group, Partitions(options.Sources[0]));
        group.Topic = options.Sources[0];
        return new SimWorker(this, options, group);
    }

    /// <inheritdoc/>
    public ILogReader OpenReader() => new SimReader(this);

    /// <inheritdoc/>
    public ILogWriter OpenWriter() => new SimWriter(this);

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    /// <summary>What happens by itself: transactions time out, a request or a marker arrives.</summary>
    internal void Tick()
    {
        foreach (var transaction in _transactions.ToArray())
        {
            if (transaction.Decided || Schedule.Time.GetElapsedTime(transaction.Started) <= TransactionTimeout) continue;
            _epochs[transaction.Producer]++;
            End(transaction, commit: false);
        }
        if (_transactions.Count == 0) return;
        var one = _transactions[Schedule.Pick(_transactions.Count)];
        if (one.Decided) Announce(one);
        else if (one is { IsOnItsWay: true, Unsent.Count: > 0 }) one.Send(1);
        else if (one.IsOnItsWay) End(one, commit: true);
    }

    /// <summary>Takes a member for dead, which it may not be.</summary>
    internal void Expel(string group, string instanceId)
    {
        if (_groups.TryGetValue(group, out var known) && known.Find(instanceId) is { } member) known.Remove(member);
    }

    internal SimGroup Group(string name, int partitions)
    {
        if (!_groups.TryGetValue(name, out var group)) _groups[name] = group = new SimGroup(name, partitions);
        return group;
    }

    internal SimPartition Known(TopicPartition partition) => _topics.TryGetValue(partition.Topic, out var partitions)
        && partition.Partition < partitions.Length
        ? partitions[partition.Partition]
        : throw new LogException($"{partition.Topic}[{partition.Partition}] does not exist.");

    /// <summary>
    /// A producer takes its id over: what a predecessor left open is aborted, what it had decided is made known before anything else.
    /// </summary>
    internal int TakeOver(string producer)
    {
        foreach (var left in _transactions.FindAll(t => t.Producer == producer))
        {
            if (!left.Decided) End(left, commit: false);
            Finish(left);
        }
        return _epochs[producer] = _epochs.GetValueOrDefault(producer) + 1;
    }

    internal bool IsCurrent(string producer, int epoch) => _epochs[producer] == epoch;

    internal SimTransaction Begin(string producer, int epoch, SimGroup group, SimMember member)
    {
        var transaction = new SimTransaction(producer, epoch, group, member, Schedule.Time.GetTimestamp());
        // it stays with the client; a fenced one does not know yet that it is
        if (Kind == SimLogKind.Embedded || !IsCurrent(producer, epoch)) return transaction;
        foreach (var before in _transactions.FindAll(t => t.Producer == producer)) Finish(before);
        _transactions.Add(transaction);
        return transaction;
    }

    /// <summary>Decides a transaction and makes that known, at once or little by little.</summary>
    internal void End(SimTransaction transaction, bool commit)
    {
        transaction.Decide(commit);
        Changes++;
        while (!transaction.IsDone && !Schedule.Later()) Announce(transaction);
        if (transaction.IsDone) _transactions.Remove(transaction);
    }

    /// <summary>The embedded log's commit: one atomic append.</summary>
    internal void Append(SimTransaction transaction, SimGroup group)
    {
        Changes++;
        foreach (var (partition, key, value, timestamp, _) in transaction.Unsent) partition.Append(key, value, timestamp);
        foreach (var (partition, next) in transaction.Offsets) group.Offsets[partition] = next;
    }

    private void Finish(SimTransaction transaction)
    {
        if (!transaction.Decided)
            throw new InvalidOperationException("A transaction is open; a client whose commit ended without an outcome must be rebuilt.");
        while (!transaction.IsDone) Announce(transaction);
        _transactions.Remove(transaction);
    }

    private void Announce(SimTransaction transaction)
    {
        Changes++;
        if (transaction.Left > 0) transaction.Announce(Schedule.Pick(transaction.Left));
        if (transaction.IsDone) _transactions.Remove(transaction);
    }
}
