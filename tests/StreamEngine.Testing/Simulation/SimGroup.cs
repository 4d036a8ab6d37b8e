using StreamEngine.Connectors;

namespace StreamEngine.Testing.Simulation;

/// <summary>A member of a group; a rejoin makes a new one.</summary>
internal sealed class SimMember(string instanceId)
{
    public string InstanceId { get; } = instanceId;

    /// <summary>The group's generation as this member last heard of it; -1 before its first poll.</summary>
    public int Generation { get; set; } = -1;

    /// <summary>Whether the group still counts it in.</summary>
    public bool IsIn { get; set; } = true;

    /// <summary>Whether another member with its id has taken its place.</summary>
    public bool IsReplaced { get; set; }
}

/// <summary>
/// A consumer group: who should own which partition, who does, and the committed offsets. Partitions move one by one: the owner gives them
/// up in its own poll, and only then does the next owner get them in its poll.
/// </summary>
internal sealed class SimGroup(string name, int partitions)
{
    private readonly List<SimMember> _members = [];
    private readonly SimMember?[] _owners = new SimMember?[partitions];
    private readonly SimMember?[] _targets = new SimMember?[partitions];

    public string Name { get; } = name;

    /// <summary>The topic whose partitions it shares out.</summary>
    public string Topic { get; set; } = "";

    public int Generation { get; private set; }

    public Dictionary<TopicPartition, long> Offsets { get; } = [];

    /// <summary>
    /// Takes a member in. One with an id that is there already takes that one's place and partitions, at once (static membership).
    /// </summary>
    public void Join(SimMember member)
    {
        var before = _members.Find(m => m.InstanceId == member.InstanceId);
        if (before is null)
        {
            _members.Add(member);
            Balance();
            return;
        }
        before.IsIn = false;
        before.IsReplaced = true;
        _members[_members.IndexOf(before)] = member;
        for (var p = 0; p < partitions; p++)
        {
            if (_owners[p] == before) _owners[p] = null;
            if (_targets[p] == before) _targets[p] = member;
        }
    }

    /// <summary>A member goes, or is taken for dead: its partitions are free at once.</summary>
    public void Remove(SimMember member)
    {
        if (!_members.Remove(member)) return;
        member.IsIn = false;
        for (var p = 0; p < partitions; p++)
            if (_owners[p] == member) _owners[p] = null;
        Balance();
    }

    /// <summary>The members with what they own; none while a partition is on its way.</summary>
    public List<GroupMember> Members() => _owners.AsSpan().Contains(null) ? []
        : [.. _members.Select(m =>
            new GroupMember(m.InstanceId, m.InstanceId, [.. OwnedBy(m).Select(p => new TopicPartition(Topic, p))]))];

    public SimMember? Find(string instanceId) => _members.Find(m => m.InstanceId == instanceId);

    public bool Owns(SimMember member, int partition) => _owners[partition] == member;

    public List<int> OwnedBy(SimMember member) => Where(p => _owners[p] == member);

    /// <summary>What a member has to give up.</summary>
    public List<int> ToRelease(SimMember member) => Where(p => _owners[p] == member && _targets[p] != member);

    public void Release(SimMember member, List<int> released)
    {
        foreach (var p in released)
            if (_owners[p] == member) _owners[p] = null;
        Generation++;
    }

    /// <summary>Gives a member what is meant for it and free.</summary>
    public List<int> Acquire(SimMember member)
    {
        var free = Where(p => _owners[p] is null && _targets[p] == member);
        foreach (var p in free) _owners[p] = member;
        return free;
    }

    /// <summary>Moves a partition to another member, balanced or not.</summary>
    public void Move(int partition, int to)
    {
        if (_members.Count < 2) return;
        _targets[partition] = _members[to % _members.Count];
        Generation++;
    }

    /// <inheritdoc/>
    public override string ToString() =>
        $"generation {Generation}, members {string.Join(' ', _members.Select(m => m.InstanceId))}, owners "
            + $"{string.Join(' ', _owners.Select(NameOf))}, to be {string.Join(' ', _targets.Select(NameOf))}";

    private static string NameOf(SimMember? m) => m is null ? "nobody" : m.IsIn ? m.InstanceId : $"({m.InstanceId})";

    private void Balance()
    {
        Generation++;
        if (_members.Count == 0)
        {
            Array.Clear(_targets);
            return;
        }
        var counts = _members.ToDictionary(m => m, m => Where(p => _targets[p] == m).Count);
        for (var p = 0; p < partitions; p++)
        {
            var least = Least(counts);
            if (_targets[p] is { } now && counts.TryGetValue(now, out var load))
            {
                if (load <= counts[least] + 1) continue;
                counts[now]--;
            }
            _targets[p] = least;
            counts[least]++;
        }
    }

    private SimMember Least(Dictionary<SimMember, int> counts)
    {
        var found = _members[0];
        foreach (var member in _members)
            if (counts[member] < counts[found]) found = member;
        return found;
    }

    private List<int> Where(Func<int, bool> holds)
    {
        var found = new List<int>();
        for (var p = 0; p < partitions; p++)
            if (holds(p)) found.Add(p);
        return found;
    }
}
