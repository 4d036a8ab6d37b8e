using StreamEngine.Connectors;
using StreamEngine.Runtime.Requests;

namespace StreamEngine.Tests.Simulation;

/// <summary>
/// Watches half of the customers in every process, in half of the runs. Whatever a process is told of a decision must be in the log, as it
/// was told, a customer's in the log's order and not twice, whoever the process thinks it is.
/// </summary>
internal sealed class SimWatches(SimDriver driver, Random random)
{
    private readonly bool _on = random.Next(2) == 0 && !driver.Repeats;
    private readonly List<List<CustomerUpdate>> _told = [];

    /// <summary>Decisions that were told, in all.</summary>
    public int Decisions => _told.Sum(t => t.Count(u => u.Decision is not null));

    /// <summary>A process starts.</summary>
    public CustomerFeed? Open(ShardDirectory directory)
    {
        if (driver.Repeats) return null;
        var feed = new CustomerFeed(directory);
        List<CustomerUpdate> told = [];
        _told.Add(told);
        for (var i = 0; _on && i < 8; i += 2) feed.Watch($"c{i}", told.Add);
        return feed;
    }

    /// <summary>What was told against the log of a partition.</summary>
    public void Judge(int partition, IReadOnlyList<SimDecision> logged)
    {
        var place = logged.Select((decision, i) => (decision, i)).ToDictionary(d => d.decision.Id, d => d.i);
        foreach (var told in _told)
        {
            Dictionary<string, int> last = [];
            foreach (var update in told)
            {
                if (update.Decision is not { } decision || Partition(update.Customer) != partition) continue;
                if (!place.TryGetValue(decision.DecisionId, out var at))
                    throw new SimFailure($"a watcher was told {decision.DecisionId}, which is not in the log");
                if (last.TryGetValue(update.Customer, out var before) && at <= before)
                    throw new SimFailure($"a watcher was told {decision.DecisionId} after {logged[before].Id}");
                last[update.Customer] = at;
                if (logged[at].Customer != update.Customer || logged[at].Offer != decision.Offers.FirstOrDefault()?.Offer)
                    throw new SimFailure($"a watcher was told {decision}, logged {logged[at]}");
            }
        }
    }

    private int Partition(string customer) => driver.Partitions == 1 ? 0
        : Murmur2.Partition(System.Text.Encoding.UTF8.GetBytes(customer), driver.Partitions);
}
