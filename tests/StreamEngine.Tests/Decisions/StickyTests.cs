using System.Text;
using Avro.Generic;
using StreamEngine.Configuration;
using StreamEngine.Decisions;
using StreamEngine.Runtime;
using StreamEngine.Runtime.Savepoints;
using StreamEngine.State;
using StreamEngine.Testing;
using StreamEngine.Tests.Events.Avro;
using Xunit;

namespace StreamEngine.Tests.Decisions;

/// <summary>Sticky buckets: a customer keeps the variation that a decision assigned first.</summary>
public sealed class StickyTests
{
    /// <summary>
    /// The published cases of GrowthBook's SDKs (<c>cases.json</c>, <c>stickyBucket</c>), but for those of a second attribute to assign by.
    /// </summary>
    [Theory]
    [InlineData("d123", null, 0, 0, true, 1, "0:1")]    // performs evaluation without sticky bucket
    [InlineData("d123", "0:2", 0, 0, true, 2, "0:2")]   // evaluates based on stored sticky bucket
    [InlineData("i123", "0:1", 0, 0, true, 1, "0:1")]   // favors a sticky bucket doc
    [InlineData("i123", "0:1", 3, 0, true, 2, "3:2")]   // resets sticky bucketing when the bucketVersion changes
    [InlineData("i123", "0:1", 3, 3, true, -1, "0:1")]  // stops test enrollment when an existing sticky bucket is blocked by version
    [InlineData("i123", "0:1", 0, 0, false, 2, "0:1")]  // disables sticky bucketing when disabled by experiment
    public void Published_cases_come_out_as_published(string customer, string? kept, int version, int least, bool sticky, int variation,
        string after)
    {
        var options = Three with { Sticky = sticky, BucketVersion = sticky ? version : 0, MinBucketVersion = least };
        var (experiment, layout) = Compile(options);
        var profile = Profile(layout, kept);
        var assigned = experiment.Assign(Encoding.UTF8.GetBytes(customer), profile, out var fate);
        Assert.Equal(variation, assigned);
        if (fate == StickyFate.Assigned) experiment.Sticky!.Keep(profile, assigned);
        var (keeper, number) = (after[..1], after[2..]);
        Assert.Equal(sticky ? int.Parse(number, null) : -1, Compile(Three with { BucketVersion = int.Parse(keeper, null) }).Experiment
            .Sticky!.Find(profile, out _) is var found && sticky ? found : -1);
    }

    [Fact]
    public void A_customer_keeps_the_variation_when_weights_coverage_or_namespace_change()
    {
        var (before, layout) = Compile(Three);
        var fates = new Dictionary<StickyFate, int>();
        var (after, _) = Compile(Three with
        {
            Coverage = 0.1,
            Namespace = new() { Name = "n", To = 0.2 },
            Variations = [.. Three.Variations.Select((v, i) => v with { Weight = i == 2 ? 1 : 0 })],
        });
        for (var i = 0; i < 500; i++)
        {
            var (customer, profile) = (Encoding.UTF8.GetBytes($"c{i}"), Profile(layout));
            var first = before.Assign(customer, profile, out var fate);
            Assert.Equal((StickyFate.Assigned, before.Assign(customer)), (fate, first));
            before.Sticky!.Keep(profile, first);
            Assert.Equal(first, before.Assign(customer, profile, out fate));
            Assert.Equal(StickyFate.Kept, fate);
            Assert.Equal(first, after.Assign(customer, profile, out fate));
            fates[fate] = fates.GetValueOrDefault(fate) + 1;
            // Who is new goes by today's numbers, and a customer outside keeps nothing.
            Assert.Equal(after.Assign(customer), after.Assign(customer, Profile(layout), out fate));
            Assert.Equal(after.Assign(customer) < 0 ? StickyFate.None : StickyFate.Assigned, fate);
        }
        Assert.True(fates[StickyFate.Moved] > 450 && fates.Keys.All(f => f is StickyFate.Moved or StickyFate.Kept));
    }

    [Fact]
    public void A_variation_that_is_gone_is_assigned_anew_and_who_was_blocked_stays_so()
    {
        var (_, layout) = Compile(Three);
        var without = Compile(Three with { Variations = [.. Three.Variations.Take(2).Select(v => v with { Weight = 0.5 })] }).Experiment;
        var profile = Profile(layout, "0:2");
        var assigned = without.Assign("i123"u8, profile, out var fate);
        Assert.Equal((StickyFate.Assigned, without.Assign("i123"u8)), (fate, assigned));
        // The lowest version that ever assigned one counts, though a higher one did since.
        profile = Profile(layout, "0:1");
        Compile(Three with { BucketVersion = 2 }).Experiment.Sticky!.Keep(profile, 1);
        foreach (var (least, blocked) in new[] { (0, false), (1, true), (2, true) })
        {
            var experiment = Compile(Three with { BucketVersion = 2, MinBucketVersion = least }).Experiment;
            Assert.Equal(blocked ? -1 : 1, experiment.Assign("i123"u8, profile, out fate));
            Assert.Equal(blocked ? StickyFate.Blocked : StickyFate.Moved, fate);
        }
    }

