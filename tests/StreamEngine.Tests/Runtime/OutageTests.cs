using StreamEngine.Runtime;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Runtime;

/// <summary>What is told of something that is away, and how often.</summary>
public sealed class OutageTests
{
    [Fact]
    public void It_is_told_at_once_then_at_widening_intervals_and_when_it_is_over()
    {
        var time = new ManualTime(DateTimeOffset.UnixEpoch);
        var told = new List<(double At, bool Warning, string Text)>();
        var outage = new Outage("schema registry", time, e => told.Add(((time.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalSeconds,
            e.Warning,
            e.Text)));
        outage.Back();
        Assert.Empty(told);
        Assert.Null(outage.Lasts);

        for (var second = 0; second < 4_000; second++, time.Advance(TimeSpan.FromSeconds(1)))
            outage.Away("refused.", "Shard 3 waits.");
        Assert.Equal([0, 10, 30, 90, 270, 810, 1_410, 2_010, 2_610, 3_210, 3_810], told.Select(t => t.At));
        Assert.All(told, t => Assert.True(t.Warning));
        Assert.Equal("The schema registry does not answer: refused. Shard 3 waits.", told[0].Text);
        Assert.Equal("The schema registry has not answered for 30 s: refused. Shard 3 waits.", told[2].Text);
        Assert.Equal((TimeSpan.FromSeconds(4_000), "schema-registry", "refused."), (outage.Lasts, outage.Label, outage.Reason));

        outage.Back();
        Assert.Equal((false, "The schema registry answers again after 4000 s; what waited for it goes on."), (told[^1].Warning,
            told[^1].Text));
        Assert.Null(outage.Lasts);
        outage.Away("busy", "Shard 3 waits.");
        Assert.Equal("The schema registry does not answer: busy. Shard 3 waits.", told[^1].Text);
    }
}
