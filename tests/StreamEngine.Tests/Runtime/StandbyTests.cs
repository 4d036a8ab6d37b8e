using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Runtime;
using StreamEngine.State;
using StreamEngine.State.Checkpoints;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Runtime;

/// <summary>
/// A standby's files: what a take-over finds in them at any moment, and what may not get into them. Partition 1 belongs to node b, its
/// standby is here.
/// </summary>
public sealed class StandbyTests : IDisposable
{
    private const int Shard = 1;
    private readonly string _folder = Directory.CreateTempSubdirectory("standby-").FullName;
    private readonly CompiledEngine _engine;
    private readonly CheckpointTopic _topic;
    private readonly ManualTime _time = new(DateTimeOffset.UnixEpoch.AddDays(20_000));
    private readonly List<WorkerEvent> _told = [];
    private readonly Standbys _standbys;

    public StandbyTests()
    {
        _engine = Scenario.Compile(Options(new CheckpointOptions { Topic = "checkpoints", Standbys = 1 }), new LinearModels(1));
        _topic = new CheckpointTopic(Version) { Group = Group("b") };
        _standbys = Make();
    }

    private string Version => _engine.StateVersion;

    private string Place => Path.Combine(_folder, $"shard-{Shard}");

    public void Dispose()
    {
        _standbys.Dispose();
        _engine.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void What_the_topic_holds_is_in_the_files_and_the_newest_of_each_counts()
    {
        _topic.Profile("a", "a1", 10).Profile("b", "b1", 10).Marker(1, 10, Version).Profile("a", "a2", 20).Profile("c", "c1", 20)
            .Marker(2, 20, Version).Profile("b", "b2", 30);
        Follow();
        SpinWait.SpinUntil(() => { Follow(); return _told.Count > 0; }, 5_000); // the files' thread needs a moment
        Assert.Single(_told, e => !e.Warning && e.Text == "Shard 1's standby is up to date: checkpoint 2 with 3 profiles.");
        Assert.Equal("2: a=a2@20 b=b2@30 c=c1@20", TakeOver());
    }

    [Fact]
    public void What_comes_later_is_added_and_only_a_new_marker_closes_a_cut()
    {
        _topic.Profile("a", "a1", 10).Marker(1, 10, Version);
        Follow();
        _topic.Profile("a", "a2", 20);
        Follow();
        Assert.Equal(1, Cuts(1));
        _topic.Marker(2, 20, Version);
        Follow();
        Assert.Equal(2, Cuts(2));
        Assert.Equal("2: a=a2@20", TakeOver());
    }

    /// <summary>
    /// The marker promises a's state at 10. The cleaner has taken that away, as a newer one stands behind the marker: whoever closes the
    /// cut at the marker has none.
    /// </summary>
    [Fact]
    public void Whenever_it_is_taken_over_its_cut_lacks_nothing()
    {
        for (var reads = 1; reads < 12; reads++)
        {
            var topic = new CheckpointTopic(Version) { Group = Group("b") };
            topic.Profile("a", "a1", 10).Profile("b", "b1", 10).Marker(1, 10, Version).Profile("a", "a2", 20).Profile("c", "c1", 20);
            topic.Compact();
            using var standbys = Make(topic, $"{reads}");
            CheckpointFiles? taken = null;
            var n = 0;
            topic.OnRead = () => taken ??= ++n == reads ? standbys.OpenCheckpoints(Shard, _ => { }) : null;
            Follow(standbys);
            (taken ?? standbys.OpenCheckpoints(Shard, _ => { })).Dispose();
            var found = Newest(Path.Combine(_folder, $"{reads}", $"shard-{Shard}"));
            Assert.True(found is "" or "1: a=a2@20 b=b1@10 c=c1@20", $"taken over at read {reads}: {found}");
            Assert.Equal(reads <= 5, found == ""); // it asks once and reads four times
        }
    }

    [Fact]
    public void Files_from_when_the_node_owned_the_shard_stand_until_a_cut_of_its_own_does()
    {
        using (var files = new CheckpointFiles(Place, _ => { }))
        {
            files.Begin(null, null);
            var writer = new CutBlock.Writer();
            writer.Mark(new CutMarker(7, new CutPosition([5], 0, 0), 1, [1], 0, 1, 3, Version));
            files.Append(writer.Bytes, new CutMarker(7, new CutPosition([5], 0, 0), 1, [1], 0, 1, 3, Version), 0);
        }
        _topic.Profile("a", "a1", 10);
        Follow();
        Assert.Equal("7: ", Newest(Place));
        _topic.Marker(9, 10, Version);
        Follow();
        Assert.Equal("9: a=a1@10", TakeOver());
        Assert.Single(CheckpointFiles.In(Place));
    }

    [Fact]
    public void A_record_that_is_no_checkpoint_closes_nothing_and_is_got_over_once_it_is_gone()
    {
        _topic.Profile("a", "a1", 10).Raw("b", Encoding.UTF8.GetBytes("something else")).Marker(1, 10, Version);
        Follow();
        Assert.Equal(0, Cuts(0));
        Assert.Contains(_told, e => e.Warning && e.Text.Contains("offset 1 that is no checkpoint"));
        _topic.Profile("b", "b1", 10).Compact();
        Follow();
        Assert.Equal(0, Cuts(0)); // it waits before it starts over
        _time.Advance(TimeSpan.FromSeconds(6));
        Follow();
        Assert.Equal("1: a=a1@10 b=b1@10", TakeOver());
    }

    [Fact]
    public void A_flipped_bit_anywhere_in_a_profile_closes_nothing()
    {
        _topic.Profile("a", "a1", 10);
        var whole = new CheckpointTopic(Version).Profile("a", "a1", 10);
        var batch = new RecordBatch();
        whole.OpenReader().Read(batch, 1, TimeSpan.Zero);
        var value = batch.Value(0).ToArray();
        for (var at = 0; at < value.Length; at++)
        {
            var flipped = (byte[])value.Clone();
            flipped[at] ^= 0x10;
            using var shard = new StandbyShard(Shard, _engine, (p, report) =>
                new CheckpointFiles(Path.Combine(_folder, $"flip-{at}"), report), 1_000, _time);
            shard.Begin(0, 1, _time.GetTimestamp());
            new CheckpointTopic(Version).Raw("a", flipped).OpenReader().Read(batch, 1, TimeSpan.Zero);
            Assert.NotNull(shard.Add(batch, 1));
        }
    }

    [Fact]
    public void Another_layout_or_other_sources_are_not_taken()
    {
        _topic.Profile("a", "a1", 10).Profile("x", "x1", 10, "another").Marker(1, 10, "another");
        Follow();
        Assert.Equal(0, Cuts(0));
        Assert.Contains(_told, e => e.Warning && e.Text.Contains("layout another"));
        _topic.Marker(2, 20, Version);
        Follow();
        Assert.Equal("2: a=a1@10", TakeOver());
    }

    [Fact]
    public void What_another_layout_writes_behind_a_marker_takes_the_marker_s_word_away()
    {
        // b1 may be compacted away
        _topic.Profile("a", "a1", 10).Profile("b", "b1", 10).Marker(1, 10, Version).Profile("b", "of another layout", 10, "another");
        Follow();
        Assert.Equal(0, Cuts(0));
        Assert.Null(TopicCutLoad.Newest(_topic, new TopicPartition("checkpoints", Shard), 0, 4, Version, _ => true));
        _topic.Profile("b", "b2", 20).Marker(2, 20, Version);
        Follow();
        Assert.Equal("2: a=a1@10 b=b2@20", TakeOver());
        Assert.Equal(2, TopicCutLoad.Newest(_topic, new TopicPartition("checkpoints", Shard), 0, 6, Version, _ => true)!.Number);
    }

    [Fact]
    public void A_round_that_outlasts_the_compaction_lag_starts_over()
    {
        _topic.Profile("a", "a1", 10).Profile("b", "b1", 10).Marker(1, 10, Version);
        _topic.OnAsked = () => { _time.Advance(TimeSpan.FromMinutes(16)); _topic.OnAsked = () => { }; };
        Follow();
        Assert.Equal(0, Cuts(0));
        Assert.Contains(_told, e => e.Warning && e.Text.Contains("took longer"));
        _time.Advance(TimeSpan.FromSeconds(6));
        Follow();
        Assert.Equal("1: a=a1@10 b=b1@10", TakeOver());
    }

    [Fact]
    public void A_disk_that_fails_is_told_and_tried_again()
    {
        var inTheWay = Directory.CreateDirectory(Path.Combine(Place, "checkpoint-00000001.bin")).FullName;
        _topic.Profile("a", "a1", 10).Marker(1, 10, Version);
        Follow();
        Assert.Contains(_told, e => e.Warning && e.Text.StartsWith("Shard 1's standby starts over in 5 s", StringComparison.Ordinal));
        Directory.Delete(inTheWay);
        _time.Advance(TimeSpan.FromSeconds(6));
        Follow();
        Assert.Equal("1: a=a1@10", TakeOver());
    }

    [Fact]
    public void A_shard_goes_from_standby_to_owner_and_back()
    {
        _topic.Profile("a", "a1", 10).Marker(1, 10, Version);
        Follow();
        using (_standbys.OpenCheckpoints(Shard, _ => { }))
        {
            Follow();                // the group may not have been asked again yet
            _topic.Group = Group("here");
            _time.Advance(TimeSpan.FromSeconds(6));
            Follow();
        }
        _topic.Profile("a", "a2", 20).Marker(2, 20, Version);
        Follow();
        Assert.Equal("1: a=a1@10", Newest(Place)); // nobody follows a shard that is here
        _topic.Group = [];           // it is changing: nothing is done yet
        _time.Advance(TimeSpan.FromSeconds(6));
        Follow();
        Assert.Equal("1: a=a1@10", Newest(Place));
        _topic.Group = Group("b");
        _time.Advance(TimeSpan.FromSeconds(6));
        Follow();
        Assert.Equal("2: a=a2@20", TakeOver());
        Assert.DoesNotContain(_told, e => e.Warning);
    }

    [Fact]
    public void A_shard_that_goes_to_another_node_is_let_go_and_one_whose_group_changes_is_not()
    {
        _topic.Profile("a", "a1", 10).Marker(1, 10, Version);
        Follow();
        Assert.Equal(1, Cuts(1));
        _topic.Group = [];
        _time.Advance(TimeSpan.FromSeconds(6));
        Follow();
        Assert.ThrowsAny<IOException>(() => new CheckpointFiles(Place, _ => { }));
        _topic.Group = Group("b", "here-not"); // c would take it over now, as it has nothing yet
        _time.Advance(TimeSpan.FromSeconds(6));
        Follow();
        new CheckpointFiles(Place, _ => { }).Dispose();
        Assert.Equal("1: a=a1@10", Newest(Place)); // still good for a take-over that nobody expects
    }

    [Fact]
    public void A_log_of_one_process_has_no_standbys_and_says_so_once()
    {
        _topic.Group = null;
        Follow();
        _time.Advance(TimeSpan.FromMinutes(1));
        Follow();
        Assert.Single(_told, e => e.Text.Contains("No standbys"));
    }

    [Fact]
    public void Standbys_need_a_topic_a_folder_and_checkpoints()
    {
        var errors = new ConfigErrors();
        StandbyConfig.Check(new EngineOptions { Checkpoints = new CheckpointOptions { Standbys = 2, Interval = TimeSpan.Zero } }, errors);
        Assert.Equal(["checkpoints.topic", "checkpoints.interval", "state.directory"],
            errors.All.Select(e => e.Remedy.Split(' ').First(w => w.Contains('.')).Trim(',')));
        StandbyConfig.Check(Options(new CheckpointOptions { Topic = "checkpoints", Standbys = 2 }), errors);
        Assert.Equal(3, errors.All.Count);
    }

    private static EngineOptions Options(CheckpointOptions checkpoints) =>
        Scenario.Options() with { Checkpoints = checkpoints, State = new StateOptions { Directory = "/state" } };

    /// <summary>Partition 1 is that node's; of nodes that have nothing, those given.</summary>
    private static GroupMember[] Group(string owner, string? idle = null) =>
    [
        new("n-here-0", "n-here-0", owner == "here" ? [new("shop", 0), new("shop", Shard)] : [new("shop", 0)]),
        new("n-b-0", "n-b-0", owner == "b" ? [new("shop", Shard)] : []),
        .. idle is null ? Array.Empty<GroupMember>() : [new($"n-{idle}-0", $"n-{idle}-0", [])],
    ];

    private Standbys Make(CheckpointTopic? topic = null, string below = "") => Standbys.For(new WorkerSettings
    {
        Engine = _engine,
        Log = topic ?? _topic,
        InstanceId = "n-here",
        OpenStore = _ => new MemoryStateStore(),
        OpenCheckpoints = (partition, report) => new CheckpointFiles(Path.Combine(_folder, below, $"shard-{partition}"), report),
        Time = _time,
        Report = _told.Add,
    })!;

    /// <summary>Turns until there is no more to do, and a few times on.</summary>
    private void Follow(Standbys? standbys = null)
    {
        for (var rest = 0; rest < 3;) rest = (standbys ?? _standbys).Turn() ? 0 : rest + 1;
    }

    private string TakeOver()
    {
        _standbys.OpenCheckpoints(Shard, _ => { }).Dispose();
        return Newest(Place);
    }

    /// <summary>How many cuts are closed; the files' thread gets a moment to close so many.</summary>
    private int Cuts(int expected)
    {
        SpinWait.SpinUntil(() => expected > 0 && CheckpointFiles.Cuts(Place).Count() == expected, expected > 0 ? 5_000 : 30);
        return CheckpointFiles.Cuts(Place).Count();
    }

    /// <summary>The newest cut as a restore loads it: number, and each profile with its position.</summary>
    private static string Newest(string folder)
    {
        if (CheckpointFiles.Cuts(folder).FirstOrDefault() is not (var path, { } cut)) return "";
        var profiles = new SortedDictionary<string, string>(StringComparer.Ordinal);
        byte[] room = [];
        using var reader = new CheckpointReader(path);
        while (reader.Position < cut.End && reader.Next(out var block))
        {
            if (block.Kind != BlockKind.Profiles) continue;
            var payload = block.Payload;
            while (block.Next(ref payload, ref room, out var key, out var profile))
                profiles[Encoding.UTF8.GetString(key)] = $"{Encoding.UTF8.GetString(profile)}@{block.Position.Next[0]}";
        }
        return $"{cut.Marker.Number}: {string.Join(' ', profiles.Select(p => $"{p.Key}={p.Value}"))}";
    }
}
