using System.Runtime.CompilerServices;
using System.Text;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Embedded;
using StreamEngine.Events;
using StreamEngine.Events.Tables;
using StreamEngine.Runtime;
using StreamEngine.State;
using StreamEngine.State.Checkpoints;
using StreamEngine.Testing;
using StreamEngine.Tests.Runtime;
using Xunit;

namespace StreamEngine.Tests.Tables;

/// <summary>What a process knows of a table's topic, now and as of earlier versions.</summary>
public sealed class TableFollowerTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("streamengine-");
    private readonly List<WorkerEvent> _told = [];
    private readonly ManualTime _time = new(DateTimeOffset.UnixEpoch);
    private readonly EmbeddedLog _old, _new;
    private readonly ControlLog _log;
    private readonly CompiledEngine _engine;
    private readonly TableBoard _board;
    private readonly TableFollower _follower;

    public TableFollowerTests()
    {
        (_old, _new) = (Open("first"), Open("second"));
        _log = new ControlLog(_old, "t1");
        _engine = Scenario.Compile(Options(), new LinearModels(1));
        _board = new TableBoard(_engine, _time, _told.Add);
        _follower = new TableFollower(_log, _engine, _board, _time, _told.Add);
    }

    public void Dispose()
    {
        _follower.Dispose();
        _old.Dispose();
        _new.Dispose();
        _folder.Delete(recursive: true);
        _engine.Dispose();
    }

    [Fact]
    public void A_topic_that_is_not_there_is_an_empty_table_and_is_followed_once_it_is()
    {
        _follower.Turn();
        Assert.True(_board.IsReady);
        Assert.Equal("- -", Rows);
        Assert.Contains("does not exist, so the table has no rows", Assert.Single(_told).Text, StringComparison.Ordinal);
        Create(_old);
        Write(_old, ("a", Row("a", 2)), ("b", Row("b", 3)));
        _follower.Turn();
        Assert.Equal("2 3", Rows);
        Assert.Equal(2, _board.Current[0]!.Version);
        Write(_old, ("a", null), ("b", Row("b", 4)));
        var before = _board.Current;
        _follower.Turn();
        Assert.Equal(("- 4", "2 3"), (Rows, Read(before)));
        var after = _board.Current;
        _follower.Turn();
        Assert.Same(after, _board.Current);
        Assert.Equal(4, Assert.Single(_board.Numbers).Version);
    }

    [Fact]
    public void A_record_that_cant_be_a_row_is_counted_and_told_and_the_row_stays()
    {
        Create(_old);
        Write(_old, ("a", Row("a", 2)), ("a", "{\"id\":\"a\",\"w\":\"much\"}"), ("a", Row("b", 9)), ("a", "{\"w\":9}"), ("a", "[1"),
            ("", Row("", 9)));
        _follower.Turn();
        Assert.Equal("2 -", Rows);
        Assert.Equal(5, Assert.Single(_board.Numbers).Refused);
        string[] why = ["'w'", "'id' is another key than the record's", "there is no value in 'id'", "JSON", "the record has no key"];
        Assert.Equal(why.Length, _told.Count);
        foreach (var (part, told) in why.Zip(_told)) Assert.Contains(part, told.Text, StringComparison.Ordinal);
        Assert.All(_told, t => Assert.StartsWith("weights[0] offset ", t.Text, StringComparison.Ordinal));
        Write(_old, [.. Enumerable.Range(0, 40).Select(_ => ("a", (string?)"{"))]);
        _follower.Turn();
        Assert.Equal((45, 20), (Assert.Single(_board.Numbers).Refused, _told.Count));
        Assert.EndsWith("(more of them are only counted)", _told[^1].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void While_the_log_is_away_the_table_stays_and_a_topic_made_anew_is_read_anew()
    {
        Create(_old);
        Write(_old, ("a", Row("a", 2)), ("b", Row("b", 3)));
        _follower.Turn();
        var versions = TableVersions.Of(_board.Current);
        _log.IsAway = true;
        Assert.Throws<LogException>(() => _follower.Turn());
        Assert.Equal("2 3", Rows);
        _log.IsAway = false;
        Create(_new);
        Write(_new, ("b", Row("b", 7)));
        _log.MakeAnew(_new, "t2");
        _follower.Turn();
        Assert.Equal("2 3", Rows); // until the new one is read
        _follower.Turn();
        Assert.Equal("- 7", Rows);
        Assert.Contains(_told, t => t.Text.Contains("was made anew", StringComparison.Ordinal));

        // What was looked up in the old one can't be had again, and that is said, once.
        Assert.False(_board.Has(versions));
        Assert.Equal("- 7", Read(_board.At(versions)));
        _board.At(versions);
        Assert.Equal(2, Assert.Single(_board.Numbers).Inexact);
        Assert.Single(_told, t => t.Text.Contains("can't be had as it was at version 2", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void A_topic_that_was_deleted_or_has_several_partitions_now_keeps_its_rows_and_the_others_are_followed(int partitions)
    {
        using var engine = Scenario.Compile(Options("weights", "heights"), new LinearModels(1));
        var board = new TableBoard(engine, _time, _told.Add);
        using var follower = new TableFollower(_log, engine, board, _time, _told.Add);
        _old.CreateTopics([new TopicSpec("weights", 1, Compacted: true), new TopicSpec("heights", 1, Compacted: true)]);
        Write(_old, ("a", Row("a", 2)));
        Write(_old, "heights", ("a", Row("a", 5)));
        follower.Turn();
        Assert.Equal(("2 -", "5 -"), (Read(board.Current), Read(board.Current, 1)));

        // In the log as it is now, only the other topic is what it was.
        _new.CreateTopics([new TopicSpec("heights", 1, Compacted: true)]);
        if (partitions > 0) _new.CreateTopics([new TopicSpec("weights", partitions)]);
        Write(_new, "heights", ("a", Row("a", 5)), ("b", Row("b", 6)));
        _log.MakeAnew(_new, "t2");
        for (var i = 0; i < 5; i++) follower.Turn();
        Assert.Equal(("2 -", "5 6"), (Read(board.Current), Read(board.Current, 1)));
        Assert.Contains(partitions == 0 ? "it does not exist" : "it has 3 partitions, and a table needs one",
            Assert.Single(_told, t => t.Text.StartsWith("The topic 'weights' of the table 'weights' ", StringComparison.Ordinal)).Text,
            StringComparison.Ordinal);

        // A restore that asks for what the topic does not hold any more does not hang.
        using var decisions = new DecisionBatch(engine);
        using var shard = new Shard(engine, 0, new MemoryStateStore(), new OutputBuffer(), decisions, _time);
        shard.State.Tables = Ahead(board, 9);
        var wait = new TableWait(board, shard.State);
        Assert.False(wait.Follow());
        for (var i = 0; i < TableBoard.ShorterLooks; i++) follower.Turn();
        Assert.True(wait.Follow());

        if (partitions > 0) return;
        _new.CreateTopics([new TopicSpec("weights", 1, Compacted: true)]);
        Write(_new, ("b", Row("b", 8)));
        for (var i = 0; i < 2; i++) follower.Turn();
        Assert.Equal(("- 8", "5 6"), (Read(board.Current), Read(board.Current, 1)));
    }

    [Fact]
    public void Earlier_versions_are_there_for_an_hour_and_then_let_go_where_they_are_many()
    {
        Create(_old);
        _follower.Turn();
        Take(0, 70_000, i => $"k{i % 10}");
        var first = TableVersions.Of(_board.Current);
        _time.Advance(TimeSpan.FromMinutes(50));
        Take(70_000, 140_000, i => $"k{i % 10}");
        var second = TableVersions.Of(_board.Current);
        _time.Advance(TimeSpan.FromMinutes(20));
        Take(140_000, 140_001, _ => "k1");
        var rows = _board.Numbers[0];
        Assert.Equal((10, 140_001), (rows.Rows, rows.Version));
        _board.At(first);
        _board.At(second);
        Assert.Equal(0, _board.Numbers[0].Inexact); // the first one held until 20 minutes ago
        _time.Advance(TimeSpan.FromHours(2));
        Take(140_001, 140_002, _ => "k1");
        Assert.InRange(_board.Numbers[0].Memory, 1, rows.Memory / 20);
        Assert.Equal(10, _board.Numbers[0].Rows);
        _board.At(TableVersions.Of(_board.Current));
        Assert.Equal(0, _board.Numbers[0].Inexact);
        _board.At(first);
        Assert.Equal(1, _board.Numbers[0].Inexact);
    }

    [Fact]
    public void Versions_are_read_as_they_were_written_and_a_table_that_is_new_is_as_it_is_now()
    {
        Create(_old);
        Write(_old, ("a", Row("a", 2)));
        _follower.Turn();
        var versions = TableVersions.Of(_board.Current);
        var read = TableVersions.Logged(versions.Encoded);
        Assert.Equal(versions.Tables, read.Tables);
        Assert.True(read.Same(_board.Current));
        Assert.Same(TableVersions.None, TableVersions.Logged(TableVersions.None.Encoded));
        Assert.Equal("- -", Read(_board.At(TableVersions.None)));
        // Of another table the log tells; of this one it knew nothing.
        var other = Encoding.UTF8.GetString(versions.Encoded).Replace("weights", "heights", StringComparison.Ordinal);
        Assert.Equal("2 -", Read(_board.At(TableVersions.Logged(Encoding.UTF8.GetBytes(other)))));

        // A checkpoint's marker keeps them beside what is off, and without them has the bytes that it always had.
        byte[] off = [2, 6, (byte)'a', (byte)'l', (byte)'l', 0];
        var marker = new CutMarker(7, new CutPosition([5], 0, 2), 1, [1], 3, 4, 5, "0123456789abcdef");
        var plain = Marked(marker);
        Assert.Equal(plain, Marked(marker with { Tables = TableVersions.None.Encoded.ToArray() }));
        foreach (var switches in new[] { off, [] })
        {
            Assert.True(CutBlock.TryParse(Marked(marker with { SwitchedOff = switches, Tables = read.Encoded.ToArray() }), out var block));
            var back = block.Marker();
            Assert.Equal(switches, back.SwitchedOff.ToArray());
            Assert.Equal(read.Encoded.ToArray(), back.Tables.ToArray());
            Assert.Equal(marker.Version, back.Version);
        }
    }

    [Fact]
    public void A_restore_waits_for_rows_that_another_process_has_read_but_not_for_those_that_no_topic_has()
    {
        using var decisions = new DecisionBatch(_engine);
        using var shard = new Shard(_engine, 0, new MemoryStateStore(), new OutputBuffer(), decisions, _time);
        Create(_old);
        Write(_old, ("a", Row("a", 2)), ("a", Row("a", 3)));
        _follower.Turn();
        var ahead = TableVersions.Of(_board.Current);

        var behind = new TableBoard(_engine, _time, _told.Add);
        var wait = new TableWait(behind, shard.State);
        Take(behind, 0, 1, _ => "a");
        shard.State.Tables = ahead;
        Assert.False(wait.Follow());
        Assert.True(wait.Waits);
        for (var i = 0; i < TableBoard.ShorterLooks - 1; i++) behind.Publish(isComplete: true);
        Assert.True(wait.Waits);
        behind.ReadTo(0, 2);
        Assert.False(wait.Waits);
        Assert.True(wait.Follow());

        shard.State.Tables = TableVersions.Logged(ahead.Encoded.ToArray().AsSpan());
        wait = new TableWait(behind, shard.State);
        behind.Forget(0);
        Assert.False(wait.Follow());
        for (var i = 0; i < TableBoard.ShorterLooks; i++) behind.Publish(isComplete: true);
        Assert.False(wait.Waits);
        Assert.True(wait.Follow());
        Assert.Contains("can't be had", _told[^1].Text, StringComparison.Ordinal);

        // Where the topic ends is believed for further marks too, until it ends elsewhere.
        shard.State.Tables = Ahead(_board, 8);
        Assert.True(wait.Follow());
        behind.ReadTo(0, 1);
        shard.State.Tables = Ahead(_board, 9);
        Assert.False(wait.Follow());
        for (var i = 0; i < TableBoard.ShorterLooks; i++) behind.Publish(isComplete: true);
        Assert.True(wait.Follow());
    }

    [Fact]
    public void A_shard_that_has_nothing_to_do_holds_no_earlier_rows()
    {
        using var decisions = new DecisionBatch(_engine);
        using var shard = new Shard(_engine, 0, new MemoryStateStore(), new OutputBuffer(), decisions, _time);
        var earlier = Followed(shard);
        shard.Forget(TableViews.None);
        GC.Collect();
        Assert.False(earlier.IsAlive);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference Followed(Shard shard)
    {
        var views = new TableViews([null]);
        shard.Follow(views);
        return new WeakReference(views);
    }

    /// <summary>Versions as they are, with those of all tables beyond where their topics end.</summary>
    private static TableVersions Ahead(TableBoard board, int version) => TableVersions.Of(new TableViews(
        [.. Enumerable.Range(0, board.Numbers.Count)
            .Select(i => new TableView(new TopicRows(board.Current[i]!.Shape), version, sum: 1))]));

    [Fact]
    public void A_topic_with_several_partitions_is_refused_at_the_start()
    {
        _old.CreateTopics([.. Topics.Needed(Options(), 1).Where(t => t.Name != "weights"), new TopicSpec("weights", 3)]);
        var refused = Assert.Throws<LogException>(() => Topics.Check(_old, _engine));
        Assert.Contains("the topic 'weights' of the table 'weights' has 3 partitions and needs one", refused.Message,
            StringComparison.Ordinal);
        Assert.Equal(new TopicSpec("weights", 1, Compacted: true), Topics.Needed(Options(), 4).Single(t => t.Name == "weights"));
    }

    private static EngineOptions Options() => Options("weights");

    private static EngineOptions Options(params string[] tables) => Scenario.Options() with
    {
        Tables =
        [
            .. tables.Select(name => new TableOptions
            {
                Name = name,
                Topic = name,
                Key = new TableKeyOptions { Field = "id" },
                Fields = [new TableFieldOptions { Name = "w", Type = "double" }],
            }),
        ],
    };

    private static byte[] Marked(CutMarker marker)
    {
        var writer = new CutBlock.Writer("v");
        writer.Mark(marker);
        return writer.Bytes.ToArray();
    }

    private static string Row(string id, int weight) => $"{{\"id\":\"{id}\",\"w\":{weight}}}";

    private string Rows => Read(_board.Current);

    private static string Read(TableViews views, int table = 0) => string.Join(' ', new[] { "a", "b" }.Select(id =>
    {
        var (key, value) = (default(FieldValue), default(FieldValue));
        key.Set(Encoding.UTF8.GetBytes(id), 0, 1);
        return views[table] is { } view && view.Find(key) is var row and >= 0 && view.TryGet(row, 0, ref value) ? $"{value.Double}" : "-";
    }));

    private EmbeddedLog Open(string name) => new(new EmbeddedLogOptions(Path.Combine(_folder.FullName, name)));

    private static void Create(EmbeddedLog log) => log.CreateTopics([new TopicSpec("weights", 1, Compacted: true)]);

    /// <summary>Records as if they were read.</summary>
    private void Take(int from, int to, Func<int, string> key) => Take(_board, from, to, key);

    private static void Take(TableBoard board, int from, int to, Func<int, string> key)
    {
        var batch = new RecordBatch();
        for (var i = from; i < to; i++)
            batch.Add(0, 0, i, 0, Encoding.UTF8.GetBytes(key(i)), true, Encoding.UTF8.GetBytes(Row(key(i), i)), true);
        board.Take(0, batch, to, to);
        board.Publish(isComplete: true);
    }

    private static void Write(EmbeddedLog log, params (string Key, string? Value)[] rows) => Write(log, "weights", rows);

    private static void Write(EmbeddedLog log, string topic, params (string Key, string? Value)[] rows)
    {
        using var writer = log.OpenWriter();
        foreach (var (key, value) in rows) writer.Write(topic, Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(value ?? ""), 0);
        writer.Flush();
    }
}
