using System.Globalization;
using HdrHistogram;
using StreamEngine.Testing;

namespace StreamEngine.Benchmarks.Processes;

/// <summary>
/// Decision requests at the nodes of an Akka cluster, over HTTP or gRPC, beside a stream of events: how long those take whose customer is
/// at the node that was asked, and those that it passes on; or how many requests a second are too many.
/// </summary>
internal static class NodeRequestRun
{
    private const int Partitions = 12, Customers = 20_000;
    private const string Http = "http", Rpc = "grpc";
    private const double LimitMs = 100, Growth = 1.25;

    /// <summary>Runs.</summary>
    /// <param name="given">The arguments.</param>
    /// <param name="saturate">Whether the rate is raised until it is too much.</param>
    public static async Task<int> Run(RunArguments given, bool saturate)
    {
        var count = given.Number("--nodes", 1);
        var (rate, events, seconds) =
            (given.Number("--rate", saturate ? 500 : 2_000), given.Number("--events", 20_000), given.Number("--seconds", 20));
        var protocol = given.All("--protocol") is [.., var named] ? named : Http;
        if (protocol is not (Http or Rpc)) throw new ArgumentException($"--protocol {protocol}: give {Http} or {Rpc}.");
        Console.WriteLine($"{count} nodes by {protocol}, {Partitions} partitions, {events} events/s, {seconds} s each");
        Console.WriteLine($"{"reply",-10}{"requests/s",11}{"",11}{"requests",10}{"p50 ms",9}{"p99 ms",9}{"p99.9 ms",9}{"max ms",9}  "
            + "remark");
        foreach (var reply in given.All("--reply") is { Length: > 0 } some ? some : ["committed", "decided"])
        {
            using var broker = KafkaBroker.Start();
            using var site = new Site(broker.Address, Partitions);
            site.CreateOutputs(reply);
            using var nodes = new NodeCluster(site, reply, clustered: true,
                [$"requests.reply={reply}", "requests.timeout=10s", "runtime.commit_interval=20ms", .. given.All("--set")]);
            for (var i = 0; i < count; i++) await NodeCluster.Ready(nodes.Start());
            var owners = await nodes.Owners();
            using var log = site.Open();
            using var load = new EventLoad(log, Site.Events, Customers);
            load.Write(Customers);
            await NodeCluster.Until(nodes.Nodes[0], () => Read(nodes), "did not read the first events");
            using (EventFeed.Start(load, events))
            using (IAsking way = protocol == Rpc ? new RpcAsking(nodes.RpcPorts) : new HttpAsking([.. nodes.Nodes.Select(n => n.Port)]))
            {
                var asking = new RequestLoad(way, count, owners, Customers);
                await asking.Ask(rate, given.Number("--warm", Math.Min(seconds, 5)));
                if (saturate) await Saturate(asking, nodes, reply, rate, seconds);
                else await Step(asking, nodes, reply, rate, seconds);
            }
            await nodes.Stop();
        }
        return 0;
    }

    private static async Task<bool> Read(NodeCluster nodes) =>
        (await Task.WhenAll(nodes.Nodes.Select(n => n.Metric("streamengine_records_total")))).Sum() >= Customers;

    private static async Task Saturate(RequestLoad load, NodeCluster nodes, string reply, int rate, int seconds)
    {
        var good = 0;
        for (; await Step(load, nodes, reply, rate, seconds); rate = (int)(rate * Growth)) good = rate;
        Console.WriteLine(good == 0 ? $"{reply}: {rate} requests/s are too many already; begin with fewer (--rate)"
            : $"{reply}: {good} requests/s are served, p99 within {LimitMs} ms; {rate} are too many");
    }

    /// <summary>Asks at one rate.</summary>
    /// <returns>Whether all were served, and in time.</returns>
    private static async Task<bool> Step(RequestLoad load, NodeCluster nodes, string reply, int rate, int seconds)
    {
        var cpu = Cpu(nodes);
        var tally = await load.Ask(rate, seconds);
        var remark = string.Create(CultureInfo.InvariantCulture, $"{tally.Failed} not served; {(Cpu(nodes) - cpu) / seconds:0.00} cores; "
            + $"sent {Ms(tally.Lag, 99):0.0} ms late at p99");
        Row("local", tally.Local, remark);
        if (nodes.Nodes.Count > 1) Row("forwarded", tally.Forwarded, "");
        return tally.Failed == 0 && Ms(tally.Local, 99) <= LimitMs && Ms(tally.Forwarded, 99) <= LimitMs;

        void Row(string way, HistogramBase h, string text) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{reply,-10}{rate,11}{way,11}{h.TotalCount,10}{Ms(h, 50),9:0.00}{Ms(h, 99),9:0.00}{Ms(h, 99.9),9:0.00}{Ms(h, 100),9:0.0}"
                + $"  {text}"));
    }

    private static double Ms(HistogramBase histogram, double percentile) =>
        histogram.TotalCount == 0 ? 0 : histogram.GetValueAtPercentile(percentile) / 1_000.0;

    private static double Cpu(NodeCluster nodes) => nodes.Nodes.Sum(n => n.CpuTime.TotalSeconds);
}
