using System.Text;
using Avro.Generic;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Embedded;
using StreamEngine.Decisions;
using StreamEngine.Decisions.Outcomes;
using StreamEngine.Runtime;
using StreamEngine.State;
using StreamEngine.State.Checkpoints;
using StreamEngine.Testing;
using StreamEngine.Tests.Events.Avro;
using Xunit;

namespace StreamEngine.Tests.Runtime;

/// <summary>
/// A worker over the embedded log is dropped at random turns, without a clean stop, and started again with another model each time. What
/// came out must be what an uninterrupted shard makes of the same input, and what was decided before must stand.
/// </summary>
public sealed class RestoreTests : IDisposable
{
    private const int Partitions = 3;
    private Kept _kept;
    private Random _random = new(0);   // tears the files' tails
    private string _topic = "";
    private long _loaded, _damaged;
    private int _lives;
    private readonly List<string> _said = [];
    private readonly string _folder = Directory.CreateTempSubdirectory("restore-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(1, false, Kept.Nowhere)]
    [InlineData(2, false, Kept.Nowhere)]
    [InlineData(3, true, Kept.Nowhere)]
    [InlineData(4, false, Kept.InFiles)]
    [InlineData(5, true, Kept.InFiles)]
    [InlineData(6, false, Kept.InTopic)]
    [InlineData(7, true, Kept.InTopic)]
    [InlineData(8, false, Kept.InBoth)]
    [InlineData(9, true, Kept.InBoth)]
    [InlineData(20, false, Kept.OnStandby)]
    [InlineData(21, true, Kept.OnStandby)]
    public void CrashedAtRandomTurns_OutputIsThatOfAnUninterruptedRun(int seed, bool twoSources, Kept kept)
    {
        var checkpoints = Keep(kept, seed);
        var options = Scenario.Options(twoSources) with
        {
            Runtime = new RuntimeOptions
            {
                MaxPollRecords = checkpoints ? 13
            : 61,
                CommitInterval = TimeSpan.FromMilliseconds(1)
            },
            Checkpoints = Often with
            {
                Topic = _topic,
                Standbys = kept == Kept.OnStandby ? 1 : 0
            },
            State = new StateOptions { Directory = _folder },
            Outcomes = seed % 2 == 0 ? Scenario.Outcomes : null,
        };
        if (options.Outcomes is not null)
            options = options with
            {
                Decisions = options.Decisions with
                {
                    Suppressions =
                    [
                        new SuppressionOptions
                        {
                            Name = "tired", Outcome = OutcomeKind.Reject, After = 1, Window = TimeSpan.FromHours(1),
                            For = TimeSpan.FromMinutes(30),
                        },
                    ],
                },
            };
        if (seed % 2 == 0) options = Scenario.WithTextRules(options);
        WriteEvents(options, seed);
        var random = new Random(seed);
        Dictionary<string, byte[]> profiles = [];
        for (var life = 0; life < 8; life++)
            profiles = Live(options, model: life, turns: life == 7 ? int.MaxValue : random.Next(checkpoints ? 20 : 3, 60),
                // On a busy machine no life may be long enough for the files' thread: the first waits for it, with most events to come.
                until: life == 0 && kept is (Kept.InFiles or Kept.InBoth) ? () => HasCuts(moreThan: 1) : null);

        using var log = Open();
        var total = 0;
        for (var p = 0; p < Partitions; p++)
        {
            var decisions = Decisions(log, p);
            // With two sources the order in which the first life read them is a fact of that life: only one source has an order of its own.
            if (!twoSources) AssertCauses(Expected(options, log, p), decisions);
            AssertCaps(options, decisions);
            total += decisions.Count;
        }
        Assert.True(total > 300);
        if (checkpoints) Assert.True(_loaded > 0);
        Assert.Equal(ServedIds(log), ActionIds(log));
        if (options.Outcomes is not null) AssertOutcomes(options, log, profiles.Values);
    }

    [Theory]
    [InlineData(11, false, Kept.Nowhere)]
    [InlineData(12, true, Kept.Nowhere)]
    [InlineData(13, false, Kept.InFiles)]
    [InlineData(14, true, Kept.InFiles)]
    [InlineData(15, true, Kept.InFiles)]
    [InlineData(16, false, Kept.InTopic)]
    [InlineData(17, true, Kept.InTopic)]
    [InlineData(18, false, Kept.InBoth)]
    [InlineData(19, true, Kept.InBoth)]
    [InlineData(22, false, Kept.OnStandby)]
    [InlineData(23, true, Kept.OnStandby)]
    public void RestoredShard_HasTheSameFeatures(int seed, bool twoSources, Kept kept)
    {
        var checkpoints = Keep(kept, seed);
        var options = Scenario.Options(twoSources) with
        {
            Runtime = new RuntimeOptions
            {
                MaxPollRecords = checkpoints ? 17
            : 97,
                CommitInterval = TimeSpan.FromMilliseconds(1)
            },
            Checkpoints = Often with
            {
                Topic = _topic,
                Standbys = kept == Kept.OnStandby ? 1 : 0
            },
            State = new StateOptions { Directory = _folder },
            Outcomes = seed % 2 == 0 ? Scenario.Outcomes : null,
        };
        if (seed % 2 == 0) options = Scenario.WithTexts(options);
        WriteEvents(options, seed);
        // A life after crashed ones, one that starts from what it left, and one from the log alone.
        foreach (var turns in new[] { 10, 25, 60 }) Live(options, 1, turns);
        var live = Live(options, 1, int.MaxValue);
        var restored = Live(options, 2, int.MaxValue);
        Assert.NotEmpty(live);
        Assert.Equal(live.Keys.Order(), restored.Keys.Order());
        foreach (var (customer, profile) in live) AssertSame(options, customer, profile, restored[customer]);
        if (!checkpoints) return;
        Assert.True(_loaded > 0);
        Keep(Kept.Nowhere, 0);
        var rebuilt = Live(options with { Checkpoints = Often }, 2, int.MaxValue);
        foreach (var (customer, profile) in live) AssertSame(options, customer, profile, rebuilt[customer]);
    }

    [Fact]
    public void WithAStandbysFilesAlone_TheShardHasTheSameFeatures()
    {
        Keep(Kept.OnStandby, 31);
        var options =
            Scenario.Options() with
            {
                Runtime = new RuntimeOptions { MaxPollRecords = 17, CommitInterval = TimeSpan.FromMilliseconds(1) },
                Checkpoints = Often with { Topic = _topic, Standbys = 1 },
                State = new StateOptions { Directory = _folder }
            };
        WriteEvents(options, 31);
        var live = Live(options, 1, int.MaxValue);
        using (var log = Open())
        using (var engine = Scenario.Compile(options, new LinearModels(1))) FollowHere(log, engine);
        (_loaded, _kept) = (0, Kept.InFiles);
        var restored = Live(options with { Checkpoints = Often }, 2, int.MaxValue); // it knows of no topic
        Assert.True(_loaded > 0);
        Assert.Equal(live.Keys.Order(), restored.Keys.Order());
        foreach (var (customer, profile) in live) AssertSame(options, customer, profile, restored[customer]);
    }

    [Fact]
    public void FilesLeftBehindLongAgo_GiveWayToTheTopic()
    {
        Keep(Kept.OnStandby, 41);
        var options = Scenario.Options() with
        {
            Runtime = new RuntimeOptions
            {
                MaxPollRecords = 17,
                CommitInterval = TimeSpan.FromMilliseconds(1)
            },
            Checkpoints = Often with { Topic = _topic }
        };
        WriteEvents(options, 41);
        Live(options, 1, 30, until: () => HasCuts(moreThan: 4)); // of which the crash takes some
        Assert.True(HasCuts(moreThan: 0));
        var live = Live(options, 1, int.MaxValue); // on the other machine
        _said.Clear();
        var restored = Live(options, 2, int.MaxValue);
        Assert.Equal(Partitions, _said.Count(e => e.Contains("profiles from the topic", StringComparison.Ordinal)));
        foreach (var (customer, profile) in live) AssertSame(options, customer, profile, restored[customer]);
    }

    [Fact]
    public void DamagedFiles_AreTold_Counted_AndCostNothingButTime()
    {
        Keep(Kept.InFiles, 51);
        var options = Scenario.Options() with
        {
            Runtime = new RuntimeOptions { MaxPollRecords = 17, CommitInterval = TimeSpan.FromMilliseconds(1) },
            Checkpoints = Often
        };
        WriteEvents(options, 51);
        var live = Live(options, 1, int.MaxValue);
        Assert.Equal(0, _damaged);
        var file = CheckpointFiles.In(Machine(0))[0];
        var bytes = File.ReadAllBytes(file);
        bytes[bytes.Length / 2] ^= 0x10;
        File.WriteAllBytes(file, bytes);
        File.WriteAllText(CheckpointFiles.In(Machine(1))[0], "no checkpoint at all");
        _said.Clear();
        var restored = Live(options, 2, int.MaxValue);
        Assert.Equal(2, _damaged);
        Assert.Equal(2, _said.Count(e => e.Contains(" is damaged: ", StringComparison.Ordinal)));
        Assert.Contains(_said, e => e.StartsWith($"Shard 0: {file} is damaged: the block at byte ", StringComparison.Ordinal));
        Assert.Contains(_said, e => e.EndsWith("no block begins at byte 0 of 20. It goes on from the log's start; nothing is lost. Check "
            + "the disk.", StringComparison.Ordinal));
        Assert.Equal(2, _said.Count(e => e.Contains(" restored: ", StringComparison.Ordinal)
            && e.EndsWith("is what the damaged checkpoint files cost.", StringComparison.Ordinal)));
        Assert.Equal(live.Keys.Order(), restored.Keys.Order());
        foreach (var (customer, profile) in live) AssertSame(options, customer, profile, restored[customer]);
    }

    private static void AssertSame(EngineOptions options, string customer, byte[] expected, byte[] actual)
    {
        using var engine = Scenario.Compile(options, new LinearModels(1));
        foreach (var slot in engine.Layout.Slots)
            Assert.True(slot.In(expected).SequenceEqual(slot.In(actual)),
                $"{customer} {slot.Name}: {Convert.ToHexString(slot.In(expected))} became {Convert.ToHexString(slot.In(actual))}");
        Assert.Equal(expected, actual);
    }

    /// <summary>
    /// Where checkpoints are kept; of both, the files are lost now and then, as when a shard moves to another machine. With standbys each
    /// life is on the other of two machines, and what it starts from is what that one has followed.
    /// </summary>
    public enum Kept
    {
        Nowhere,
        InFiles,
        InTopic,
        InBoth,
        OnStandby,
    }

    private bool Keep(Kept kept, int seed)
    {
        (_kept, _random) = (kept, new Random(seed));
        if (kept is Kept.InTopic or Kept.InBoth or Kept.OnStandby) _topic = "checkpoints";
        return kept != Kept.Nowhere;
    }

    private static readonly CheckpointOptions Often = new() { Interval = TimeSpan.FromTicks(1) };

    private EmbeddedLog Open() =>
        new(new EmbeddedLogOptions(Path.Combine(_folder, "log"))
        {
            WriteMemoryBytes = 4 << 20,
            PageBytes = 1 << 20,
            SegmentBytes = 16 << 20
        });

    private void WriteEvents(EngineOptions options, int seed)
    {
        using var log = Open();
        log.CreateTopics(Topics.Needed(options, Partitions));
        using var writer = log.OpenWriter();
        var random = new Random(seed);
        foreach (var (key, json, time) in Scenario.Events(4_000, 60, seed))
            writer.Write(options.Events[random.Next(options.Events.Count)].Topic, Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(json),
                time);
        writer.Flush();
    }

    /// <summary>One life: so many turns, or to the end; returns the profiles.</summary>
    private Dictionary<string, byte[]> Live(EngineOptions options, int model, int turns, Func<bool>? until = null)
    {
        using var log = Open();
        using var engine = Scenario.Compile(options, new LinearModels(model));
        var partitions = Topics.Check(log, engine);
        var shards = partitions.Sources;
        using var metrics = new EngineMetrics(engine);
        var files = new List<CheckpointFiles>();
        if (_kept == Kept.OnStandby) FollowHere(log, engine);
        var worker = new Worker(new WorkerSettings
        {
            Engine = engine,
            Log = log,
            InstanceId = "w",
            OpenStore = _ => new MemoryStateStore(),
            OpenCheckpoints = _kept is Kept.InFiles or Kept.InBoth or Kept.OnStandby ? OpenFiles : null,
            Report = e =>
            { lock (_said) _said.Add(e.Text); }
        }, metrics, partitions);
        var ends = options.Events
            .Select(e => Enumerable.Range(0, shards).Select(p => log.Watermarks(new TopicPartition(e.Topic, p)).High).ToArray()).ToArray();
        if (turns < int.MaxValue)
        {
            // With checkpoints a life is counted from when it is restored, so that it is long enough to close some.
            const int Patience = 60_000; // turns of at least a millisecond: the files' thread may be slow
            for (var i = 0; i < turns || until?.Invoke() == false && i < Patience;
                i += _kept == Kept.Nowhere || worker.Shards.Count == shards ? 1 : 0)
            {
                worker.Turn();
                if (_kept != Kept.Nowhere) Thread.Sleep(1); // the files' thread and the log's answers need a moment
            }
            _loaded += metrics.Totals().Loaded;
            // Dropped: the log goes without the worker's goodbye, and of the files' tails some bytes are gone.
            foreach (var open in files) Tear(open);
            return [];
        }
        worker.Run(CancellationToken.None, w =>
        {
            var reached = 0;
            w.Reached(ends, _ => reached++);
            return reached < shards;
        });
        var profiles = new Dictionary<string, byte[]>();
        foreach (var shard in worker.Shards.Values) shard.Scan(new Copy(profiles));
        _loaded += metrics.Totals().Loaded;
        _damaged += metrics.Totals().CheckpointsDamaged;
        worker.Dispose();
        return profiles;

        CheckpointFiles OpenFiles(int partition, Action<CheckpointEvent> report)
        {
            var open = new CheckpointFiles(Machine(partition), report);
            files.Add(open);
            return open;
        }
    }

    private bool HasCuts(int moreThan) => Enumerable.Range(0, Partitions).Any(p => CheckpointFiles.Cuts(Machine(p)).Count() > moreThan);

    private string Machine(int partition) =>
        Path.Combine(_folder, $"checkpoints-{(_kept == Kept.OnStandby ? _lives % 2 : 0)}", $"{partition}");

    /// <summary>This machine follows to the end what the other one wrote.</summary>
    private void FollowHere(EmbeddedLog log, CompiledEngine engine)
    {
        _lives++;
        GroupMember[] group = [new("1", "here-0", []),
            new("2", "there-0", [.. Enumerable.Range(0, Partitions).Select(p => new TopicPartition(engine.Events.Sources[0].Topic, p))])];
        using var standbys = Standbys.For(new WorkerSettings
        {
            Engine = engine,
            Log = new GroupLog(log, group),
            InstanceId = "here",
            OpenStore = _ => new MemoryStateStore(),
            OpenCheckpoints = (p, report) => new CheckpointFiles(Machine(p), report)
        });
        while (standbys?.Turn() == true) { }
    }

    private void Tear(CheckpointFiles open)
    {
        open.Dispose();
        if (CheckpointFiles.In(open.Folder) is not [var newest, ..]) return;
        if (_kept == Kept.InBoth && _random.Next(2) == 0)
        {
            File.Delete(newest);
            return;
        }
        using var file = new FileStream(newest, FileMode.Open);
        file.SetLength(Math.Max(0, file.Length - _random.Next(500)));
    }

    /// <summary>What an uninterrupted shard decides about, and when.</summary>
    private static List<GenericRecord> Expected(EngineOptions options, EmbeddedLog log, int partition)
    {
        using var engine = Scenario.Compile(options, new LinearModels(99));
        using var driver = new ShardDriver(engine);
        foreach (var record in Read(log, options.Events[0].Topic, partition))
            driver.Add(record.Key, record.Value, record.Timestamp).Process();
        return [.. driver.Outputs.Where(o => o.Topic == options.Outputs.Decisions).Select(o => Parse(o.Value))];
    }

    private static void AssertCauses(List<GenericRecord> expected, List<GenericRecord> actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        for (var i = 0; i < expected.Count; i++)
        {
            var (e, a) = (expected[i], actual[i]);
            var cause = (GenericRecord)e["cause"]!;
            var found = (GenericRecord)a["cause"]!;
            Assert.Equal((cause["ordinal"], e["customer_id"], e["trigger"], e["decided_at"]),
                (found["ordinal"], a["customer_id"], a["trigger"], a["decided_at"]));
            Assert.Equal((IEnumerable<object?>)e["features"]!, (IEnumerable<object?>)a["features"]!);
        }
    }

    /// <summary>Counts what was served before each decision, from the log alone.</summary>
    private static void AssertCaps(EngineOptions options, List<GenericRecord> decisions)
    {
        var served = new List<(string Customer, string Offer, long At)>();
        foreach (var d in decisions)
        {
            var customer = (string)d["customer_id"]!;
            var at = Millis(d["decided_at"]);
            foreach (GenericRecord candidate in ((IEnumerable<object?>)d["candidates"]!).Cast<GenericRecord>())
            {
                var drop = (string)candidate["drop"]!;
                var offer = (string)candidate["offer"]!;
                int Since(TimeSpan window, string? of) => served.Count(s =>
                    s.Customer == customer && (of is null || s.Offer == of) && s.At > at - (long)window.TotalMilliseconds);
                var capped = Since(TimeSpan.FromHours(4), null) >= 6 || Since(TimeSpan.FromHours(2), offer) >= 2;
                if (drop.Contains("_cap:")) Assert.True(capped, $"{d["decision_id"]}: {offer} dropped by a cap that is not reached");
                else if (drop is "" or "lost_arbitration") Assert.False(capped, $"{d["decision_id"]}: {offer} takes part above a cap");
            }
            if (d["chosen"] is GenericRecord chosen) served.Add((customer, (string)chosen["offer"]!, at));
        }
        Assert.NotEmpty(served);
        Assert.NotEmpty(options.Decisions.Caps);
    }

    /// <summary>No outcome is written twice, and each decision that was shown is closed once or still open.</summary>
    private static void AssertOutcomes(EngineOptions options, EmbeddedLog log, IEnumerable<byte[]> profiles)
    {
        var schema = ApacheAvro.Of("outcome-1");
        var all = Enumerable.Range(0, Partitions).SelectMany(p => Read(log, "outcomes", p)).Select(r => schema.Record(r.Value.AsSpan(5)))
            .ToList();
        Assert.Equal(all.Count, all.Select(r => r.Text("outcome_id")).Distinct().Count());
        using var engine = Scenario.Compile(options, new LinearModels(1));
        var closed = all.Where(r => r.Text("kind") == "none").Select(r => r.Text("decision_id")).ToHashSet();
        var served = ServedIds(log);
        Assert.Equal(served.Count, closed.Intersect(served).Count() + profiles.Sum(p => engine.Policy.Outcomes!.Open.Count(p)));
        Assert.True(all.Count(r => r.Text("status") == "counted") > 100);
        Assert.All(all, r => Assert.Contains(r.Text("decision_id"), served));
        foreach (var decision in all.GroupBy(r => r.Text("decision_id")).Where(d => closed.Contains(d.Key)))
        {
            var told = (IEnumerable<object>)decision.Single(r => r.Text("kind") == "none")["outcomes"]!;
            Assert.Equal(decision.Where(r => r.Text("status") == "counted").Select(r => r.Text("kind")).Order(),
                told.Select(k => ((GenericEnum)k).Value).Order());
        }
    }

    private static List<GenericRecord> Decisions(EmbeddedLog log, int partition) =>
        [.. Read(log, "decisions", partition).Select(r => Parse(r.Value)).Where(d => d.Text("kind") == "decision")];

    private static List<string> ServedIds(EmbeddedLog log) =>
        [.. Enumerable.Range(0, Partitions).SelectMany(p => Decisions(log, p)).Where(d => d["chosen"] is not null)
            .Select(d => (string)d["decision_id"]!).Order()];

    private static List<string> ActionIds(EmbeddedLog log)
    {
        var reader = ApacheAvro.Of("action");
        return [.. Enumerable.Range(0, Partitions).SelectMany(p => Read(log, "actions", p))
            .Select(r => (string)reader.Record(r.Value.AsSpan(5))["action_id"]!).Order()];
    }

    private static readonly ApacheAvro DecisionSchema = ApacheAvro.Of("decision");

    private static GenericRecord Parse(byte[] value) => DecisionSchema.Record(value.AsSpan(5));

    private static long Millis(object? time) => time switch
    {
        DateTimeOffset t => t.ToUnixTimeMilliseconds(),
        DateTime t =>
        new DateTimeOffset(t).ToUnixTimeMilliseconds(),
        _ => Convert.ToInt64(time)
    };

    private static List<(string Key, byte[] Value, long Timestamp)> Read(EmbeddedLog log, string topic, int partition)
    {
        var all = new List<(string, byte[], long)>();
        var at = new TopicPartition(topic, partition);
        var end = log.Watermarks(at).High;
        using var reader = log.OpenReader();
        reader.Assign(at, 0);
        var batch = new RecordBatch();
        while (reader.Position < end)
        {
            reader.Read(batch, 1_000, TimeSpan.FromMilliseconds(50));
            for (var i = 0; i < batch.Count; i++)
                all.Add((Encoding.UTF8.GetString(batch.Key(i)), batch.Value(i).ToArray(), batch[i].Timestamp));
        }
        return all;
    }

    private sealed class Copy(Dictionary<string, byte[]> to) : IProfileVisitor
    {
        public void Visit(ReadOnlySpan<byte> key, ReadOnlySpan<byte> profile)
        {
            to[Encoding.UTF8.GetString(key)] = profile.ToArray();
            StateLayout.Epoch(to[Encoding.UTF8.GetString(key)]) = 0; // which cut it changed in is no feature
        }
    }
}
