using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Connectors.Embedded;
using StreamEngine.Decisions;
using StreamEngine.Events;
using StreamEngine.Features;
using StreamEngine.Runtime;
using StreamEngine.State;
using StreamEngine.State.Faster;
using StreamEngine.Testing;
using StreamEngine.Tests.Events.Avro;
using Xunit;

namespace StreamEngine.Tests.Runtime;

/// <summary>No customer and no config may make a profile or a record that a page or the log does not take: that would stop the shard for
/// good.</summary>
public sealed class SizeTests : IDisposable
{
    private static readonly ApacheAvro Decisions = ApacheAvro.Of("decision");

    private readonly string _directory = Directory.CreateTempSubdirectory("size-").FullName;
    private readonly ManualTime _time = new(DateTimeOffset.FromUnixTimeMilliseconds(Scenario.Start));

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_customer_with_more_ids_than_a_page_holds_stops_nothing_and_the_oldest_are_forgotten()
    {
        var options = Counting() with { State = new StateOptions { Memory = ByteSize.Mb(1) } };
        using var engine = Scenario.Compile(options, new LinearModels(1));
        using var driver = new ShardDriver(engine, Open(engine), _time);
        const int many = 30_000;
        for (var i = 0; i < many; i++) driver.Add("bot", Event("bot", i, Scenario.Start + i), Scenario.Start + i);
        driver.Add("ann", Event("ann", 0, Scenario.Start), Scenario.Start).Process();

        var most = engine.Duplicates!.Most;
        Assert.InRange(most, 1_000, many / 2);
        Assert.Equal(many + 1, driver.Shard.Counters.Admitted);
        Assert.Equal(many - most, driver.Shard.Counters.DuplicatesEvicted);
        driver.Add("bot", Event("bot", many - most, Scenario.Start + many), 0).Process();
        Assert.Equal(1, driver.Shard.Counters.Rejected[(int)RejectReason.Duplicate]);
        driver.Add("bot", Event("bot", many - most - 1, Scenario.Start + many), 0).Process();
        Assert.Equal(many + 2, driver.Shard.Counters.Admitted);
    }

    [Fact]
    public void Forgetting_is_said_once_and_a_restore_forgets_the_same()
    {
        var options = Counting() with { Duplicates = new DuplicateOptions { MaxPerCustomer = 16 } };
        using var log = new EmbeddedLog(new EmbeddedLogOptions(_directory)
        {
            WriteMemoryBytes = 4 << 20,
            PageBytes = 1 << 20,
            SegmentBytes = 16 << 20,
        });
        log.CreateTopics(Topics.Needed(options, 1));
        using var engine = Scenario.Compile(options, new LinearModels(1));
        var topic = options.Events[0].Topic;
        List<WorkerEvent> said = [];

        Write([.. Enumerable.Range(0, 100), .. Enumerable.Range(60, 5)]);
        var counters = Run(105);
        Assert.Equal((105, 0), (counters.Admitted, counters.Rejected[(int)RejectReason.Duplicate]));
        Assert.Single(said, s => s.Warning && s.Text.Contains("a customer has more than 16 event ids", StringComparison.Ordinal));

        // What the first worker remembered: 89 to 99, and 60 to 64.
        Write([90, 60, 64, 88]);
        counters = Run(109);
        Assert.Equal((1, 3), (counters.Admitted, counters.Rejected[(int)RejectReason.Duplicate]));

        void Write(int[] ids)
        {
            using var writer = log.OpenWriter();
            foreach (var id in ids) writer.Write(topic, "bot"u8, Event("bot", id, Scenario.Start), Scenario.Start);
            writer.Flush();
        }

        ShardCounters Run(long end)
        {
            using var metrics = new EngineMetrics(engine);
            using var worker = new Worker(new WorkerSettings
            {
                Engine = engine,
                Log = log,
                InstanceId = "w",
                OpenStore = _ => new MemoryStateStore(),
                Report = said.Add,
            }, metrics, PartitionCounts.One);
            ShardCounters? seen = null;
            worker.Run(CancellationToken.None, w =>
            {
                seen = w.Shards.Values.FirstOrDefault()?.Counters ?? seen;
                return !(w.Shards.TryGetValue(0, out var shard) && shard.Next(0) >= end);
            });
            return seen!;
        }
    }

