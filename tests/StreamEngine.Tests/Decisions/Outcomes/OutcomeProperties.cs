using System.Globalization;
using System.Text;
using Avro.Generic;
using StreamEngine.Events;
using StreamEngine.Runtime;
using StreamEngine.State;
using StreamEngine.Testing;
using StreamEngine.Tests.Events.Avro;
using Xunit;

namespace StreamEngine.Tests.Decisions.Outcomes;

/// <summary>
/// Random logs of decisions and outcomes (out of order, repeated, late, before their decision, without consent) against a fold that is
/// written a second time; and the same log in other batches, and with a restart in the midst of it.
/// </summary>
public sealed class OutcomeProperties
{
    private const int Events = 1_500;
    private static readonly ApacheAvro Decisions = ApacheAvro.Of("decision");

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(3, true)]
    [InlineData(4, true)]
    public void RandomLogs_giveWhatANaiveFoldGives_inEveryBatch_andAcrossRestarts(int seed, bool limited)
    {
        using var engine = OutcomeShop.Compile(limited ? OutcomeShop.Limited() : OutcomeShop.Options());
        var log = Log(seed);
        using var one = new ShardDriver(engine);
        var caused = new List<List<Written>>();
        foreach (var e in log)
        {
            var before = one.Outputs.Count;
            Add(one, e).Process();
            caused.Add([.. one.Outputs.Skip(before).Where(o => o.Topic == "decisions")]);
        }

        // (1) What the naive fold says.
        var naive = new NaiveOutcomes((long)engine.Options.Time.Lateness.TotalMilliseconds, OutcomeShop.Outcomes.MaxOpen);
        var limits = limited ? new NaiveLimits(naive) : null;
        for (var i = 0; i < log.Count; i++)
            naive.Apply(log[i], Hash64.Of(Encoding.UTF8.GetBytes(log[i].Id)).ToString("x16", CultureInfo.InvariantCulture),
                Served(caused[i], limits));
        if (limits is not null)
            foreach (var drop in new[] { "customer_cap:clicks", "suppressed:tired", "" })
                Assert.True(limits.Dropped.GetValueOrDefault(drop) >= 10, $"only {limits.Dropped.GetValueOrDefault(drop)} are {drop}");
        var lines = one.Records().ConvertAll(OutcomeShop.Line);
        for (var i = 0; i < Math.Min(lines.Count, naive.Lines.Count); i++) Assert.Equal(naive.Lines[i], lines[i]);
        Assert.Equal(naive.Lines.Count, lines.Count);
        Assert.Equal(lines.Count, lines.Select(l => l.Split(' ')[0]).Distinct().Count());
        foreach (var fate in new[] { "matched", "late", "duplicate", "unmatched", "no_consent", "closed", "displaced", "withdrawn" })
            Assert.True(naive.Fates.GetValueOrDefault(fate) >= 3, $"only {naive.Fates.GetValueOrDefault(fate)} are {fate}");
        Assert.Contains(naive.Lines, l => l.Contains(" decision_id ", StringComparison.Ordinal) && l.Split(' ')[4].Length == 16);

        // (2) The same bytes, and the same profiles, in every batch.
        foreach (var size in new[] { 7, 1_000 })
        {
            using var other = InBatches(engine, log, size);
            AssertSame(one.Outputs, other.Outputs);
            Assert.Equal(Profiles(one), Profiles(other));
        }

        // (3) The same bytes, and the same profiles, across a restart.
        var cut = new Random(seed).Next(200, Events - 200);
        using var first = new ShardDriver(engine);
        for (var i = 0; i < cut; i++) Add(first, log[i]).Process();
        using var second = new ShardDriver(engine);
        second.Restore(log.Take(cut).Select((e, i) => (e.Customer, Encoding.UTF8.GetBytes(Json(e)), e.Time, caused[i])));
        Assert.Equal(first.Shard.Counters.OpenDecisions, second.Shard.Counters.OpenDecisions);
        for (var i = cut; i < log.Count; i++) Add(second, log[i]).Process();
        AssertSame(one.Outputs, [.. first.Outputs, .. second.Outputs]);
        Assert.Equal(Profiles(one), Profiles(second));
    }

    /// <summary>Five customers in a hurry, whose events name decisions of the past, of the future, of others, and none.</summary>
    private static List<NaiveOutcomes.Shop> Log(int seed)
    {
        var random = new Random(seed);
        var time = Scenario.Start;
        var log = new List<NaiveOutcomes.Shop>();
        var views = new List<(string Customer, int At)>();
        for (var i = 0; i < Events; i++)
        {
            time += random.Next(100) == 0 ? random.Next(1, 90) * 60_000 : random.Next(0, 120_000);
            if (i > 20 && random.Next(25) == 0)
            {
                log.Add(log[^random.Next(1, 15)]);
                continue;
            }
            var customer = $"c{random.Next(5)}";
            var at = random.Next(5) == 0 ? time - random.Next(0, 900_000) : time;
            var consents = random.Next(12) != 0;
            if (random.Next(3) == 0)
            {
                views.Add((customer, i));
                log.Add(new($"e{i}", customer, "page_view", at, "", "", random.Next(2) == 0 ? "home" : "product", 0, consents));
                continue;
            }
            var type = new[] { "seen", "clicked", "bought", "refunded", "rejected" }[random.Next(5)];
            var own = views.Where(v => v.Customer == customer).Select(v => v.At).ToList();
            var decision = random.Next(10) switch
            {
                0 => "",
                1 => OutcomeShop.Id(i + random.Next(1, 12)),                                     // perhaps one that comes
                2 when views.Count > 0 => OutcomeShop.Id(views[random.Next(views.Count)].At),    // perhaps another customer's
                3 => random.Next(2) == 0 ? "nonsense" : "scenario/shop/7/3/0",
                _ when own.Count > 0 => OutcomeShop.Id(own[^random.Next(1, Math.Min(6, own.Count + 1))]),
                _ => "",
            };
            log.Add(new($"e{i}", customer, type, at, decision, random.Next(3) == 0 ? "ab"[random.Next(2)].ToString() : "",
                random.Next(3) == 0 ? "home" : "", random.Next(1, 500), consents));
        }
        return log;
    }

    private static ShardDriver InBatches(CompiledEngine engine, List<NaiveOutcomes.Shop> log, int size)
    {
        var driver = new ShardDriver(engine);
        for (var i = 0; i < log.Count; i++)
        {
            Add(driver, log[i]);
            if ((i + 1) % size == 0) driver.Process();
        }
        return driver.Process();
    }

    private static void AssertSame(List<Written> expected, List<Written> actual)
    {
        foreach (var topic in expected.Select(o => o.Topic).Distinct())
        {
            var (before, now) = (expected.Where(o => o.Topic == topic).ToList(), actual.Where(o => o.Topic == topic).ToList());
            Assert.Equal(before.Count, now.Count);
            for (var i = 0; i < before.Count; i++)
                Assert.True(before[i].Value.AsSpan().SequenceEqual(now[i].Value), $"{topic}, record {i} differs");
        }
    }

    /// <summary>What was shown; each decision is looked at when those before it have been told.</summary>
    private static IEnumerable<NaiveOutcomes.Served> Served(List<Written> decisions, NaiveLimits? limits) => decisions
        .Select(d => Decisions.Record(d.Value.AsSpan(5))).Where(d =>
        {
            limits?.Check(d);
            return d["chosen"] is not null;
        })
        .Select(d => new NaiveOutcomes.Served((string)d["decision_id"]!, (string)d["customer_id"]!, (long)d["decided_at"]!,
            (string)((GenericRecord)d["chosen"]!)["offer"]!, (string)d["placement"]!));

    private static string Json(NaiveOutcomes.Shop e) =>
        OutcomeShop.Json(e.Id, e.Customer, e.Type, e.Time, e.Decision, e.Offer, e.Placement, e.Value, e.Consents);

    private static ShardDriver Add(ShardDriver driver, NaiveOutcomes.Shop e) => driver.Add(e.Customer, Json(e), e.Time);

    private static SortedDictionary<string, string> Profiles(ShardDriver driver)
    {
        var all = new All();
        driver.Shard.Scan(all);
        return all.Profiles;
    }

    private sealed class All : IProfileVisitor
    {
        public SortedDictionary<string, string> Profiles { get; } = new(StringComparer.Ordinal);

        public void Visit(ReadOnlySpan<byte> key, ReadOnlySpan<byte> profile) =>
            Profiles[Encoding.UTF8.GetString(key)] = Convert.ToHexString(profile);
    }
}
