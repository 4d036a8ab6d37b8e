using System.Collections.Immutable;
using Akka.Actor;
using Akka.Cluster;
using Akka.DistributedData;
using StreamEngine.Runtime;

namespace StreamEngine.Cluster.Switches;

using SwitchMap = LWWDictionary<string, SharedSwitch>;

/// <summary>
/// Keeps a map of switches in common with the other nodes, by Akka.DistributedData: from topic and target to the newest record. It puts in
/// what this node has read of the topic, and tells the board what others have put in. Of two records of a key the one with the higher
/// offset stays, in whatever order they meet. The map has an entry for each thing that the config has, a few hundred bytes each.
/// </summary>
internal sealed class SwitchSharer(SwitchBoard board) : UntypedActor
{
    /// <summary>The actor's name.</summary>
    public const string Name = "streamengine-switches";

    /// <summary>The map.</summary>
    public static readonly LWWDictionaryKey<string, SharedSwitch> Key = new("switches");

    /// <summary>Told to every node at once; one that can't be reached gets it by gossip, later.</summary>
    private static readonly WriteAll ToAll = new(TimeSpan.FromSeconds(1));

    private readonly UniqueAddress _self = Akka.Cluster.Cluster.Get(Context.System).SelfUniqueAddress;
    private readonly IActorRef _replicator = DistributedData.Get(Context.System).Replicator;
    private ImmutableDictionary<string, SharedSwitch> _map = ImmutableDictionary<string, SharedSwitch>.Empty;

    protected override void PreStart()
    {
        _replicator.Tell(Dsl.Subscribe(Key, Self));
        // What this node has read before there was this system.
        Self.Tell(Share.Instance);
    }

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case Changed changed when changed.Key.Equals(Key):
                _map = changed.Get(Key).Entries.ToImmutableDictionary();
                TellBoard();
                RemoveFormer();
                break;
            case Share:
                TellBoard();
                ShareRead();
                RemoveFormer();
                break;
            case SharedSwitch refuted: Remove(e => e == refuted); break;
            case IUpdateResponse: break; // where not all nodes got it in time, gossip brings it
            default: Unhandled(message); break;
        }
    }

    private void TellBoard()
    {
        foreach (var told in _map.Values) board.Hear(told.TopicId, told.Record);
    }

    /// <summary>Puts in what this node has read and the map has not, of what the config has.</summary>
    private void ShareRead()
    {
        var read = board.Read;
        if (read.TopicId is not { } topic) return;
        List<SharedSwitch> news = [.. read.Records.Where(r => board.Knows(r.Target)).Select(r => new SharedSwitch(topic, r))
            .Where(s => IsNews(_map.GetValueOrDefault(s.Key), s))];
        if (news.Count > 0)
            Update(map => news.Where(s => IsNews(map.TryGetValue(s.Key, out var known) ? known : null, s))
                .Aggregate(map, (m, s) => m.SetItem(_self, s.Key, s, static (_, value) => value.Record.Offset)));
    }

    private static bool IsNews(SharedSwitch? known, SharedSwitch told) => known is null || known.Record.Offset < told.Record.Offset;

    /// <summary>
    /// Takes out what is of a topic whose name this one has now. Nodes that have not heard of that put it in again only when they begin
    /// anew, so that two nodes do not do and undo the same for ever.
    /// </summary>
    private void RemoveFormer()
    {
        if (board.Read.FormerTopics is { Count: > 0 } former) Remove(e => former.Contains(e.TopicId));
    }

    private void Remove(Predicate<SharedSwitch> isOver)
    {
        if (_map.Values.Any(e => isOver(e)))
            Update(map => map.Entries.Where(e => isOver(e.Value)).Aggregate(map, (m, e) => m.Remove(_self, e.Key)));
    }

    private void Update(Func<SwitchMap, SwitchMap> change) => _replicator.Tell(Dsl.Update(Key, SwitchMap.Empty, ToAll, change));

    /// <summary>The board has read something.</summary>
    internal sealed class Share
    {
        public static readonly Share Instance = new();
    }
}
