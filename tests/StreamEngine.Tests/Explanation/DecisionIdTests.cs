using StreamEngine.Decisions;
using Xunit;

namespace StreamEngine.Tests.Explanation;

/// <summary>The ids of decisions as texts.</summary>
public sealed class DecisionIdTests
{
    [Theory]
    [InlineData("shop/events/3/1841/1", true)]
    [InlineData("a shop/of many/events/0/0/0", true)]
    [InlineData("shop/events/0/-1/0", true)]
    [InlineData("shop/events/3/1841", false)]
    [InlineData("/events/3/1841/1", false)]
    [InlineData("shop//3/1841/1", false)]
    [InlineData("shop/events/3/01841/1", false)]
    [InlineData("shop/events/3/ 1841/1", false)]
    [InlineData("shop/events/3/99999999999999999999/1", false)]
    [InlineData("shop/events/4294967296/1/1", false)]
    [InlineData("////", false)]
    [InlineData("", false)]
    public void An_id_is_read_as_it_is_written(string text, bool isOne)
    {
        Assert.Equal(isOne, DecisionId.TryParse(text, out var id));
        if (isOne) Assert.Equal(text, id.ToString());
    }
}
