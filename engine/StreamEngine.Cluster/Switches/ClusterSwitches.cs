using Akka.Actor;
using Akka.Configuration;
using Akka.DistributedData;
using StreamEngine.Decisions;
using StreamEngine.Runtime;

namespace StreamEngine.Cluster.Switches;

/// <summary>
/// Tells switches from node to node: whoever reads a record of the control topic first tells the others, so that a node whose own reading
/// is slow, or whose broker is away, follows a switch as fast as the rest. The topic stays the truth (<see cref="SwitchBoard"/>).
/// </summary>
public sealed class ClusterSwitches : IClusterPart, IDisposable
{
    private readonly SwitchBoard _board;
    private volatile IActorRef _actor = ActorRefs.Nobody;

    /// <summary>Begins without an ActorSystem: the board hears the topic alone.</summary>
    public ClusterSwitches(SwitchBoard board)
    {
        _board = board;
        board.Changed += OnChanged;
        board.Refuted += OnRefuted;
    }

    /// <summary>The HOCON that the ActorSystem is to be made with, merged with the rest, with the serializers of shared maps.</summary>
    public static Config Config { get; } = ConfigurationFactory.ParseString("""
        akka.cluster.distributed-data {
          # Whoever was missed by the write to all gets it after this time, on average.
          gossip-interval = 1s
          # The board hears this much later than the replicator.
          notify-subscribers-interval = 100ms
          # Nothing outlives the processes: the topic does.
          durable.keys = []
        }
        """).WithFallback(DistributedData.DefaultConfig());

    /// <inheritdoc/>
    public void Attach(ActorSystem system) => _actor = system.ActorOf(Props.Create(() => new SwitchSharer(_board)), SwitchSharer.Name);

    /// <inheritdoc/>
    public void Detach() => _actor = ActorRefs.Nobody;

    /// <inheritdoc/>
    public void Dispose()
    {
        _board.Changed -= OnChanged;
        _board.Refuted -= OnRefuted;
        Detach();
    }

    /// <summary>Told on the reader's thread: a note for the actor, and back.</summary>
    private void OnChanged() => _actor.Tell(SwitchSharer.Share.Instance, ActorRefs.NoSender);

    private void OnRefuted(string topicId, SwitchRecord record) =>
        _actor.Tell(new SharedSwitch(topicId, record), ActorRefs.NoSender);
}
