using System.Diagnostics;
using System.Globalization;
using System.Text;
using HdrHistogram;
using StreamEngine.Connectors;

namespace StreamEngine.Benchmarks.Processes;

/// <summary>What became of the requests of a while; latencies in microseconds, each from when the request was due.</summary>
internal sealed class RequestTally
{
    /// <summary>Of customers of the node that was asked.</summary>
    public LongConcurrentHistogram Local { get; } = Histogram();

    /// <summary>Of customers of another node.</summary>
    public LongConcurrentHistogram Forwarded { get; } = Histogram();

    /// <summary>How long after its time a request was sent: where that is much, the generator is what is slow.</summary>
    public LongConcurrentHistogram Lag { get; } = Histogram();

    /// <summary>Requests that were not served.</summary>
    public long Failed;

    private static LongConcurrentHistogram Histogram() => new(1, 60_000_000, 3);
}

/// <summary>
/// Asks random nodes for decisions of random customers, open loop: each request has its time, late or not, and its latency counts
/// from there, so that a stall is seen in every request that it held up.
/// </summary>
/// <param name="asking">How they are asked.</param>
/// <param name="nodes">How many nodes there are.</param>
/// <param name="owners">By partition, the owner's place among them.</param>
/// <param name="customers">How many customers there are.</param>
internal sealed class RequestLoad(IAsking asking, int nodes, int[] owners, int customers)
{
    private readonly Random _random = new(1);

    /// <summary>Asks at a rate for so long.</summary>
    public async Task<RequestTally> Ask(int perSecond, int seconds)
    {
        var tally = new RequestTally();
        var open = new List<Task>(perSecond * seconds);
        var started = Stopwatch.GetTimestamp();
        for (var i = 0; i < perSecond * seconds; i++)
        {
            var due = started + (long)((double)i / perSecond * Stopwatch.Frequency);
            while (Stopwatch.GetTimestamp() < due) await Task.Delay(1);
            var customer = string.Create(CultureInfo.InvariantCulture, $"customer-{_random.Next(customers):D7}");
            open.Add(One(tally, customer, _random.Next(nodes), due));
        }
        await Task.WhenAll(open);
        return tally;
    }

    private async Task One(RequestTally tally, string customer, int place, long due)
    {
        tally.Lag.RecordValue(Micros(due));
        var isLocal = owners[Murmur2.Partition(Encoding.UTF8.GetBytes(customer), owners.Length)] == place;
        if (!await asking.Ask(place, customer)) Interlocked.Increment(ref tally.Failed);
        (isLocal ? tally.Local : tally.Forwarded).RecordValue(Micros(due));
    }

    private static long Micros(long since) => Math.Clamp((long)Stopwatch.GetElapsedTime(since).TotalMicroseconds, 1, 60_000_000);
}
