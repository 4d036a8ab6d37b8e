using System.Diagnostics.Metrics;
using Akka.Actor;
using StreamEngine.Cluster.Routing;
using StreamEngine.Cluster.Routing.Protocol;
using Xunit;

namespace StreamEngine.Tests.Cluster;

/// <summary>What of the requests' part can be seen from outside.</summary>
public sealed class RoutingMetricsTests
{
    [Fact]
    public void Every_number_is_there_from_the_start_at_0()
    {
        var (mine, seen) = (Environment.CurrentManagedThreadId, new SortedDictionary<string, long>(StringComparer.Ordinal));
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, all) =>
            {
                if (instrument.Name.StartsWith("streamengine.cluster.", StringComparison.Ordinal)) all.EnableMeasurementEvents(instrument);
            },
        };
        RoutingMetrics? metrics = null;
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            // Other tests' nodes count too.
            if (Environment.CurrentManagedThreadId != mine || (instrument.IsObservable && metrics?.Has(instrument) != true)) return;
            var name = instrument.Name["streamengine.cluster.".Length..] + (tags.Length > 0 ? $"/{tags[0].Value}" : "");
            seen[name] = seen.GetValueOrDefault(name) + value;
        });
        listener.Start();
        using var made = metrics = new RoutingMetrics();
        var node = new Address("akka.tcp", "s", "a", 7);
        metrics.Owners = new Owners(4, metrics);
        metrics.Owners.Update([node], []);
        metrics.Owners.Apply(new Announcement(node, 1, 1, [new(0, 5), new(3, 5)]));
        listener.RecordObservableInstruments();
        Assert.Equal([
            "answers.dropped 0", "busy 0", "entities 0", "expired 0", "hops 0", "in_flight 0", "not_owner 0", "re_asks/moved 0",
            "re_asks/restoring 0", "re_asks/silent 0", "requests/direct 0", "requests/forwarded 0", "requests/local 0", "shard.moves 0",
            "shards/a:7 2", "stash 0", "timed_out 0", "watchers 0",
        ], seen.Select(s => $"{s.Key} {s.Value}"));
    }
}
