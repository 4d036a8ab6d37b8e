using System.Numerics;
using System.Runtime.InteropServices;
using FsCheck;
using FsCheck.Fluent;
using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Features;
using Xunit;

namespace StreamEngine.Tests.Features;

/// <summary>Values, sums, counts and times that do not fit where ordinary ones do.</summary>
public sealed class LargeNumbersTests
{
    private static readonly WindowOptions Sliding = new() { Sliding = TimeSpan.FromMilliseconds(20), Every = TimeSpan.FromMilliseconds(5) };
    private static readonly WindowOptions Session = new() { Session = TimeSpan.FromMinutes(30) };

    [Fact]
    public void Fixed_point_sums_and_means_do_not_wrap_in_any_window_or_order()
    {
        // Cents of full 64-bit range: two of them wrap a sum of 64 bits.
        var cents = Gen.OneOf(Gen.Choose(-5, 5).Select(i => (long)i),
            Gen.Elements(long.MaxValue, long.MaxValue - 7, long.MinValue, 1L << 53, (1L << 53) + 1, -(1L << 62)));
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(300).WithReplay(7, 11), Prop.ForAll(Arb.From(cents.NonEmptyListOf()), values =>
        {
            FeatureOptions Of(FeatureOperator op, WindowOptions? window) =>
                new() { Name = $"f{Guid.NewGuid():N}", Op = op, Of = "event.price", Window = window };
            FeatureOptions[] features =
            [
                .. new[] { null, Sliding, Session }.SelectMany(w => new[] { Of(FeatureOperator.Sum, w), Of(FeatureOperator.Mean, w) }),
                Of(FeatureOperator.Min, null), Of(FeatureOperator.Max, Sliding),
            ];
            var events = values.Select((v, i) => new ShopEvent(i % 20, (ulong)i, "purchase", Price: v)).ToList();
            var vector = new FeatureHarness(features).Apply(events).Read(19);
            var other = new FeatureHarness(features).Apply(events.OrderByDescending(e => e.Id)).Read(19);
            var sum = events.Aggregate(BigInteger.Zero, (s, e) => s + e.Price!.Value);
            var magnitudes = events.Aggregate(BigInteger.Zero, (s, e) => s + BigInteger.Abs(e.Price!.Value));
            // Exact below 2^62 units; from there on to the rounding of a double per addition.
            var exact = sum == (long)Int128.CreateSaturating(sum) ? (long)sum / 100.0 : (double)sum / 100;
            var slack = magnitudes < BigInteger.One << 62 ? 0 : (double)magnitudes / 100 * 1.2e-16 * events.Count;
            for (var i = 0; i < 6; i += 2)
            {
                Assert.InRange(vector[i], exact - slack, exact + slack);
                Assert.InRange(other[i], exact - slack, exact + slack);
                Assert.Equal(vector[i] / events.Count, vector[i + 1]);
            }
            Assert.Equal(values.Min() / 100.0, vector[6]);
            Assert.Equal(values.Max() / 100.0, vector[7]);
        }));
    }

    [Fact]
    public void Variances_of_integers_are_exact_as_far_as_their_squares_reach()
    {
        FeatureOptions Of(string name, FeatureOperator op) => new() { Name = name, Op = op, Of = "event.quantity", Default = -1 };
        var harness = new FeatureHarness([Of("v", FeatureOperator.Variance), Of("s", FeatureOperator.Stddev)]);
        void Apply(params long[] values) => harness.Apply(values.Select((v, i) => new ShopEvent(i, (ulong)i, "view", Quantity: v)));

        const long Large = 4_000_000_000_000_000_000;
        Apply(Large - 1, Large, Large + 1, Large + 6, Large - 4);
        Assert.Equal([53.2 / 4, Math.Sqrt(53.2 / 4)], harness.Read(), (a, b) => Math.Abs(a - b) < 1e-14);
        Apply(-Large, -Large - 1);
        Assert.Equal(20 / 21.0, harness.Read()[0] / Large / Large, 12);
        Apply(long.MinValue, long.MaxValue, long.MinValue, long.MaxValue);
        Assert.Equal([-1.0, -1], harness.Read());
    }

    [Fact]
    public void A_sum_goes_past_64_bits_and_back()
    {
        var cell = 0L;
        for (var i = 0; i < 1_100; i++) UnitSum.Add(ref cell, 9_000_000_000_000_000);
        Assert.Equal(9.9e18, UnitSum.Value(cell));
        for (var i = 0; i < 2_200; i++) UnitSum.Add(ref cell, -9_000_000_000_000_000);
        Assert.Equal(-9.9e18, UnitSum.Value(cell));
        var other = cell;
        UnitSum.Merge(ref cell, other);
        Assert.Equal(-1.98e19, UnitSum.Value(cell));
        for (var i = 0; i < 2_200; i++) UnitSum.Add(ref cell, 9_000_000_000_000_000);
        Assert.Equal(0, cell);
        UnitSum.Add(ref cell, long.MinValue);
        Assert.Equal(-9223372036854775808.0, UnitSum.Value(cell));
        UnitSum.Add(ref cell, long.MaxValue);
        Assert.Equal(0, UnitSum.Value(cell));
    }

    [Theory]
    [InlineData(FeatureOperator.Sum)]
    [InlineData(FeatureOperator.Mean)]
    [InlineData(FeatureOperator.Min)]
    [InlineData(FeatureOperator.Max)]
    [InlineData(FeatureOperator.First)]
    [InlineData(FeatureOperator.Last)]
    public void An_integer_of_19_digits_counts_in_every_operator(FeatureOperator op) =>
        Assert.Equal(1_234_567_890_123_456_789.0, FeatureHarness.One(new() { Name = "x", Op = op, Of = "event.quantity" },
            new ShopEvent(5, 1, "view", Quantity: 1_234_567_890_123_456_789)));

    [Fact]
    public void An_identifier_of_19_digits_counts_as_an_rfm_value() =>
        Assert.Equal([0, 1, 92_233_720_368_547_758.07, 0],
            new FeatureHarness([new() { Name = "x", Op = FeatureOperator.Rfm, Of = "event.price" }])
                .Apply(new ShopEvent(5, 1, "view", Price: long.MaxValue)).Read());

    [Fact]
    public void A_scaled_double_counts_as_far_as_64_bits_reach()
    {
        var sum = new FeatureOptions { Name = "x", Op = FeatureOperator.Sum, Of = "event.value", Scale = 2 };
        Assert.Equal(9.2e16, FeatureHarness.One(sum, new ShopEvent(1, 1, "view", Value: 9.2e16)));
        Assert.Equal(0, FeatureHarness.One(sum, new ShopEvent(1, 1, "view", Value: 9.3e16)));
        Assert.Equal(-9.2e16, FeatureHarness.One(sum, new ShopEvent(1, 1, "view", Value: -9.2e16)));
        Assert.Equal(0, FeatureHarness.One(sum, new ShopEvent(1, 1, "view", Value: 1e300)));

        var harness = new FeatureHarness([sum, sum with { Name = "y", Scale = 0 }]);
        var e = harness.Decode(new ShopEvent(1, 1, "view", Value: 1e18));
        harness.Apply(e);
        Assert.Equal(1, e.NotAdded);
        Assert.Equal([0.0, 1e18], harness.Read());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(9)]
    public void Scales_that_hold_ordinary_money_are_taken_others_name_the_largest(int scale)
    {
        Assert.Empty(Mistakes(scale));
        Assert.Contains("the largest scale is decimal(9)", Assert.Single(Mistakes(scale + 10)), StringComparison.Ordinal);

        static List<string> Mistakes(int scale)
        {
            var errors = new ConfigErrors();
            FieldOptions field = new() { Name = "v", Type = $"decimal({scale})" };
            EventCatalog.Compile([new() { Name = "s", Format = RecordFormat.Json, Fields = [field] }], [],
                new Events.Schemas(), "", errors);
            return [.. errors.All.Select(e => e.Message)];
        }
    }

    [Theory]
    [InlineData(1L << 32)]
    [InlineData((1L << 32) - 1)]
    [InlineData((1L << 32) + 1)]
    [InlineData(1L << 33)]
    [InlineData(1L << 31)]
    public void An_event_of_long_ago_is_not_taken_for_now(long age)
    {
        var ms = TimeSpan.FromMilliseconds(1);
        var harness = new FeatureHarness([new() { Name = "n", Op = FeatureOperator.Count, Window = new() { Tumbling = ms } },
            new() { Name = "m", Op = FeatureOperator.Count, Window = new() { Sliding = 3 * ms, Every = ms } }],
            new TimeOptions { Lateness = TimeSpan.FromDays(60) });
        const long Now = 1_709_251_200_000;
        Assert.Equal([1.0, 1], harness.Apply(new ShopEvent(Now, 1, "view"), new ShopEvent(Now - age, 2, "view")).Read(Now));
    }

    [Fact]
    public void A_count_stops_at_the_largest_and_panes_add_up_past_it()
    {
        var column = new Column(ColumnKind.Count, 0, 0);
        var cells = new uint[40];
        ref var profile = ref MemoryMarshal.GetReference(MemoryMarshal.AsBytes(cells.AsSpan()));
        cells.AsSpan().Fill(uint.MaxValue - 1);
        for (var i = 0; i < 3; i++) column.Add(ref profile, 1, default, new Event(FeatureHarness.Catalog));
        Assert.Equal(uint.MaxValue, cells[1]);
        column.Merge(ref profile, 2, 3);
        Assert.Equal(uint.MaxValue, cells[2]);
        Assert.Equal(40L * uint.MaxValue - 38, column.Read(ref profile, CellPart.Value, new RowRange(15, 25, 15, 0)));
    }
}