    [Fact]
    public void Ids_that_are_asked_for_and_do_not_fit_are_refused_with_what_does()
    {
        var node = new ConfigNode(new ConfigLocation("c.yaml", 3, 1, "duplicates"))
        {
            Entries = [new("max_per_customer", new ConfigNode(new ConfigLocation("c.yaml", 4, 21, "duplicates.max_per_customer")))],
        };
        var options = Counting() with
        {
            State = new StateOptions { Memory = ByteSize.Mb(4) },
            Duplicates = new DuplicateOptions { MaxPerCustomer = 100_000, Node = node },
        };
        var error = Assert.Single(Refused(options).Errors);
        Assert.Equal(("c.yaml", 4), (error.At.File, error.At.Line));
        Assert.Equal("100000 ids make a profile of 2648632 bytes, and the store's largest page (a quarter of state.memory, 4mb) holds "
            + "1044480", error.Message);
        Assert.Equal("Remember 32768 at most, or raise state.memory to 16mb", error.Remedy);
        Scenario.Compile(options with { State = new StateOptions { Memory = ByteSize.Mb(16) } }, new LinearModels(1)).Dispose();
    }

    [Theory]
    [InlineData(40, "or raise state.memory to 8mb")]
    [InlineData(20_000, "longer panes (every)")]
    public void Windows_that_are_wider_than_a_page_are_refused(int windows, string remedy)
    {
        // One pane of 8 bytes more in each makes them windows of their own.
        var wide = Enumerable.Range(0, windows).Select(i => new FeatureOptions
        {
            Name = $"f{i}",
            Op = FeatureOperator.Count,
            Window = new WindowOptions { Sliding = TimeSpan.FromSeconds(9_999) * (i + 1), Every = TimeSpan.FromSeconds(i + 1) },
        });
        var options = Counting() with { Features = [.. wide], State = new StateOptions { Memory = ByteSize.Mb(1) } };
        var error = Assert.Single(Refused(options).Errors, e => e.Message.Contains("a profile would take", StringComparison.Ordinal));
        Assert.Contains("the largest part is features/panes", error.Message);
        Assert.Contains(remedy, error.Remedy);
    }

    [Fact]
    public void A_profile_fits_into_a_record_of_the_checkpoint_topic()
    {
        var options = Counting() with { Checkpoints = new CheckpointOptions { Topic = "checkpoints" } };
        using var engine = Scenario.Compile(options, new LinearModels(1));
        Assert.InRange(engine.LargestProfile, 500_000, CompiledEngine.DefaultLargestRecord - StateLayout.BesideProfile);
        using var without = Scenario.Compile(Counting(), new LinearModels(1));
        Assert.Equal(new DuplicateOptions().MaxPerCustomer, without.Duplicates!.Most);
    }

    [Fact]
    public void A_profile_with_more_ids_than_are_allowed_now_keeps_the_newest()
    {
        var (large, small) = (Filter(1_000), Filter(100));
        var profile = new byte[large.LargestProfile];
        for (var i = 0; i < 1_500; i++) large.TryAdd(profile, Hash(i), i, created: false);
        byte[] buffer = [];
        var shorter = small.Fit(profile, ref buffer).ToArray();
        Assert.Equal(small.LargestProfile, shorter.Length);
        for (var i = 0; i < 1_500; i++) Assert.Equal(i >= 1_400, small.Contains(shorter, Hash(i), 1_500));
        Assert.Equal(DuplicateResult.AddedButEvicted, small.TryAdd(shorter, Hash(9_999), 1_501, created: false));
        Assert.True(large.Fit(profile, ref buffer).SequenceEqual(profile));

        static ulong Hash(int i) => (ulong)i * 0xD6E8FEB86659FD93;
    }

