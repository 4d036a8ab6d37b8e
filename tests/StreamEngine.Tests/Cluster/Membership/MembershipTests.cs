using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using StreamEngine.Cluster.Membership;
using Xunit;
using static StreamEngine.Tests.Cluster.Membership.TestNode;

namespace StreamEngine.Tests.Cluster.Membership;

/// <summary>Nodes that join, are taken out, come back and leave: two and three actor systems on the loopback address.</summary>
public sealed class MembershipTests
{
    [Fact]
    public async Task Three_nodes_form_one_cluster_and_know_each_others_roles_and_shards()
    {
        int[] ports = [.. FreePorts(3).OrderDescending()]; // the leader is the one with the lowest: each that joins here
        await using var a = Start("a", Options(ports[0], ports[0], ports[1]) with { Roles = ["web"] });
        await Formed(a);
        await using var b = Start("b", Options(ports[1], ports[0], ports[1]), s => s with { Shards = () => [new ShardState(3, 17, 0.5)] });
        await using var c = Start("c", Options(ports[2], ports[0], ports[1]));
        await Formed(a, b, c);
        var view = c.Node.View;
        Assert.Equal(["a web", "b ", "c "], view.Members.OrderBy(m => m.Name, StringComparer.Ordinal)
            .Select(m => $"{m.Name} {string.Join(',', m.Roles)}"));
        Assert.Contains(view.Leader, view.Members.Select(m => m.Address));
        var shards = await c.Node.ShardsAsync(Patience);
        Assert.Equal(3, shards.Count);
        Assert.Equal([new ShardState(3, 17, 0.5)], shards[b.Node.Address]);
        await Until(() => c.Lines.Contains("cluster: node b at 127.0.0.1:", StringComparison.Ordinal), c);
        var metrics = Collect(c.Node.Metrics);
        Assert.Equal((1, 0, 1, 2, 0), (metrics["up"], metrics["unreachable"], metrics["members up web"], metrics["members up "],
            metrics["members down "]));
        Assert.Equal(view.Leader == c.Node.Address ? 1 : 0, metrics["leader"]);
    }

    [Fact]
    public async Task A_node_that_the_others_took_out_joins_anew_and_the_process_lives_on()
    {
        var ports = FreePorts(2);
        await using var a = Start("a", Options(ports[0], ports) with { FailureDetector = Quick });
        await Formed(a);
        await using var b = Start("b", Options(ports[1], ports) with { FailureDetector = Quick });
        await Formed(a, b);
        var first = b.Part.System;
        var started = TimeProvider.System.GetTimestamp();
        a.Down(b);
        await Until(() => b.Part.Detached == 1, a, b);
        Assert.True(first.WhenTerminated.IsCompleted);
        await Until(() => b.Part.Attached == 2, a, b);
        await Formed(a, b);
        Assert.True(TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(30)); // Akka's own downing takes longer
        Assert.NotSame(first, b.Part.System);
        Assert.Contains("took this one out; this node joins anew", b.Lines, StringComparison.Ordinal);
        Assert.Equal((1, 0), (a.Part.Attached, a.Part.Detached));
        Assert.Equal((1, 0), (b.Node.Metrics.Rejoins("downed"), b.Node.Metrics.Rejoins("ended")));
    }

    [Fact]
    public async Task An_actor_system_that_ends_by_itself_is_made_anew()
    {
        var ports = FreePorts(2);
        await using var a = Start("a", Options(ports[0], ports));
        await Formed(a);
        await using var b = Start("b", Options(ports[1], ports));
        await Formed(a, b);
        await b.Part.System.Terminate();
        await Until(() => b.Part.Attached == 2, a, b);
        await Formed(a, b);
        Assert.Contains("its actor system ended", b.Lines, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_leaves_is_gone_at_once_and_stays_out()
    {
        var ports = FreePorts(2);
        await using var a = Start("a", Options(ports[0], ports));
        await Formed(a);
        await using var b = Start("b", Options(ports[1], ports));
        await Formed(a, b);
        await b.Node.LeaveAsync();
        await Formed(a);
        Assert.Equal((1, 1, ClusterPhase.Stopped), (b.Part.Attached, b.Part.Detached, b.Node.View.Phase));
        Assert.DoesNotContain("taken out", a.Lines, StringComparison.Ordinal);
    }

    /// <summary>For each of them the other one might as well be dead: whichever of two dies, the other one goes on.</summary>
    [Fact]
    public async Task Two_nodes_that_do_not_hear_each_other_go_on_alone_and_unite_when_they_do()
    {
        var ports = FreePorts(2);
        using var toA = new PortProxy(ports[0], out var bindA);
        using var toB = new PortProxy(ports[1], out var bindB);
        await using var a = Start("a", Options(ports[0], ports) with { BindPort = bindA, FailureDetector = Quick });
        await Formed(a);
        await using var b = Start("b", Options(ports[1], ports) with { BindPort = bindB, FailureDetector = Quick });
        await Formed(a, b);
        // A machine that stands still for long may have parted and united them before.
        var before = (a.Part.Attached, b.Part.Attached);
        toA.Cut();
        toB.Cut();
        await Formed(a);
        await Formed(b);
        Assert.Equal(before, (a.Part.Attached, b.Part.Attached));
        toA.Heal();
        toB.Heal();
        await Formed(a, b);
    }

    [Fact]
    public async Task Without_the_first_seed_the_second_forms_the_cluster_and_the_first_joins_it()
    {
        var ports = FreePorts(2);
        await using var b = Start("b", Options(ports[1], ports));
        await Formed(b);
        await using var a = Start("a", Options(ports[0], ports));
        await Formed(a, b);
    }

    [Fact]
    public async Task A_node_whose_port_is_taken_says_so_and_joins_once_it_is_free()
    {
        var ports = FreePorts(2);
        await using var a = Start("a", Options(ports[0], ports));
        var other = new TcpListener(IPAddress.Loopback, ports[1]);
        other.Start();
        await using var b = Start("b", Options(ports[1], ports));
        await Until(() => b.Lines.Contains("is taken: set cluster.port to a free one", StringComparison.Ordinal), b);
        Assert.Equal((ClusterPhase.Starting, 0), (b.Node.View.Phase, b.Part.Attached));
        other.Dispose();
        await Formed(a, b);
        Assert.Contains("The cluster answers again", b.Lines, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Clusters_that_came_to_be_side_by_side_unite()
    {
        var ports = FreePorts(3);
        await using var a = Start("a", Options(ports[0], ports[0]));
        await using var b = Start("b", Options(ports[1], ports[1]));
        await using var c = Start("c", Options(ports[2], ports[1]));
        await Formed(b, c);
        await Formed(a);
        // A fourth node knows all of them: it is let in by one side, and from there hears of the other.
        await using var d = Start("d", Options(FreePorts(1)[0], [.. ports]));
        await Formed(a, b, c, d);
        Assert.Contains("another cluster is at ", a.Lines + b.Lines, StringComparison.Ordinal);
    }

    private static Dictionary<string, int> Collect(ClusterMetrics metrics)
    {
        var all = new Dictionary<string, int>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (metrics.Owns(instrument)) l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) =>
            all[string.Join(' ', [instrument.Name["streamengine.cluster.".Length..], .. tags.ToArray().Select(t => t.Value)])] = value);
        listener.Start();
        listener.RecordObservableInstruments();
        return all;
    }
}
