using StreamEngine.Connectors;
using StreamEngine.Connectors.Embedded;
using StreamEngine.Decisions;
using StreamEngine.Runtime;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Runtime;

/// <summary>What the reader of the control topic makes of a topic's id, and of what other processes have read.</summary>
public sealed class ControlReaderTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("streamengine-");
    private readonly CompiledEngine _engine = Scenario.Compile(Scenario.Options(), new LinearModels(1));
    private readonly List<WorkerEvent> _told = [];
    private readonly EmbeddedLog _old, _new;
    private readonly ControlLog _log;
    private readonly SwitchBoard _board;
    private readonly ControlReader _reader;

    public ControlReaderTests()
    {
        _old = Open("first");
        _new = Open("second");
        _log = new ControlLog(_old, "t1");
        _board = new SwitchBoard(_engine.Policy);
        _reader = new ControlReader(_log, "control", _board, TimeProvider.System, _told.Add);
    }

    public void Dispose()
    {
        _reader.Dispose();
        _old.Dispose();
        _new.Dispose();
        _folder.Delete(recursive: true);
        _engine.Dispose();
    }

    [Fact]
    public void A_new_topic_is_known_by_its_id_though_it_reaches_further_than_the_old_one()
    {
        Write(_old, "offer:a", "offer:b");
        _reader.Turn();
        Assert.Equal("offer:a offer:b", Off);
        Write(_new, "offer:c", "offer:c", "offer:c", "offer:c");
        _log.MakeAnew(_new, "t2");
        _reader.Turn();
        _reader.Turn();
        Assert.Equal(("offer:c", "t2"), (Off, _board.Read.TopicId));
        Assert.Contains("was made anew", Assert.Single(_told).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_new_topic_that_ends_where_the_old_one_did_is_noticed_soon()
    {
        Write(_old, "offer:a");
        _reader.Turn();
        Write(_new, "offer:b");
        _log.MakeAnew(_new, "t2");
        for (var i = 0; i < 25; i++) _reader.Turn();
        Assert.Equal("offer:b", Off);
    }

    [Fact]
    public void What_the_log_has_lost_vanishes_after_some_looks_and_not_while_the_log_is_away()
    {
        Write(_old, "offer:a");
        _reader.Turn();
        var end = _log.Watermarks(new TopicPartition("control", 0)).High;
        var lost = new SwitchRecord(new SwitchTarget(SwitchKind.Offer, "b"), end, true, "ann", "", DateTimeOffset.UtcNow);
        Assert.True(_board.Hear("t1", lost));
        _log.IsAway = true;
        for (var i = 0; i < 50; i++) Assert.Throws<LogException>(() => _reader.Turn());
        _log.IsAway = false;
        for (var i = 0; i < 10; i++) _reader.Turn();
        Assert.Equal("offer:a offer:b", Off); // a broker that has just started may know less of the end
        for (var i = 0; i < 10; i++) _reader.Turn();
        Assert.Equal("offer:a", Off);
    }

    [Fact]
    public void What_was_heard_and_is_read_later_stays()
    {
        Write(_old, "offer:a");
        _reader.Turn();
        Write(_old, "offer:b");
        Assert.True(_board.Hear("t1", new ControlTopic(_old, "control").All(_ => { }, CancellationToken.None)[^1]));
        Assert.Equal("offer:a offer:b", Off);
        for (var i = 0; i < 25; i++) _reader.Turn();
        Assert.Equal("offer:a offer:b", Off);
        Assert.Equal((1L, 0L), (_board.HeardByCluster, _board.HeardByTopic));
    }

    private string Off => string.Join(' ', _board.Current.Off);

    private EmbeddedLog Open(string name)
    {
        var log = new EmbeddedLog(new EmbeddedLogOptions(Path.Combine(_folder.FullName, name)));
        log.CreateTopics([ControlTopic.Spec("control")]);
        return log;
    }

    private static void Write(EmbeddedLog log, params string[] off) => new ControlTopic(log, "control").Write(off.Select(text =>
    {
        Assert.True(SwitchTarget.TryParse(text, out var target));
        return new SwitchRecord(target, -1, true, "ann", "a reason", DateTimeOffset.UtcNow);
    }));
}