    [Fact]
    public void A_placement_that_is_too_long_is_cut_in_whole_characters_and_counted()
    {
        var options = Scenario.Options() with { Runtime = new RuntimeOptions { MaxRecordBytes = ByteSize.Mb(4) } };
        using var engine = Scenario.Compile(options, new LinearModels(1));
        using var driver = new ShardDriver(engine, time: _time) { MaxOutputBytes = CompiledEngine.DefaultLargestRecord };
        foreach (var text in new[] { new string('p', 2_000_000), new string('é', 1_000_000), new string('p', Decision.MaxPlacementBytes) })
            driver.Add("c", $$"""
                {"id":"{{text.Length}}","customer":"c","type":"page_view","time":{{Scenario.Start}},"value":0,"placement":"{{text}}",
                "consent":["personalization"]}
                """, 0);
        driver.Process();
        var placements = driver.Outputs.Where(o => o.Topic == "decisions")
            .Select(o => Decisions.Record(o.Value.AsSpan(5)).Text("placement")).ToList();
        Assert.Equal([new string('p', 1_021) + "…", new string('é', 510) + "…", new string('p', 1_024)], placements);
        Assert.All(driver.Outputs, o => Assert.InRange(o.Value.Length, 1, 10_000));
        Assert.Equal(2, driver.Shard.Counters.PlacementsCut);
    }

    [Fact]
    public void More_offers_than_a_decision_record_holds_are_refused_with_the_size()
    {
        var options = Counting() with { Decisions = Scenario.Options().Decisions with { Caps = [], Triggers = [] } };
        var many = Enumerable.Range(0, 20_000).Select(i => new OfferOptions { Name = $"offer-{i}" }).ToList();
        var error = Assert.Single(Refused(options with { Offers = many }).Errors);
        Assert.Equal("a decision record of 20000 offers and 1 features takes up to 1493478 bytes, and the log takes 1000000",
            error.Message);
        Assert.Contains("message.max.bytes", error.Remedy);
        Scenario.Compile(options with { Offers = many[..10_000] }, new LinearModels(1)).Dispose();
    }

    [Fact]
    public void An_action_that_is_too_long_as_JSON_is_refused_with_the_size()
    {
        var options = Counting() with
        {
            Decisions = Scenario.Options().Decisions with { Caps = [], Triggers = [] },
            Offers = [new OfferOptions { Name = "a", Treatment = new string('t', 200_000) }]
        };
        Scenario.Compile(options, new LinearModels(1)).Dispose();
        var error = Assert.Single(Refused(options with { Outputs = new OutputOptions { Format = OutputFormat.Json } }).Errors);
        Assert.Matches(@"^an action takes up to 12\d{5} bytes as JSON, and the log takes 1000000$", error.Message);
    }

    [Fact]
    public void The_largest_profile_that_a_memory_allows_is_kept_in_memory_and_on_disk()
    {
        foreach (var memory in new[] { ByteSize.Mb(1), new ByteSize(3_000_000), ByteSize.Mb(8) })
        {
            var largest = new StateOptions { Memory = memory }.LargestProfile;
            using var store = new FasterStateStore(new FasterStateOptions(Path.Combine(_directory, $"{memory.Bytes}"), memory.Bytes)
            { LargestProfile = largest });
            var key = new byte[Shard.MaxIdBytes];
            for (var round = 1; round <= 3; round++)
                for (var i = 0; i < 10; i++)
                {
                    key[0] = (byte)i;
                    store.Update(key, new Filling(round * largest / 3, (byte)(i + round)));
                    store.Tidy();
                }
            for (var i = 0; i < 10; i++)
            {
                key[0] = (byte)i;
                var reader = new Filling(0, (byte)(i + 3));
                Assert.True(store.Read(key, reader));
                Assert.Equal(largest, reader.Seen);
            }
            var error = Assert.Throws<IOException>(() => store.Update(key, new Filling(4 * largest, 1)));
            Assert.Contains("Raise state.memory", error.Message);
        }
    }

    /// <summary>
    /// Profiles that grow to within a few bytes of what a page holds, of random memories and in random order, against the store in memory.
    /// </summary>
    [Fact]
    public void Profiles_near_the_pages_size_are_what_they_are_in_memory()
    {
        for (var seed = 0; seed < 4; seed++)
        {
            var random = new Random(seed);
            var memory = random.Next(1 << 20, 2 << 20);
            var largest = new StateOptions { Memory = new ByteSize(memory) }.LargestProfile;
            using var store = new FasterStateStore(new FasterStateOptions(Path.Combine(_directory, $"near-{seed}"), memory)
            { LargestProfile = largest });
            using var model = new MemoryStateStore();
            for (var i = 0; i < 60; i++)
            {
                var start = new string('k', random.Next(2) == 0 ? 1 : Shard.MaxIdBytes - 1);
                var key = Encoding.UTF8.GetBytes(start + (char)('a' + random.Next(5)));
                var length = random.Next(3) == 0 ? random.Next(64, 4_096) : largest - random.Next(0, 2) * random.Next(0, 40);
                var (value, at) = ((byte)(1 + i), random.Next(length));
                store.Update(key, new Writing(length, at, value));
                model.Update(key, new Writing(length, at, value));
                if (random.Next(20) == 0) Assert.Equal(model.Delete(key), store.Delete(key));
                if (random.Next(4) == 0) store.Tidy();
            }
            var (kept, expected) = (new Profiles(), new Profiles());
            store.Scan(kept);
            model.Scan(expected);
            Assert.NotEmpty(expected.Hashes);
            Assert.Equal(expected.Hashes, kept.Hashes);
        }
    }