    [Fact]
    public void A_decision_goes_by_what_is_kept_and_its_record_says_by_which_version()
    {
        var plain = new ExperimentOptions { Name = "plain", Variations = [new() { Name = "x" }, new() { Name = "y" }] };
        var arm = new VariationOptions { Name = "arm", Weight = 0, Treatments = new Dictionary<string, string> { ["a"] = "red" } };
        var sticky = new ExperimentOptions
        {
            Name = "sticky",
            Sticky = true,
            BucketVersion = 4,
            Variations = [new() { Name = "control", Weight = 1 }, arm],
        };
        var shop = new Shop([Shop.Offer("a")], new DecisionOptions { Experiments = [plain, sticky] });
        shop.Policy.Experiments[1].Sticky!.Keep(shop.Profile, 1);
        var d = shop.Decide();
        Assert.Equal((1, StickyFate.Moved, StickyFate.None), (d.Variations[1], d.Sticky[1], d.Sticky[0]));
        Assert.Equal("red", shop.Policy.TreatmentOf(0, shop.Buffer, shop.Profile));
        Assert.Equal("a-banner", shop.Policy.TreatmentOf(0, shop.Buffer, default));
        var output = new StreamEngine.Connectors.OutputBuffer();
        new DecisionRecordWriter("shop", ["events"], shop.Policy, "c").Write(output, 0, shop.Request(), d, [1, 2]);
        var record = ApacheAvro.Of("decision").Record(output.Value(0)[5..]);
        Assert.Equal([-1, 4], ((object[])record["bucket_versions"]!).Cast<int>());
        Assert.Equal(0, shop.AllocatedByDecisions());
    }

    [Fact]
    public void What_was_assigned_survives_another_config_and_a_restore_of_the_log_alone()
    {
        using var first = Engine(0.5, version: 0, model: true);
        using var live = new ShardDriver(first);
        var log = new List<(string, byte[], long, List<Written>)>();
        Drive(live, log, 0, 1_500, 7);
        var assigned = Assigned(live.Outputs);
        Assert.True(assigned.Count > 30);
        Assert.Equal(assigned.Count, Fate(live, StickyFate.Assigned));
        Assert.Equal(0, Fate(live, StickyFate.Moved));

        // The log alone under other weights: everybody stays, and only who is new goes by the weights.
        using var second = Engine(0.05, version: 0, model: true);
        using var restored = new ShardDriver(second);
        restored.Restore(log);
        Drive(restored, [], 1_500, 1_500, 7);
        var later = Assigned(restored.Outputs);
        foreach (var (customer, variations) in later) Assert.Equal(assigned.GetValueOrDefault(customer, variations), variations);
        Assert.True(Fate(restored, StickyFate.Moved) > 50);
        // Each is scored by the model of the variation that is kept: without its score the default would stand there.
        Assert.Equal(0, restored.Shard.Counters.Fallbacks.Sum());

        // Another version assigns all anew, though the log is of the first one.
        using var third = Engine(0.05, version: 1);
        using var anew = new ShardDriver(third);
        anew.Restore(log);
        Drive(anew, [], 1_500, 1_500, 7);
        Assert.Equal(0, Fate(anew, StickyFate.Moved));
        Assert.True(Fate(anew, StickyFate.Assigned) > 20);
        Assert.True(Assigned(anew.Outputs).Count(a => a.Value == "control") < 8);
        using var blocking = new ShardDriver(Engine(0.05, version: 1, least: 1));
        blocking.Restore(log);
        Drive(blocking, [], 1_500, 1_500, 7);
        Assert.True(Fate(blocking, StickyFate.Blocked) > 50);
        Assert.DoesNotContain(Assigned(blocking.Outputs).Keys, assigned.ContainsKey);
    }

    [Theory]
    [InlineData(7)]
    [InlineData(1_000)]
    public void The_same_is_written_and_scored_wherever_batches_end(int batch)
    {
        using var engine = Engine(0.5, version: 0, model: true);
        using var one = new ShardDriver(engine);
        using var other = new ShardDriver(engine);
        Drive(one, [], 0, 1_500, 3);
        Drive(other, [], 0, 1_500, 3, batch);
        foreach (var topic in new[] { "decisions", "actions" })
            Assert.Equal(one.Outputs.Where(o => o.Topic == topic).Select(o => Convert.ToHexString(o.Value)),
                other.Outputs.Where(o => o.Topic == topic).Select(o => Convert.ToHexString(o.Value)));
    }

