using StreamEngine.Decisions;
using StreamEngine.Runtime;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Runtime;

/// <summary>What a process publishes of the control topic's records, however they come.</summary>
public sealed class SwitchBoardTests : IDisposable
{
    private readonly CompiledEngine _engine = Scenario.Compile(Scenario.Options(), new LinearModels(1));
    private readonly SwitchBoard _board;

    public SwitchBoardTests() => _board = new SwitchBoard(_engine.Policy);

    public void Dispose() => _engine.Dispose();

    [Fact]
    public void Nothing_is_published_before_the_topic_was_read_to_its_end()
    {
        Offer("offer:a", 0, off: true);
        Assert.Equal((false, -1L), (_board.IsReady, _board.Current.Version));
        _board.Ready();
        Assert.Equal((true, 0L, "offer:a"), (_board.IsReady, _board.Current.Version, Off));
        Assert.Null(_board.Current.At); // how long that took is of no interest
    }

    [Fact]
    public void Of_two_records_about_one_thing_the_higher_offset_holds_whichever_comes_first()
    {
        _board.Ready();
        Assert.True(Offer("offer:a", 5, off: true));
        Assert.Equal((5L, "offer:a"), (_board.Current.Version, Off));
        Assert.False(Offer("offer:a", 3, off: false));
        Assert.True(Offer("offer:b", 4, off: true));
        Assert.Equal((5L, "offer:a offer:b"), (_board.Current.Version, Off));
        Assert.False(Offer("offer:a", 5, off: true));
        Assert.True(Offer("offer:a", 6, off: false));
        Assert.Equal((6L, "offer:b"), (_board.Current.Version, Off));
        Assert.Equal(["offer:a on 6", "offer:b off 4"],
            _board.Records.Select(r => $"{r.Target} {(r.Off ? "off" : "on")} {r.Offset}"));
    }

    [Fact]
    public void What_the_config_does_not_have_is_kept_and_has_no_effect()
    {
        _board.Ready();
        var before = _board.Current;
        Offer("offer:gone", 0, off: true);
        Assert.True(_board.Current.Same(before));
        Assert.Equal(0, _board.Current.Version);
        Assert.False(_board.Knows(Assert.Single(_board.Records).Target));
    }

    [Fact]
    public void A_topic_that_was_made_anew_is_read_anew_and_until_then_what_was_known_holds()
    {
        _board.Ready();
        Offer("offer:a", 9, off: true);
        _board.Forget();
        Assert.Equal((false, "offer:a"), (_board.IsReady, Off));
        Offer("offer:b", 0, off: true);
        Assert.Equal("offer:a", Off);
        _board.Ready();
        Assert.Equal((0L, "offer:b"), (_board.Current.Version, Off));
    }

    [Fact]
    public void What_another_process_has_read_counts_ahead_of_what_was_read_here()
    {
        _board.Follow("t1");
        _board.Ready();
        _board.ReadTo(5);
        Assert.True(Hear("t1", "offer:a", 7, off: true));
        Assert.Equal((7L, "offer:a"), (_board.Current.Version, Off));
        Assert.False(Hear("t1", "offer:a", 7, off: true));
        Assert.False(Hear("t1", "offer:a", 6, off: false)); // older than what was heard
        Assert.False(Hear("t1", "offer:b", 4, off: true)); // where the topic was read, the topic alone counts
        Assert.Equal("offer:a", Off);
        Assert.True(Hear("t1", "offer:b", 8, off: true));
        Assert.True(Offer("offer:a", 6, off: false)); // read here, and heard by then that it is off again
        Assert.Equal("offer:a offer:b", Off);
        Assert.Equal(["offer:a on 6"], _board.Read.Records.Select(r => $"{r.Target} {(r.Off ? "off" : "on")} {r.Offset}"));
        Assert.True(Offer("offer:a", 7, off: true));
        Assert.True(Offer("offer:b", 9, off: false));
        _board.ReadTo(10);
        Assert.Equal("offer:a", Off);
        // Both came first from elsewhere, and only the last word about b did not.
        Assert.Equal((2L, 1L), (_board.HeardByCluster, _board.HeardByTopic));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_the_topic_does_not_confirm_vanishes(bool readPast)
    {
        var refuted = new List<string>();
        _board.Refuted += (topic, record) => refuted.Add($"{topic} {record.Target} {record.Offset}");
        _board.Follow("t1");
        Offer("offer:b", 2, off: true);
        _board.ReadTo(3);
        _board.Ready();
        Hear("t1", "offer:a", 7, off: true);
        Hear("t1", "offer:b", 8, off: false);
        Assert.Equal((8L, "offer:a"), (_board.Current.Version, Off));
        Assert.True(_board.IsAheadOf(8));
        Assert.False(_board.IsAheadOf(9));
        if (readPast) _board.ReadTo(9);
        else _board.EndsAt(3);
        Assert.Equal((2L, "offer:b"), (_board.Current.Version, Off));
        Assert.Equal(["t1 offer:a 7", "t1 offer:b 8"], refuted.Order());
        Assert.False(_board.IsAheadOf(0));
    }

    [Fact]
    public void A_high_offset_of_an_old_topic_does_not_overtake_a_low_one_of_the_new()
    {
        _board.Follow("t1");
        _board.Ready();
        Offer("offer:a", 90, off: true);
        Hear("t1", "offer:b", 99, off: true);
        _board.Forget();
        Assert.Equal("offer:a offer:b", Off); // until the new one is read
        _board.Follow("t2");
        Assert.False(Hear("t1", "offer:a", 91, off: true));
        Assert.True(Hear("t2", "offer:c", 1, off: true));
        Assert.True(Offer("offer:b", 0, off: false));
        _board.Ready();
        Assert.Equal((1L, "offer:c"), (_board.Current.Version, Off));
        Assert.Equal(("t2", "t1"), (_board.Read.TopicId, Assert.Single(_board.Read.FormerTopics)));
        // Where the log has no ids, or the topic is not known yet, nothing can be compared.
        _board.Follow(null);
        Assert.False(Hear("t2", "offer:d", 500, off: true));
    }

    [Fact]
    public void A_topic_that_is_read_anew_under_its_own_id_is_no_former_one()
    {
        _board.Follow("t1");
        _board.Forget();
        _board.Follow("t1");
        Assert.Empty(_board.Read.FormerTopics);
    }

    private bool Hear(string topic, string target, long offset, bool off)
    {
        Assert.True(SwitchTarget.TryParse(target, out var what));
        return _board.Hear(topic, new SwitchRecord(what, offset, off, "ann", "", DateTimeOffset.UnixEpoch));
    }

    private string Off => string.Join(' ', _board.Current.Off);

    private bool Offer(string target, long offset, bool off)
    {
        Assert.True(SwitchTarget.TryParse(target, out var what));
        return _board.Offer(new SwitchRecord(what, offset, off, "ann", "", DateTimeOffset.UnixEpoch));
    }
}
