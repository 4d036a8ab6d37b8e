using StreamEngine.Connectors;
using StreamEngine.Connectors.Kafka;
using StreamEngine.Runtime;
using StreamEngine.Testing;
using Xunit;
using Xunit.Abstractions;

namespace StreamEngine.ContractTests.Logs;

/// <summary>
/// What a group tells of its members, and whether its partitions go where <see cref="StandbyPlan"/> expects them when a node is gone.
/// </summary>
public sealed class KafkaMembersTests(ITestOutputHelper output)
{
    private const int Partitions = 12;
    private readonly string _unique = $"members-{Guid.NewGuid():n}";
    private readonly Dictionary<string, TestWorker> _workers = [];

    [SkippableFact]
    public void A_dead_nodes_partitions_go_where_their_standbys_are()
    {
        Skip.If(KafkaBroker.Missing is not null, KafkaBroker.Missing);
        using var log = new KafkaLog(TestKafka.Options(KafkaBroker.Shared.Address) with
        {
            TransactionTimeout = TimeSpan.FromSeconds(1),
            Settings = new Dictionary<string, string>
            {
                ["consumer.session.timeout.ms"] = "2000",
                ["consumer.heartbeat.interval.ms"] = "200"
            },
        });
        log.CreateTopics([new TopicSpec($"{_unique}-in", Partitions), new TopicSpec($"{_unique}-out", 1)]);
        Assert.Empty(log.Members(_unique)!); // nobody is there yet
        string[][] nodes = [["a-0"], ["b-0"], ["c-0", "c-1"]]; // a member is a worker, not a node
        foreach (var id in nodes.SelectMany(n => n)) Start(log, id);
        var (moved, expected) = (0, 0);
        foreach (var node in new[] { "a", "c", "b" })
        {
            var workers = nodes.First(n => n[0][0] == node[0]);
            var before = Settled(log, 4);
            var gone = before.Where(m => StandbyPlan.NodeOf(m) == Name(node)).SelectMany(m => m.Partitions).ToList();
            var plan = new[] { "a", "b", "c" }.ToDictionary(n => Name(n), n => StandbyPlan.For(Name(n), before, $"{_unique}-in", 1));
            Assert.Equal(Partitions, plan.Values.Sum(p => p.Count)); // every shard has its standby somewhere, and one
            foreach (var id in workers) Stop(id);
            foreach (var owner in Settled(log, 4 - workers.Length))
                foreach (var partition in owner.Partitions.Intersect(gone))
                {
                    moved++;
                    if (plan[StandbyPlan.NodeOf(owner)].Contains(partition.Partition)) expected++;
                }
            foreach (var id in workers) Start(log, id);
        }
        foreach (var id in _workers.Keys.ToArray()) Stop(id);
        output.WriteLine($"{expected} of {moved} partitions went where their standby was");
        Assert.True(moved >= 9, $"{moved}");
        Assert.Equal(moved, expected);
    }

    private string Name(string node) => $"{_unique}-{node}";

    private void Start(ILog log, string id) =>
        _workers[id] = new TestWorker(log, new WorkerOptions
        {
            Group = _unique,
            InstanceId = Name(id),
            Sources = [$"{_unique}-in"],
            Outputs = [$"{_unique}-out"]
        }, resume: true);

    private void Stop(string id)
    {
        _workers.Remove(id, out var worker);
        worker!.Dispose(); // a static member does not say that it leaves: to the group it is as if it had died
    }

    /// <summary>The members once there are so many, each knows of its share, and everything is shared out evenly.</summary>
    private IReadOnlyList<GroupMember> Settled(ILog log, int count)
    {
        for (var end = Environment.TickCount64 + 60_000; ;)
        {
            foreach (var worker in _workers.Values) worker.Poll(milliseconds: 20);
            var members = log.Members(_unique)!;
            var shares = members.Select(m => m.Partitions.Count).Order().ToList();
            if (members.Count == count && shares.Sum() == Partitions && shares[^1] - shares[0] <= 1
                && members.All(m => _workers.FirstOrDefault(w => Name(w.Key) == m.InstanceId).Value is { } worker
                    && worker.Owned.SetEquals(m.Partitions))) return members;
            Assert.True(Environment.TickCount64 < end, "not settled within 60 s: "
                + $"{string.Join("; ", members.Select(m => $"{m.Id}: {string.Join(',', m.Partitions.Select(p => p.Partition))}"))}");
        }
    }
}