    [Fact]
    public void A_savepoint_tells_it_and_mistakes_are_told()
    {
        using var engine = Engine(0.5, version: 0);
        Assert.Contains(StateItems.Of(engine), i => i.Item is { Name: "experiment kept", Slots: ["experiment/kept"] });
        var errors = new ConfigErrors();
        new Shop([Shop.Offer("a")]).Compile(new DecisionOptions
        {
            Experiments =
            [
                Three with { Name = "a", Sticky = false, BucketVersion = 1 },
                Three with { Name = "b", Sticky = false, MinBucketVersion = 1 },
                Three with { Name = "c", BucketVersion = 1, MinBucketVersion = 2 },
            ],
        }, [Shop.Offer("a")], errors);
        Assert.Equal(["experiment a keeps no buckets", "experiment b keeps no buckets",
            "it is above bucket_version, 1: whoever is assigned would be out with the next decision"], errors.All.Select(e => e.Message));
    }

    private static readonly ExperimentOptions Three = new()
    {
        Name = "feature-exp",
        Sticky = true,
        Variations =
        [
            new() { Name = "control", Weight = 0.3334 }, new() { Name = "red", Weight = 0.3333 }, new() { Name = "blue", Weight = 0.3333 },
        ],
    };

    private static (Experiment Experiment, StateLayout Layout) Compile(ExperimentOptions options)
    {
        var shop = new Shop([Shop.Offer("a")], new DecisionOptions { Experiments = [options] });
        return (shop.Policy.Experiments[0], shop.Layout);
    }

    /// <summary>A profile that keeps a variation, as <c>version:number</c>.</summary>
    private static byte[] Profile(StateLayout layout, string? kept = null)
    {
        var profile = new byte[layout.FixedLength + 64]; // of a layout without the slot it is not read
        var sticky = Compile(Three with { BucketVersion = kept is null ? 0 : kept[0] - '0' }).Experiment.Sticky!;
        sticky.Initialize(profile);
        if (kept is not null) sticky.Keep(profile, kept[2] - '0');
        return profile;
    }

    private static CompiledEngine Engine(double control, int version, int least = 0, bool model = false)
    {
        var options = Scenario.Options();
        return Scenario.Compile(options with
        {
            Models = model ? [options.Models[0], options.Models[0] with { Name = "other", Path = "models/shop" }] : options.Models,
            Decisions = options.Decisions with
            {
                Experiments =
                [
                    new ExperimentOptions
                    {
                        Name = "kept",
                        Sticky = true,
                        BucketVersion = version,
                        MinBucketVersion = least,
                        Variations =
                        [
                            new() { Name = "control", Weight = control },
                            new()
                            {
                                Name = "arm",
                                Weight = 1 - control,
                                Propensities = model ? [.. "abcd".Select(o => new ExperimentPropensityOptions
                                {
                                    Name = $"{o}",
                                    Model = "other",
                                })] : [],
                                Levers = [new() { Name = "a", By = "0.5" }],
                            },
                        ],
                    },
                ],
            },
        }, new LinearModels(1));
    }

    private static void Drive(ShardDriver driver, List<(string, byte[], long, List<Written>)> log, int from, int count, int seed,
        int batch = 1)
    {
        var n = 0;
        foreach (var (key, json, time) in Scenario.Events(from + count, 60, seed).Skip(from))
        {
            var before = driver.Outputs.Count;
            driver.Add(key, json, time);
            if (++n % batch != 0) continue;
            driver.Process();
            log.Add((key, Encoding.UTF8.GetBytes(json), time, [.. driver.Outputs.Skip(before).Where(o => o.Topic == "decisions")]));
        }
        driver.Process();
    }

    private static long Fate(ShardDriver driver, StickyFate fate) => driver.Shard.Counters.Sticky[(int)fate];

    /// <summary>By customer, the variation; nobody has two.</summary>
    private static Dictionary<string, string> Assigned(IEnumerable<Written> outputs)
    {
        var reader = ApacheAvro.Of("decision");
        var assigned = new Dictionary<string, string>();
        foreach (var record in outputs.Where(o => o.Topic == "decisions").Select(o => reader.Record(o.Value.AsSpan(5))))
            foreach (var a in ((object[])record["assignments"]!).Cast<GenericRecord>())
                Assert.Equal(assigned.TryAdd(record.Text("customer_id"), (string)a["variation"]!) ? a["variation"]
                    : assigned[record.Text("customer_id")], a["variation"]);
        return assigned;
    }
}
