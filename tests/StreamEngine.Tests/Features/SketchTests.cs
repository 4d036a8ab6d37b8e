using System.Runtime.InteropServices;
using StreamEngine.Features;
using Xunit;

namespace StreamEngine.Tests.Features;

/// <summary>
/// Operators that estimate: their errors are those that engine/docs/features.md states, and no order or pane changes them.
/// </summary>
public sealed class SketchTests
{
    private static readonly FeatureOptions Distinct = new() { Name = "d", Op = FeatureOperator.Distinct, Of = "event.quantity" };

    private static readonly FeatureOptions Median =
        new() { Name = "q", Op = FeatureOperator.Quantile, Of = "event.value", Quantile = 0.5, Default = -1 };

    private static readonly WindowOptions Panes = new() { Sliding = TimeSpan.FromSeconds(20), Every = TimeSpan.FromSeconds(1) };

    [Theory]
    [InlineData(65)]
    [InlineData(100)]
    [InlineData(500)]
    [InlineData(1_300)]
    [InlineData(10_000)]
    [InlineData(100_000)]
    public void Distinct_values_are_estimated_within_the_stated_error(int values)
    {
        const int trials = 200;
        double squares = 0, sum = 0, largest = 0;
        Span<byte> registers = stackalloc byte[HyperLogLog.Size];
        for (var trial = 0; trial < trials; trial++)
        {
            registers.Clear();
            var random = new Random(trial);
            for (var i = 0; i < values; i++) HyperLogLog.Add(registers, (ulong)random.NextInt64(long.MinValue, long.MaxValue));
            var error = HyperLogLog.Estimate(registers) / values - 1;
            squares += error * error;
            sum += error;
            largest = Math.Max(largest, Math.Abs(error));
        }
        // Of 200 trials, the standard deviation is known to 5 %, and the mean to 7 % of one.
        Assert.InRange(Math.Sqrt(squares / trials), 0, HyperLogLog.StandardError * 1.15);
        Assert.InRange(Math.Abs(sum / trials), 0, HyperLogLog.StandardError * 0.25);
        Assert.InRange(largest, 0, HyperLogLog.StandardError * 4);
    }

    [Fact]
    public void Distinct_values_are_exact_to_64_and_estimated_beyond()
    {
        var harness = new FeatureHarness(
            [Distinct, Distinct with { Name = "p", Window = Panes }, Distinct with { Name = "t", Of = "event.category" }]);
        for (var i = 0; i < 3_000; i++)
        {
            var value = i % 1_000;
            harness.Apply(new ShopEvent(i * 6, (ulong)i, "view", Quantity: value, Category: $"category {value}"));
            var (seen, read) = (Math.Min(i + 1, 1_000), harness.Read());
            Assert.Equal(read[0], read[1]);
            var slack = seen <= 64 ? 0 : seen * 3 * HyperLogLog.StandardError;
            foreach (var estimate in read) Assert.InRange(estimate, seen <= 64 ? seen : Math.Max(65, seen - slack), seen + slack);
        }
    }

    [Theory]
    [InlineData(1, 60, 60)]
    [InlineData(2, 40, 40)]
    [InlineData(3, 64, 64)]
    [InlineData(4, 70, 3)]
    [InlineData(5, 3, 70)]
    [InlineData(6, 500, 700)]
    public void A_union_is_the_same_as_all_values_in_one_cell(int seed, int first, int second)
    {
        var random = new Random(seed);
        ulong[] pool = [.. Enumerable.Range(0, 1_000).Select(_ => (ulong)random.NextInt64())];
        ulong[] a = [.. random.GetItems(pool, first)], b = [.. random.GetItems(pool, second)];
        var column = new Column(ColumnKind.Distinct, 0, 0);
        var width = Column.Width(ColumnKind.Distinct);
        var bytes = new byte[3 * width];
        ref var profile = ref MemoryMarshal.GetArrayDataReference(bytes);
        var e = new FeatureHarness([]).Decode(new ShopEvent(1, 1, "view"));
        foreach (var hash in a) column.Add(ref profile, 0, new InputValue { Fixed = (long)hash }, e);
        foreach (var hash in b) column.Add(ref profile, 1, new InputValue { Fixed = (long)hash }, e);
        foreach (var hash in b.Concat(a)) column.Add(ref profile, 2, new InputValue { Fixed = (long)hash }, e);
        column.Merge(ref profile, 0, 1);
        var read = column.Read(ref profile, CellPart.Value, RowRange.One(0, 0));
        Assert.Equal(column.Read(ref profile, CellPart.Value, RowRange.One(2, 0)), read);
        if (a.Union(b).Count() is var union and <= 64) Assert.Equal(union, read);
    }

    /// <summary>Values over ever wider ranges, and the error that is stated for them.</summary>
    [Theory]
    [InlineData(1, 10, 0.01)]
    [InlineData(-300, 300, 0.08)]
    [InlineData(0.01, 1.5, 0.02)]
    [InlineData(0.01, 250, 0.04)]
    [InlineData(0.01, 5e6, 0.08)]
    [InlineData(1e-6, 1e6, 0.16)]
    public void Quantiles_are_within_the_stated_error_in_any_order_and_over_panes(double low, double high, double error)
    {
        double[] shares = [0, 0.01, 0.25, 0.5, 0.75, 0.99, 1];
        FeatureOptions[] features =
        [
            .. shares.Select((s, i) => Median with { Name = $"q{i}", Quantile = s }),
            .. shares.Select((s, i) => Median with { Name = $"p{i}", Quantile = s, Window = Panes }),
        ];
        var random = new Random(17);
        double Value() => low > 0 ? Math.Exp(Math.Log(low) + random.NextDouble() * Math.Log(high / low))
            : low + random.NextDouble() * (high - low);
        List<ShopEvent> events = [.. Enumerable.Range(0, 5_000).Select(i => new ShopEvent(i * 3, (ulong)i, "view", Value: Value()))];
        var read = new FeatureHarness(features).Apply(events).Read();
        Assert.Equal(read[..shares.Length], read[shares.Length..]);
        Assert.Equal(read[..shares.Length], new FeatureHarness(features).Apply(events.AsEnumerable().Reverse()).Read()[..shares.Length]);
        var sorted = events.Select(e => e.Value!.Value).Order().ToList();
        for (var i = 0; i < shares.Length; i++)
        {
            var expected = sorted[(int)(shares[i] * (sorted.Count - 1))];
            Assert.InRange(read[i], expected - error * Math.Abs(expected) * 1.0001, expected + error * Math.Abs(expected) * 1.0001);
        }
    }

    [Fact]
    public void A_quantile_knows_zero_and_no_value()
    {
        var harness = new FeatureHarness([Median]);
        Assert.Equal([-1.0], harness.Empty());
        Assert.Equal([0.0], harness.Apply(new ShopEvent(1, 1, "view", Value: 0), new ShopEvent(1, 2, "view", Value: 1e-12)).Read());
        Assert.InRange(harness.Apply(new ShopEvent(2, 3, "view", Value: 1e300), new ShopEvent(2, 4, "view", Value: 1e300),
            new ShopEvent(2, 5, "view", Value: 1e300)).Read()[0], 0.99e300, 1.01e300);
        Assert.InRange(new FeatureHarness([Median]).Apply(new ShopEvent(1, 1, "view", Value: -double.MaxValue)).Read()[0],
            -double.MaxValue, -0.98 * double.MaxValue);
    }
}
