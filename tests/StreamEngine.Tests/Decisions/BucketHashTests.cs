using System.Text;
using StreamEngine.Decisions;
using Xunit;

namespace StreamEngine.Tests.Decisions;

public sealed class BucketHashTests
{
    /// <summary>The vectors of GrowthBook's SDK test cases (<c>cases.json</c>, "hash", version 2).</summary>
    [Theory]
    [InlineData("seed", "a", 0.0505)]
    [InlineData("seed", "b", 0.2696)]
    [InlineData("foo", "ab", 0.2575)]
    [InlineData("foo", "def", 0.2019)]
    [InlineData("89123klj", "8952klfjas09ujkasdf", 0.124)]
    [InlineData("90850943850283058242805", "123", 0.7516)]
    [InlineData("()**(%$##$%#$#", "___)((*\":&", 0.0128)]
    public void Agrees_with_the_published_vectors(string seed, string value, double bucket) =>
        Assert.Equal(bucket, BucketHash.Bucket(Encoding.UTF8.GetBytes(seed), Encoding.UTF8.GetBytes(value)));

    [Fact]
    public void Spreads_evenly()
    {
        var tenths = new int[10];
        for (var i = 0; i < 100_000; i++) tenths[(int)(BucketHash.Bucket("holdout"u8, Encoding.UTF8.GetBytes($"customer-{i}")) * 10)]++;
        Assert.All(tenths, n => Assert.InRange(n, 9_600, 10_400));
    }
}
