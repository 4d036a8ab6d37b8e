using System.Text;
using StreamEngine.Decisions;
using Xunit;

namespace StreamEngine.Tests.Decisions;

/// <summary>The vectors of GrowthBook's SDK test cases (<c>cases.json</c>): the same customers come into the same variations.</summary>
public sealed class BucketRangesTests
{
    [Theory]
    [InlineData(2, 1, "", "0-0.5 0.5-1")]                   // normal 50/50
    [InlineData(2, 0.5, "", "0-0.25 0.5-0.75")]             // reduced coverage
    [InlineData(2, 0, "", "0-0 0.5-0.5")]                   // zero coverage
    [InlineData(4, 1, "", "0-0.25 0.25-0.5 0.5-0.75 0.75-1")]
    [InlineData(2, 1, "0.4 0.6", "0-0.4 0.4-1")]
    [InlineData(3, 1, "0.2 0.3 0.5", "0-0.2 0.2-0.5 0.5-1")]
    [InlineData(3, 0.2, "0.2 0.3 0.5", "0-0.04 0.2-0.26 0.5-0.6")]
    [InlineData(2, -0.2, "", "0-0 0.5-0.5")]
    [InlineData(2, 1.5, "", "0-0.5 0.5-1")]
    [InlineData(2, 1, "0.4 0.1", "0-0.5 0.5-1")]            // weights that sum below 1
    [InlineData(2, 1, "0.7 0.6", "0-0.5 0.5-1")]            // or above
    [InlineData(4, 1, "0.4 0.4 0.2", "0-0.25 0.25-0.5 0.5-0.75 0.75-1")] // or are of another number
    [InlineData(2, 1, "0.4 0.5999", "0-0.4 0.4-0.9999")]    // or sum nearly to 1
    public void Ranges_are_the_published_ones(int variations, double coverage, string weights, string ranges)
    {
        var given = weights.Length == 0 ? null : Numbers(weights, ' ');
        var actual = BucketRanges.Of(variations, coverage, given);
        var expected = ranges.Split(' ').Select(r => Numbers(r, '-')).ToArray();
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < actual.Length; i++)
        {
            Assert.Equal(expected[i][0], actual[i].From, 12);
            Assert.Equal(expected[i][1], actual[i].To, 12);
        }
    }

    [Theory]
    [InlineData(0.2, "0-0.5 0.5-1", 0)]
    [InlineData(0.4, "0-0.5 0.5-1", 0)]
    [InlineData(0.6, "0-0.5 0.5-1", 1)]
    [InlineData(0.8, "0-0.5 0.5-1", 1)]
    [InlineData(0, "0-0.5 0.5-1", 0)]
    [InlineData(0.5, "0-0.5 0.5-1", 1)]
    [InlineData(0.2, "0-0.25 0.5-0.75", 0)]
    [InlineData(0.4, "0-0.25 0.5-0.75", -1)]
    [InlineData(0.6, "0-0.25 0.5-0.75", 1)]
    [InlineData(0.8, "0-0.25 0.5-0.75", -1)]
    [InlineData(0.25, "0-0.25 0.5-0.75", -1)]
    [InlineData(0.5, "0-0.25 0.5-0.75", 1)]
    [InlineData(0.5, "0-0.5 0.5-0.5 0.5-1", 2)]
    public void Variations_are_the_published_ones(double bucket, string ranges, int variation) =>
        Assert.Equal(variation, BucketRanges.Choose(bucket,
            ranges.Split(' ').Select(r => Numbers(r, '-')).Select(r => (r[0], r[1])).ToArray()));

    [Theory]
    [InlineData("", "a", 0.22)]
    [InlineData("", "b", 0.077)]
    [InlineData("b", "a", 0.946)]
    [InlineData("ef", "d", 0.652)]
    [InlineData("asdf", "8952klfjas09ujk", 0.549)]
    [InlineData("", "123", 0.011)]
    [InlineData("", "___)((*\":&", 0.563)]
    public void The_first_version_of_the_hash_is_the_published_one(string seed, string value, double bucket) =>
        Assert.Equal(bucket, BucketHash.Bucket1(Encoding.UTF8.GetBytes(seed), Encoding.UTF8.GetBytes(value)));

    [Theory]
    [InlineData("1", "namespace1", false)]
    [InlineData("1", "namespace2", false)]
    [InlineData("2", "namespace1", false)]
    [InlineData("2", "namespace2", false)]
    [InlineData("3", "namespace1", false)]
    [InlineData("3", "namespace2", true)]
    [InlineData("4", "namespace1", false)]
    [InlineData("4", "namespace2", true)]
    public void Namespaces_keep_the_published_customers_apart(string customer, string space, bool isInLow)
    {
        foreach (var (from, to, isIn) in new[] { (0, 0.4, isInLow), (0.4, 1.0, !isInLow) })
        {
            var experiment = ExperimentTests.Compile(new ExperimentOptions
            {
                Name = "x",
                Namespace = new() { Name = space, From = from, To = to },
                Variations = [new() { Name = "a" }, new() { Name = "b" }],
            }).Policy.Experiments[0];
            Assert.Equal(isIn, experiment.Assign(Encoding.UTF8.GetBytes(customer)) >= 0);
        }
    }

    private static double[] Numbers(string text, char between) =>
        [.. text.Split(between).Select(t => double.Parse(t, System.Globalization.CultureInfo.InvariantCulture))];
}
