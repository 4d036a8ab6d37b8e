using StreamEngine.Decisions;

namespace StreamEngine.Runtime;

/// <summary>
/// What is switched off, as this process knows it: takes the records of the control topic from whoever has them, and publishes an immutable
/// snapshot that loops read. From any thread.
/// </summary>
/// <param name="policy">Whose offers and models are switched.</param>
public sealed class SwitchBoard(DecisionPolicy policy)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<SwitchTarget, SwitchRecord> _records = [];
    private volatile Switches _current = policy.AllOn;
    private volatile bool _ready;
    private long _version = -1;

    /// <summary>What is off now: read it once, and use what was read.</summary>
    public Switches Current => _current;

    /// <summary>Whether the topic was read to its end once. No shard goes live before that.</summary>
    public bool IsReady => _ready;

    /// <summary>The newest record of each target, also of those that are on again, in the order of the targets.</summary>
    public IReadOnlyList<SwitchRecord> Records
    {
        get
        {
            lock (_gate) return [.. _records.Values.OrderBy(r => r.Target)];
        }
    }

    /// <summary>Whether the config has what is switched: else its record has no effect here.</summary>
    public bool Knows(SwitchTarget target) => Switches.Knows(policy, target);

    /// <summary>
    /// Takes a record of the topic. It may come late, again, or by another way than the topic, which is faster: of two records about one
    /// target the one with the higher offset holds.
    /// </summary>
    /// <returns>Whether it was news.</returns>
    public bool Offer(SwitchRecord record)
    {
        lock (_gate)
        {
            if (_records.TryGetValue(record.Target, out var known) && known.Offset >= record.Offset) return false;
            _records[record.Target] = record;
            _version = Math.Max(_version, record.Offset);
            if (_ready) Publish(record.At);
            return true;
        }
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
    }

    /// <summary>The topic was made anew: what the old one said holds no more, and what the new one says is offered next.</summary>
    public void Forget()
    {
        lock (_gate)
        {
            _records.Clear();
            _version = -1;
            _ready = false;
        }
    }

    private void Publish(DateTimeOffset? at) =>
        _current = new Switches(policy, _records.Values.Where(r => r.Off).Select(r => r.Target), _version, at);
}
