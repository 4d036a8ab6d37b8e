namespace StreamEngine.State.Savepoints;

/// <summary>
/// What a savepoint says of itself: whose it is, which layout its profiles have, and its files. Stands in <c>savepoint.json</c>, written
/// last.
/// </summary>
/// <param name="Format">The version of this file.</param>
/// <param name="Engine">The engine's name: the consumer group whose offsets it stands at.</param>
/// <param name="ConfigHash">The config it was made with.</param>
/// <param name="StateVersion">Layout and sources, as checkpoints have it.</param>
/// <param name="CreatedAt">When it was begun.</param>
/// <param name="Sources">The sources, in order.</param>
/// <param name="Decisions">The decision topic.</param>
/// <param name="Partitions">Partitions of the sources: the number of shards.</param>
/// <param name="Purposes">The purposes, in the order of their bits in a profile's header.</param>
/// <param name="Layout">How a profile is laid out.</param>
/// <param name="Shards">A file for each shard.</param>
public sealed record SavepointManifest(
    int Format, string Engine, string ConfigHash, string StateVersion, DateTimeOffset CreatedAt, IReadOnlyList<SavepointSource> Sources,
        string Decisions, int Partitions,
    IReadOnlyList<string> Purposes, SavepointLayout Layout, IReadOnlyList<SavepointShard> Shards)
{
    /// <summary>The version that this program writes, and the newest it reads.</summary>
    public const int Newest = 1;

    /// <summary>The profiles of all shards.</summary>
    public long Profiles => Shards.Sum(s => s.Profiles);

    /// <summary>The bytes of all shards' files.</summary>
    public long Bytes => Shards.Sum(s => s.Bytes);
}

/// <summary>A source that the state was folded from.</summary>
/// <param name="Topic">Its topic: the offsets are that topic's.</param>
/// <param name="Customer">Where the customer id stands: profiles are kept by it.</param>
/// <param name="Id">Where the event id stands: duplicates are known by it.</param>
/// <param name="Fields">Every other field by its name: where it stands, and as what it is read.</param>
public sealed record SavepointSource(string Topic, string Customer, string Id, IReadOnlyDictionary<string, string> Fields);

/// <summary>A profile's layout.</summary>
/// <param name="FixedLength">Bytes of the fixed part; behind it the tail, as the slot of length 0 describes it, or nothing.</param>
/// <param name="Slots">Every slot, in order.</param>
/// <param name="Items">What the config's author knows of: features, timers, caps, each with the slots it is made of.</param>
public sealed record SavepointLayout(int FixedLength, IReadOnlyList<Slot> Slots, IReadOnlyList<StateItem> Items);

/// <summary>Something that is kept of a customer, by the name that the config gives it.</summary>
/// <param name="Name">With its kind: <c>feature views_1h</c>.</param>
/// <param name="Kind">Items of one name and different kinds can't take each other's place.</param>
/// <param name="Text">What it is, for people.</param>
/// <param name="Slots">The names of the slots that hold it; several items may share one.</param>
public sealed record StateItem(string Name, string Kind, string Text, IReadOnlyList<string> Slots);

/// <summary>A shard's file.</summary>
/// <param name="Shard">The partition.</param>
/// <param name="File">The file, beside the manifest.</param>
/// <param name="Offsets">The next offset of each source.</param>
/// <param name="Decisions">The decision partition's offset from which on nothing is in the state.</param>
/// <param name="Profiles">How many profiles it holds.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Sha256">Its SHA-256, hex.</param>
public sealed record SavepointShard(int Shard, string File, IReadOnlyList<long> Offsets, long Decisions, long Profiles, long Bytes,
    string Sha256);
