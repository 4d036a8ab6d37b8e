using StreamEngine.Host.Collector;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Http;

public sealed class RepeatFilterTests
{
    private readonly ManualTime _time = new(DateTimeOffset.UnixEpoch);

    [Fact]
    public void An_id_is_known_while_it_is_written_and_for_the_window_after()
    {
        var filter = new RepeatFilter(TimeSpan.FromMinutes(10), 1_000, _time);
        var (first, second) = (Batch(), Batch());
        Assert.True(filter.TryClaim(Id(1), first, out _));
        Assert.False(filter.TryClaim(Id(1), second, out var writer));
        Assert.Same(first, writer);
        _time.Advance(TimeSpan.FromHours(1)); // however long it takes
        Assert.False(filter.TryClaim(Id(1), second, out _));
        filter.End(first, true);
        _time.Advance(TimeSpan.FromMinutes(9));
        Assert.False(filter.TryClaim(Id(1), second, out writer));
        Assert.Null(writer);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.True(filter.TryClaim(Id(1), second, out _));
    }

    [Fact]
    public void What_could_not_be_written_is_free_again_and_the_oldest_are_forgotten_first()
    {
        var filter = new RepeatFilter(TimeSpan.FromMinutes(10), 1_000, _time);
        var failed = Batch();
        Assert.True(filter.TryClaim(Id(0), failed, out _));
        filter.End(failed, false);
        Assert.Equal(0, filter.Count);
        for (var i = 0UL; i < 1_500; i++)
        {
            var batch = Batch();
            Assert.True(filter.TryClaim(Id(i), batch, out _));
            filter.End(batch, true);
        }
        Assert.Equal(1_000, filter.Count);
        Assert.False(filter.TryClaim(Id(1_499), Batch(), out _));
        Assert.True(filter.TryClaim(Id(499), Batch(), out _));
    }

    [Fact]
    public void Without_a_window_every_event_is_new()
    {
        var filter = new RepeatFilter(TimeSpan.Zero, 1_000, _time);
        Assert.True(filter.TryClaim(Id(1), Batch(), out _) && filter.TryClaim(Id(1), Batch(), out _));
    }

    private static EventId Id(ulong id) => new(7, id);

    private static EventBatch Batch() => new("t", 0);
}
