using StreamEngine.Events;
using StreamEngine.Features;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Features;

/// <summary>The comparison job's twelve features: exact, and without allocation.</summary>
public sealed class JobFeaturesTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Agree_with_the_reference_bit_for_bit(int seed)
    {
        var reference = new JobProfile();
        var harness = new FeatureHarness(JobProfile.Options);
        foreach (var e in JobProfile.Events(20_000, seed))
        {
            reference.Apply(e);
            harness.Apply(e);
            Assert.Equal(reference.Features, harness.Read());
        }
    }

    [Fact]
    public void A_single_rfm_feature_says_the_same_as_its_parts()
    {
        var rfm = new FeatureOptions
        {
            Name = "shop",
            Op = FeatureOperator.Rfm,
            Of = "event.value",
            Where = "event.type == 'purchase'",
            Default = -1
        };
        var harness = new FeatureHarness([.. JobProfile.Options, rfm]);
        Assert.Equal(["shop_recency", "shop_frequency", "shop_monetary", "shop_age"], harness.Set.Names.Skip(12));
        Assert.Equal([-1, 0, 0, -1], harness.Empty()[12..]);
        foreach (var e in JobProfile.Events(2_000, 4)) harness.Apply(e);
        var vector = harness.Read();
        Assert.Equal(vector[8..11], vector[12..15]);
    }

    [Fact]
    public void Updating_and_reading_allocates_nothing()
    {
        FeatureOptions[] derived = [new() { Name = "revenue_per_view", Expr = "features.revenue_24h / max(features.views_7d, 1.0)" }];
        var harness = new FeatureHarness([.. JobProfile.Options, .. derived]);
        var events = Decoded(2_000);
        var vector = new double[harness.Set.Width];
        Run(harness, events, vector);

        Assert.Equal(0, Allocations.Least(() =>
        {
            harness.Reset();
            Run(harness, events, vector);
        }));
    }

    [Fact]
    public void No_operator_allocates()
    {
        var sliding = new WindowOptions { Sliding = TimeSpan.FromHours(8), Every = TimeSpan.FromHours(1) };
        var session = new WindowOptions { Session = TimeSpan.FromMinutes(30) };
        FeatureOptions Of(FeatureOperator op) => OperatorTable.Of(op) switch
        {
            { Of: OperandNeed.None } => new() { Op = op },
            { Of: OperandNeed.Text } => new() { Op = op, Of = "event.type" },
            _ => new() { Op = op, Of = "event.value", HalfLife = TimeSpan.FromDays(3), Per = "event.type == 'page_view'", Quantile = 0.9 },
        };
        FeatureOptions[] features =
        [
            .. from op in Enum.GetValues<FeatureOperator>()
               from window in new[] { (WindowKinds.Lifetime, null), (WindowKinds.Panes, sliding), (WindowKinds.Session, session) }
               where OperatorTable.Of(op).Windows.HasFlag(window.Item1)
               select Only(Of(op)) with { Name = $"{op}{window.Item1}", Window = window.Item2 } into feature
               select feature is { Op: FeatureOperator.Top, Window: not null } ? feature with { HalfLife = null } : feature,
        ];
        var harness = new FeatureHarness(features);
        var events = Decoded(2_000);
        var vector = new double[harness.Set.Width];
        Run(harness, events, vector);
        Assert.All(vector[..harness.Set.Count], v => Assert.True(double.IsFinite(v)));
        Assert.Equal(0, Allocations.Least(() =>
        {
            harness.Reset();
            Run(harness, events, vector);
        }));
    }

    /// <summary>Without the options that the operator doesn't take.</summary>
    private static FeatureOptions Only(FeatureOptions options) => options with
    {
        HalfLife = options.Op is FeatureOperator.DecayedSum or FeatureOperator.DecayedMean or FeatureOperator.Top ? options.HalfLife : null,
        Per = options.Op == FeatureOperator.Rate ? options.Per : null,
        Quantile = options.Op == FeatureOperator.Quantile ? options.Quantile : null,
    };

    /// <summary>Events of their own, because a harness decodes into a single one.</summary>
    private static Event[] Decoded(int count) => [.. JobProfile.Events(count, 5).Select(e => new FeatureHarness([]).Decode(e))];

    private static void Run(FeatureHarness harness, Event[] events, double[] vector)
    {
        foreach (var e in events)
        {
            harness.Apply(e);
            harness.Read(harness.Newest, vector);
        }
    }
}