    /// <summary>As many ids are remembered as the largest profile holds, and not one fewer.</summary>
    [Fact]
    public void Ids_fill_a_profile_up_to_the_pages_size()
    {
        var random = new Random(1);
        for (var n = 0; n < 500; n++)
        {
            var layout = new StateLayout();
            layout.Reserve("something", 8 * random.Next(1, 10_000), "");
            var filter = DuplicateFilter.Compile(new DuplicateOptions { MaxPerCustomer = 1 << 20 }, layout)!;
            var largest = layout.Needed + random.Next(DuplicateFilter.SmallestTail, 4 << 20);
            var within = filter.Within(largest, out var fitting);
            Assert.Equal(fitting, within!.Most);
            Assert.InRange(within.LargestProfile, layout.Needed, largest);
            Assert.True(Filter(fitting + 1, layout).LargestProfile > largest);
        }
    }

    private static DuplicateFilter Filter(int most, StateLayout layout) =>
        DuplicateFilter.Compile(new DuplicateOptions { MaxPerCustomer = most }, layout)!;

    private static DuplicateFilter Filter(int most)
    {
        var layout = new StateLayout();
        layout.Reserve("something", 24, "");
        return DuplicateFilter.Compile(new DuplicateOptions { MaxPerCustomer = most }, layout)!;
    }

    private static EngineOptions Counting() => Scenario.Options() with
    {
        Features = [new FeatureOptions { Name = "n", Op = FeatureOperator.Count }],
        Timers = [],
        Models = [],
        Offers = [],
        Decisions = new DecisionOptions(),
    };

    private static ConfigException Refused(EngineOptions options) =>
        Assert.Throws<ConfigException>(() => Scenario.Compile(options, new LinearModels(1)));

    private IStateStore Open(CompiledEngine engine) => new FasterStateStore(
        new FasterStateOptions(Path.Combine(_directory, "store"), engine.Options.State.Memory.Bytes)
        {
            LargestProfile = engine.LargestProfile,
        });

    private static byte[] Event(string customer, int id, long time) => Encoding.UTF8.GetBytes(
        $$"""{"id":"i{{id}}","customer":"{{customer}}","type":"search","time":{{time}},"value":0,"consent":["personalization"]}""");

    /// <summary>Makes the profile at least so long, and writes a byte at a place and at the end.</summary>
    private sealed class Writing(int length, int at, byte value) : IProfileUpdate
    {
        public int InitialLength => 64;

        public int RequiredLength(ReadOnlySpan<byte> profile) => Math.Max(profile.Length, length);

        public void Apply(Span<byte> profile, bool created) => profile[at] = profile[^1] = value;
    }

    private sealed class Profiles : IProfileVisitor
    {
        public SortedDictionary<string, (int, ulong)> Hashes { get; } = new(StringComparer.Ordinal);

        public void Visit(ReadOnlySpan<byte> key, ReadOnlySpan<byte> profile) =>
            Hashes.Add(Encoding.UTF8.GetString(key), (profile.Length, Hash64.Of(profile)));
    }

    /// <summary>Makes the profile so long and one byte everywhere; reading, it looks for that byte.</summary>
    private sealed class Filling(int length, byte value) : IProfileUpdate, IProfileReader
    {
        public int Seen { get; private set; }

        public int InitialLength => 64;

        public int RequiredLength(ReadOnlySpan<byte> profile) => length;

        public void Apply(Span<byte> profile, bool created) => profile.Fill(value);

        public void Read(ReadOnlySpan<byte> profile) => Seen = profile.ContainsAnyExcept(value) ? -1 : profile.Length;
    }
}
