namespace StreamEngine.Connectors.Embedded.Groups;

/// <summary>A worker as its consumer group sees it. Changed under the group's lock.</summary>
internal sealed class Member(string instanceId, Func<int> shards)
{
    public string InstanceId { get; } = instanceId;

    /// <summary>How many shards its sources have: the most partitions of one.</summary>
    public int Shards => shards();

    /// <summary>Whether it takes part; false once it left or was replaced.</summary>
    public bool Active { get; set; } = true;

    /// <summary>Shards that were taken away without asking, until it is told.</summary>
    public List<int> Lost { get; } = [];
}

/// <summary>
/// A consumer group inside the process: shards balanced over the members, kept where they are when possible. A shard changes hands only
/// after its owner was told in a poll, or was replaced by a successor with its id.
/// </summary>
internal sealed class ConsumerGroup
{
    private readonly List<Member> _members = [];
    private Member?[] _owners = [];
    private Member?[] _targets = [];

    /// <summary>Guards all of it; held while a transaction of the group is appended, so that ownership can't change in between.</summary>
    public Lock Lock { get; } = new();

    /// <summary>Adds a member; one with the same id is replaced and loses what it owns at once.</summary>
    public void Join(Member member)
    {
        if (_members.Find(m => m.InstanceId == member.InstanceId) is { } predecessor) Expel(predecessor);
        _members.Add(member);
        Balance();
    }

    /// <summary>Removes a member; what it owns is free.</summary>
    public void Leave(Member member)
    {
        if (!member.Active) return;
        Remove(member);
        Balance();
    }

    /// <summary>Removes a member that did not ask for it: it learns of it in its next poll.</summary>
    public void Expel(Member member)
    {
        member.Lost.AddRange(OwnedBy(member));
        Remove(member);
        Balance();
    }

    public Member? Find(string instanceId) => _members.Find(m => m.InstanceId == instanceId);

    public bool Owns(Member member, int shard) => shard < _owners.Length && _owners[shard] == member;

    public List<int> OwnedBy(Member member) => Where(shard => _owners[shard] == member);

    /// <summary>What the member must give up.</summary>
    public List<int> ToRevoke(Member member) => Where(shard => _owners[shard] == member && _targets[shard] != member);

    /// <summary>Takes the shards from the member, after it was told.</summary>
    public void Release(Member member, List<int> shards)
    {
        foreach (var shard in shards)
            if (_owners[shard] == member) _owners[shard] = null;
    }

    /// <summary>Makes the member the owner of the free shards that are meant for it.</summary>
    public List<int> Acquire(Member member)
    {
        if (_members.Count > 0 && _members.Max(m => m.Shards) != _owners.Length) Balance(); // a topic was made since
        var shards = Where(shard => _owners[shard] is null && _targets[shard] == member);
        foreach (var shard in shards) _owners[shard] = member;
        return shards;
    }

    private void Remove(Member member)
    {
        member.Active = false;
        _members.Remove(member);
        for (var shard = 0; shard < _owners.Length; shard++)
            if (_owners[shard] == member) _owners[shard] = null;
    }

    /// <summary>Every member gets the floor of its share, some one more; shards stay where they may.</summary>
    private void Balance()
    {
        var shards = _members.Count == 0 ? 0 : _members.Max(m => m.Shards);
        if (shards > _owners.Length) Array.Resize(ref _owners, shards);
        _targets = new Member?[_owners.Length];
        if (_members.Count == 0) return;
        var (share, more) = Math.DivRem(shards, _members.Count);
        var taken = _members.ToDictionary(m => m, _ => 0);
        for (var pass = 0; pass < 2; pass++)
        {
            for (var shard = 0; shard < shards; shard++)
            {
                if (_targets[shard] is not null) continue;
                var candidate = pass == 0 ? _owners[shard] : _members.MinBy(m => taken[m]);
                if (candidate is null || !taken.TryGetValue(candidate, out var count)) continue;
                if (count > share || count == share && more == 0) continue;
                if (count == share) more--;
                taken[candidate] = count + 1;
                _targets[shard] = candidate;
            }
        }
    }

    private List<int> Where(Predicate<int> condition)
    {
        var shards = new List<int>();
        for (var shard = 0; shard < _owners.Length; shard++)
            if (condition(shard)) shards.Add(shard);
        return shards;
    }
}
