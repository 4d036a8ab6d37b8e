using StreamEngine.Decisions;

namespace StreamEngine.Runtime;

/// <summary>
/// What is switched off, as this process knows it: takes the records of the control topic from its reader, and from other processes that
/// have read them earlier, and publishes an immutable snapshot that loops read. From any thread.
/// <para>
/// The topic is the truth: what another process tells counts only ahead of the position up to which this process has read the same topic.
/// Up to there the topic alone counts.
/// </para>
/// </summary>
/// <param name="policy">Whose offers and models are switched.</param>
public sealed class SwitchBoard(DecisionPolicy policy)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<SwitchTarget, SwitchRecord> _read = [], _ahead = [];
    private readonly HashSet<string> _formerTopics = [];
    private volatile Switches _current = policy.AllOn;
    private volatile bool _ready;
    private string? _topicId;
    private long _position, _heardByTopic, _heardByCluster;

    /// <summary>
    /// Other processes may want to know: a record was read, or another topic is followed. Told on the thread of whoever offered it, so
    /// whoever listens only notes it down and returns.
    /// </summary>
    public event Action? Changed;

    /// <summary>
    /// A record, which another process told of, is not in this topic (its id comes first). Told like <see cref="Changed"/>.
    /// </summary>
    public event Action<string, SwitchRecord>? Refuted;

    /// <summary>What is off now: read it once, and use what was read.</summary>
    public Switches Current => _current;

    /// <summary>Whether the topic was read to its end once. No shard goes live before that.</summary>
    public bool IsReady => _ready;

    /// <summary>The newest record of each target, also of those that are on again, in the order of the targets.</summary>
    public IReadOnlyList<SwitchRecord> Records
    {
        get
        {
            lock (_gate) return [.. Newest().OrderBy(r => r.Target)];
        }
    }

    /// <summary>What was read of the topic itself.</summary>
    public SwitchesRead Read
    {
        get
        {
            lock (_gate) return new SwitchesRead(_topicId, [.. _read.Values], [.. _formerTopics]);
        }
    }

    /// <summary>How many switches came first from the topic, after its first reading.</summary>
    public long HeardByTopic => Interlocked.Read(ref _heardByTopic);

    /// <summary>How many came first from another process.</summary>
    public long HeardByCluster => Interlocked.Read(ref _heardByCluster);

    /// <summary>Whether the config has what is switched: else its record has no effect here.</summary>
    public bool Knows(SwitchTarget target) => Switches.Knows(policy, target);

    /// <summary>This topic is read from here on. What another one said before it holds no more.</summary>
    /// <param name="topicId">Its id; null where the log has none, so that nothing other processes tell can be compared with it.</param>
    public void Follow(string? topicId)
    {
        lock (_gate)
        {
            if (_topicId == topicId) return;
            if (_topicId is not null) Clear();
            _topicId = topicId;
            if (topicId is not null) _formerTopics.Remove(topicId); // the same one, read anew
        }
        Changed?.Invoke();
    }

    /// <summary>
    /// Takes a record of the topic; of two records about one target the one with the higher offset holds, whichever comes first.
    /// </summary>
    /// <returns>Whether it was news.</returns>
    public bool Offer(SwitchRecord record)
    {
        lock (_gate)
        {
            if (_read.TryGetValue(record.Target, out var known) && known.Offset >= record.Offset) return false;
            _read[record.Target] = record;
            var wasHeard = _ahead.TryGetValue(record.Target, out var ahead) && ahead.Offset >= record.Offset;
            if (ahead?.Offset <= record.Offset) _ahead.Remove(record.Target);
            if (!_ready) return true; // told as one, once all of it is read
            if (!wasHeard) _heardByTopic++;
            Publish(record.At);
        }
        Changed?.Invoke();
        return true;
    }

    /// <summary>Takes a record that another process has read. It counts until this process has read the topic that far.</summary>
    /// <param name="topicId">Of which topic it is; that of another one is passed over.</param>
    /// <param name="record">The record.</param>
    /// <returns>Whether it was news.</returns>
    public bool Hear(string topicId, SwitchRecord record)
    {
        lock (_gate)
        {
            if (topicId != _topicId || record.Offset < _position) return false;
            if (_read.GetValueOrDefault(record.Target)?.Offset >= record.Offset) return false;
            if (_ahead.GetValueOrDefault(record.Target)?.Offset >= record.Offset) return false;
            _ahead[record.Target] = record;
            if (!_ready) return true;
            _heardByCluster++;
            Publish(record.At);
            return true;
        }
    }

    /// <summary>The topic was read up to here: what was heard of before that and was not in it holds no more.</summary>
    public void ReadTo(long position)
    {
        lock (_gate) _position = position;
        Refute(r => r.Offset < position);
    }

    /// <summary>The topic does not reach what was heard of it from this offset on: that holds no more.</summary>
    public void EndsAt(long end) => Refute(r => r.Offset >= end);

    /// <summary>Whether something was heard that is behind an end of the topic.</summary>
    public bool IsAheadOf(long end)
    {
        lock (_gate) return _ahead.Values.Any(r => r.Offset >= end);
    }

    /// <summary>The topic was read to its end.</summary>
    public void Ready()
    {
        lock (_gate)
        {
            if (_ready) return;
            Publish(at: null);
            _ready = true;
        }
        Changed?.Invoke();
    }

    /// <summary>The topic is read anew: what it said before holds no more, and what it says now is offered next.</summary>
    public void Forget()
    {
        lock (_gate) Clear();
    }

    private void Clear()
    {
        if (_topicId is { } former) _formerTopics.Add(former);
        _topicId = null;
        _read.Clear();
        _ahead.Clear();
        _position = 0;
        _ready = false;
    }

    private void Refute(Predicate<SwitchRecord> isRefuted)
    {
        List<SwitchRecord> refuted;
        string? topic;
        lock (_gate)
        {
            if (_ahead.Count == 0) return;
            refuted = [.. _ahead.Values.Where(r => isRefuted(r))];
            foreach (var record in refuted) _ahead.Remove(record.Target);
            topic = _topicId;
            if (refuted.Count > 0 && _ready) Publish(at: null);
        }
        foreach (var record in refuted) Refuted?.Invoke(topic!, record);
    }

    private IEnumerable<SwitchRecord> Newest() =>
        _read.Values.Where(r => !_ahead.ContainsKey(r.Target)).Concat(_ahead.Values);

    private void Publish(DateTimeOffset? at)
    {
        var newest = Newest().ToList();
        var version = newest.Count == 0 ? -1 : newest.Max(r => r.Offset);
        _current = new Switches(policy, newest.Where(r => r.Off).Select(r => r.Target), version, at);
    }
}

/// <summary>What a process has read of the control topic.</summary>
/// <param name="TopicId">Which topic it is; null where that is not known.</param>
/// <param name="Records">The newest record of each target.</param>
/// <param name="FormerTopics">Topics that were followed before this one had their name.</param>
public sealed record SwitchesRead(string? TopicId, IReadOnlyList<SwitchRecord> Records, IReadOnlyList<string> FormerTopics);
