using Avro.Generic;
using Xunit;

namespace StreamEngine.Tests.Decisions.Outcomes;

/// <summary>
/// The limits of <see cref="OutcomeShop.Limited"/> written a second time, over the outcomes that count so far: two clicks of a customer
/// within two hours; two rejects of an offer within three hours, and 30 minutes off.
/// </summary>
internal sealed class NaiveLimits(NaiveOutcomes outcomes)
{
    private const long Minute = 60_000;

    private readonly List<(string Customer, string Offer, long Time)> _clicks = [], _rejects = [];
    private readonly Dictionary<(string Customer, string Offer), long> _rests = [];
    private int _read;

    /// <summary>Candidates by why they were dropped; none where they took part.</summary>
    public SortedDictionary<string, int> Dropped { get; } = [];

    /// <summary>A decision, just before it is told.</summary>
    public void Check(GenericRecord decision)
    {
        Read();
        var (customer, at) = ((string)decision["customer_id"]!, (long)decision["decided_at"]!);
        foreach (GenericRecord candidate in ((IEnumerable<object?>)decision["candidates"]!).Cast<GenericRecord>())
        {
            var (offer, drop) = ((string)candidate["offer"]!, (string)candidate["drop"]!);
            if (drop is "placement" or "not_eligible" or "no_consent") continue;
            var expected = _clicks.Count(c => c.Customer == customer && c.Time > at - 120 * Minute) >= 2 ? "customer_cap:clicks"
                : at < _rests.GetValueOrDefault((customer, offer)) ? "suppressed:tired" : "";
            var actual = drop is "lost_arbitration" ? "" : drop;
            Assert.Equal((decision["decision_id"], offer, expected), (decision["decision_id"], offer, actual));
            Dropped[actual] = Dropped.GetValueOrDefault(actual) + 1;
        }
    }

    /// <summary>Takes in the outcomes that have counted since.</summary>
    private void Read()
    {
        for (; _read < outcomes.Counted.Count; _read++)
        {
            var (kind, of, time) = outcomes.Counted[_read];
            if (kind == "click") _clicks.Add((of.Customer, of.Offer, time));
            if (kind != "reject") continue;
            _rejects.Add((of.Customer, of.Offer, time));
            var newest = _rejects.Where(r => r.Customer == of.Customer && r.Offer == of.Offer).Select(r => r.Time).OrderDescending()
                .Take(2).ToList();
            if (newest.Count < 2 || newest[0] - newest[1] >= 180 * Minute) continue;
            var key = (of.Customer, of.Offer);
            _rests[key] = Math.Max(_rests.GetValueOrDefault(key), newest[0] + 30 * Minute);
        }
    }
}
