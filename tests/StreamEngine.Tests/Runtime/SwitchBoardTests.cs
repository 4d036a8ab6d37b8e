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
        Assert.True(Offer("offer:a", 5, off: true)); // by a way that is faster than the topic
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

    private string Off => string.Join(' ', _board.Current.Off);

    private bool Offer(string target, long offset, bool off)
    {
        Assert.True(SwitchTarget.TryParse(target, out var what));
        return _board.Offer(new SwitchRecord(what, offset, off, "ann", "", DateTimeOffset.UnixEpoch));
    }
}
