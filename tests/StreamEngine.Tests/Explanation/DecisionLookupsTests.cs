using System.Reflection;
using StreamEngine.Connectors;
using StreamEngine.Host.Explanation;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Explanation;

/// <summary>Lookups while the log does not answer.</summary>
public sealed class DecisionLookupsTests
{
    [Fact]
    public async Task A_log_that_is_away_keeps_nobody_for_long_and_takes_few_threads()
    {
        using var compiled = Scenario.Compile(Scenario.Options(), new LinearModels(1));
        var log = DispatchProxy.Create<ILog, AwayLog>();
        var away = (AwayLog)(object)log;
        // Those that have a turn, and as many as may wait beside them.
        using var lookups = new DecisionLookups(log, compiled, TimeSpan.FromSeconds(1));
        var asked = Enumerable.Range(0, DecisionLookups.Most).Select(_ => lookups.FindAsync("scenario/shop/0/1/0", default)).ToList();
        Assert.Equal(LookupStatus.Busy, (await lookups.FindAsync("scenario/shop/0/1/0", default)).Status);
        Assert.All(await Task.WhenAll(asked), l => Assert.Equal(LookupStatus.TimedOut, l.Status));
        Assert.InRange(away.Calls, 1, DecisionLookups.AtOnce);
        away.Back.Set();
        // It is back, and says that it is broken.
        Lookup last;
        do last = await lookups.FindAsync("scenario/shop/0/1/0", default);
        while (last.Status == LookupStatus.TimedOut);
        Assert.Equal((LookupStatus.Log, "broken"), (last.Status, last.Message));
    }

    /// <summary>Every call of it waits until it is back.</summary>
    public class AwayLog : DispatchProxy
    {
        private int _calls;

        public ManualResetEventSlim Back { get; } = new();

        public int Calls => Volatile.Read(ref _calls);

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            Interlocked.Increment(ref _calls);
            Back.Wait();
            throw new LogException("broken");
        }
    }
}
