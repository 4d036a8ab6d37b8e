using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using StreamEngine.Testing;

namespace StreamEngine.Benchmarks.Processes;

/// <summary>
/// What the Akka cluster takes while nothing happens: the time from a process' start to its first answer and until it is ready, and its CPU
/// at rest; without a cluster, as the only node of one, and as the second one.
/// </summary>
internal static class RestRun
{
    private const int Partitions = 12;
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(10);

    public static async Task<int> Run(string[] args)
    {
        var given = new RunArguments(args, "--rounds", "--seconds", "--set");
        var (rounds, seconds) = (given.Number("--rounds", 3), given.Number("--seconds", 30));
        Console.WriteLine($"{rounds} starts each; CPU over {seconds} s at rest, of the last start");
        Console.WriteLine($"{"",-26}{"first answer s",15}{"worst",8}{"ready s",9}{"worst",8}{"CPU at rest, % of a core",26}{"MB",6}");
        using var broker = KafkaBroker.Start();
        using var site = new Site(broker.Address, Partitions);
        await Measure("without a cluster", clustered: false, others: 0);
        await Measure("the only node of one", clustered: true, others: 0);
        await Measure("the second node of one", clustered: true, others: 1);
        return 0;

        async Task Measure(string what, bool clustered, int others)
        {
            var run = $"rest-{(clustered ? "cluster" : "alone")}-{others}";
            site.CreateOutputs(run);
            var (answers, ready) = (new List<double>(), new List<double>());
            var (cpu, memory) = (0.0, 0.0);
            for (var round = 0; round < rounds; round++)
            {
                using var nodes = new NodeCluster(site, run, clustered, given.All("--set"));
                for (var i = 0; i < others; i++) await NodeCluster.Ready(nodes.Start());
                var started = Stopwatch.GetTimestamp();
                var node = nodes.Start();
                var readiness = Task.Run(async () =>
                {
                    await NodeCluster.Ready(node);
                    return Stopwatch.GetElapsedTime(started).TotalSeconds;
                });
                await NodeCluster.Until(node, () => Answers(node), "gives no answer");
                answers.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
                ready.Add(await readiness);
                if (round == rounds - 1)
                {
                    await Task.Delay(Settling);
                    var before = node.CpuTime;
                    await Task.Delay(TimeSpan.FromSeconds(seconds));
                    (cpu, memory) = ((node.CpuTime - before).TotalSeconds / seconds * 100, node.ResidentBytes / 1_048_576.0);
                }
                await nodes.Stop();
            }
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{what,-26}{RatioRun.Median(answers),15:0.00}{answers.Max(),8:0.00}"
                + $"{RatioRun.Median(ready),9:0.00}{ready.Max(),8:0.00}{cpu,26:0.00}{memory,6:0}"));
        }
    }

    private static async Task<bool> Answers(EngineProcess node)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(10) };
        using var body = new StringContent("""{"customer":"somebody","placement":"home"}""", Encoding.UTF8, "application/json");
        try
        {
            using var reply = await http.PostAsync($"http://127.0.0.1:{node.Port}/v1/decisions", body);
            return reply.StatusCode == HttpStatusCode.OK;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }
}
