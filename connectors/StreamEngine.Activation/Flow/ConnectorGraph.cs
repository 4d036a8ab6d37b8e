using System.Threading.Channels;
using Akka;
using Akka.Actor;
using Akka.Configuration;
using Akka.Streams;
using Akka.Streams.Dsl;

namespace StreamEngine.Activation.Flow;

/// <summary>
/// The Akka.Streams graph of a connector: batches go to their lanes, each lane delivers one after another, and what is done comes back. Its
/// backpressure reaches the topic by the connector's limit on what is in flight.
/// </summary>
internal static class ConnectorGraph
{
    /// <summary>The most lanes: partitions of a topic, or parallel calls.</summary>
    private const int MostLanes = 100_000;

    private static readonly Config Quiet = ConfigurationFactory.ParseString("""
        akka {
          loglevel = OFF
          stdout-loglevel = OFF
          log-dead-letters = off
          log-dead-letters-during-shutdown = off
          coordinated-shutdown { exit-clr = off, run-by-clr-shutdown-hook = off }
        }
        """);

    /// <summary>The actor system that runs the graphs of a process.</summary>
    public static ActorSystem System() => ActorSystem.Create("streamengine-activation", Quiet);

    /// <summary>Runs a graph until no more batches come, or a delivery throws.</summary>
    /// <param name="system">Where it runs.</param>
    /// <param name="batches">What is to be delivered.</param>
    /// <param name="deliver">Delivers a batch; what it throws ends the graph.</param>
    /// <param name="done">Told of each batch that was delivered or let go.</param>
    /// <param name="waiting">How many batches wait in a lane at most: no lane holds up another one below this.</param>
    public static Task Run(ActorSystem system, ChannelReader<Batch> batches, Func<Batch, Task> deliver, Action<Batch> done, int waiting)
    {
        var lanes = ChannelSource.FromReader(batches)
            .GroupBy(MostLanes, b => b.Lane)
            .Buffer(waiting, OverflowStrategy.Backpressure)
            .SelectAsync(1, async b =>
            {
                await deliver(b).ConfigureAwait(false);
                return b;
            });
        var merged = (Source<Batch, NotUsed>)lanes.MergeSubstreams();
        return merged.RunWith(Sink.ForEach(done), system.Materializer());
    }
}
