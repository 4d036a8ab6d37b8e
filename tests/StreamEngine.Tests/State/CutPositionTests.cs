using StreamEngine.State.Checkpoints;
using Xunit;

namespace StreamEngine.Tests.State;

public sealed class CutPositionTests
{
    [Theory]
    [InlineData(0, 9, CutPosition.TheRecord, true)]   // before the newest record
    [InlineData(0, 10, CutPosition.TheRecord, true)]  // the newest record itself
    [InlineData(0, 10, 1, true)]
    [InlineData(0, 10, 2, false)]                     // a later request at the same record
    [InlineData(0, 11, CutPosition.TheRecord, false)]
    [InlineData(1, 4, 7, true)]                       // of the source that the newest record is not of
    [InlineData(1, 5, CutPosition.TheRecord, false)]
    public void Covers(int source, long offset, int ordinal, bool covered) =>
        Assert.Equal(covered, new CutPosition([11, 5], Source: 0, Ordinal: 2).Covers(source, offset, ordinal));

    [Fact]
    public void Before_the_first_record_and_request_it_covers_nothing() => Assert.False(new CutPosition([0, 0], -1, 0).Covers(0, -1, 0));

    [Theory]
    [InlineData(11, 5, 0, 2, true)]
    [InlineData(12, 5, 0, 0, true)]
    [InlineData(11, 5, 0, 3, true)]
    [InlineData(11, 5, 0, 1, false)]                  // at the same offsets the ordinal decides
    [InlineData(10, 9, 0, 9, false)]
    public void IsAtMost(long first, long second, int source, int ordinal, bool expected) =>
        Assert.Equal(expected, new CutPosition([11, 5], Source: 0, Ordinal: 2).AtMost(new CutPosition([first, second], source, ordinal)));
}
