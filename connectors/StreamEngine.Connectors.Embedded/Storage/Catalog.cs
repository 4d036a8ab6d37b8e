using System.Buffers.Binary;
using System.Text;

namespace StreamEngine.Connectors.Embedded.Storage;

/// <summary>A topic and where its partitions begin in the catalog.</summary>
internal sealed record Topic(string Name, int FirstPartition, int Partitions);

/// <summary>A consumer group's committed offsets, by the partition's number.</summary>
internal sealed class GroupOffsets(int id)
{
    private readonly Dictionary<int, long> _next = [];

    public int Id { get; } = id;

    public long? this[int partition]
    {
        get
        {
            lock (_next) return _next.TryGetValue(partition, out var next) ? next : null;
        }
    }

    public void Set(int partition, long next)
    {
        lock (_next) _next[partition] = next;
    }
}

/// <summary>
/// What the durable part of the log says: topics, partitions, groups, committed offsets. Only <see cref="Apply"/> changes it, chunk by
/// chunk in the log's order, at recovery and afterwards alike.
/// </summary>
internal sealed class Catalog
{
    private const byte TopicKind = 1;
    private const byte GroupKind = 2;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Topic> _topics = [];
    private readonly Dictionary<string, GroupOffsets> _groups = [];
    private readonly List<GroupOffsets> _groupsById = [];
    private PartitionLog[] _partitions = [];

    public int PartitionCount => Volatile.Read(ref _partitions).Length;

    public Topic? Topic(string name)
    {
        lock (_lock) return _topics.GetValueOrDefault(name);
    }

    public Topic[] Topics()
    {
        lock (_lock) return [.. _topics.Values];
    }

    public GroupOffsets? Group(string name)
    {
        lock (_lock) return _groups.GetValueOrDefault(name);
    }

    public PartitionLog Partition(int id) => Volatile.Read(ref _partitions)[id];

    public PartitionLog? Partition(TopicPartition name) =>
        Topic(name.Topic) is { } topic && (uint)name.Partition < (uint)topic.Partitions ? Partition(topic.FirstPartition + name.Partition)
            : null;

    /// <summary>The chunk that defines the next topic.</summary>
    public byte[] DefineTopic(string name, int partitions) => Define(TopicKind, PartitionCount, partitions, name);

    /// <summary>The chunk that defines the next group.</summary>
    public byte[] DefineGroup(string name)
    {
        lock (_lock) return Define(GroupKind, _groupsById.Count, 0, name);
    }

    /// <summary>Takes a durable chunk of a closed group in.</summary>
    public void Apply(ReadOnlySpan<byte> chunk, long address)
    {
        if ((Chunk.Flags(chunk) & ChunkFlags.Definition) != 0)
        {
            ApplyDefinition(chunk[Chunk.HeaderLength..]);
            return;
        }
        foreach (ref readonly var section in Chunk.Sections(chunk)) Partition(section.Partition).Publish(section, address);
        foreach (ref readonly var offset in Chunk.Offsets(chunk)) _groupsById[offset.Group].Set(offset.Partition, offset.Next);
    }

    private static byte[] Define(byte kind, int id, int partitions, string name)
    {
        var chunk = new byte[Chunk.HeaderLength + 9 + Encoding.UTF8.GetByteCount(name)];
        Chunk.WriteHeader(chunk, ChunkFlags.Begin | ChunkFlags.End | ChunkFlags.Definition, 0, 0);
        var body = chunk.AsSpan(Chunk.HeaderLength);
        body[0] = kind;
        BinaryPrimitives.WriteInt32LittleEndian(body[1..], id);
        BinaryPrimitives.WriteInt32LittleEndian(body[5..], partitions);
        Encoding.UTF8.GetBytes(name, body[9..]);
        return chunk;
    }

    private void ApplyDefinition(ReadOnlySpan<byte> body)
    {
        var id = BinaryPrimitives.ReadInt32LittleEndian(body[1..]);
        var count = BinaryPrimitives.ReadInt32LittleEndian(body[5..]);
        var name = Encoding.UTF8.GetString(body[9..]);
        lock (_lock)
        {
            if (body[0] == GroupKind)
            {
                var group = new GroupOffsets(id);
                _groupsById.Add(group);
                _groups[name] = group;
                return;
            }
            var more = new PartitionLog[id + count];
            _partitions.CopyTo(more, 0);
            for (var p = 0; p < count; p++) more[id + p] = new PartitionLog(id + p, new TopicPartition(name, p));
            Volatile.Write(ref _partitions, more);
            _topics[name] = new Topic(name, id, count);
        }
    }
}
