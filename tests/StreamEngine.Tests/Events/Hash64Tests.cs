using System.Text;
using StreamEngine.Events;
using Xunit;

namespace StreamEngine.Tests.Events;

/// <summary>XXH64 against published values.</summary>
public sealed class Hash64Tests
{
    [Theory]
    [InlineData("", 0, 0xEF46DB3751D8E999)]
    [InlineData("a", 0, 0xD24EC4F1A98C6E5B)]
    [InlineData("abc", 0, 0x44BC2CF5AD770999)]
    [InlineData("Nobody inspects the spammish repetition", 0, 0xFBCEA83C8A378BF1)]
    [InlineData("xxhash", 20141025, 0xB559B98D844E0635)]
    public void HashesAreThePublishedOnes(string text, ulong seed, ulong hash) =>
        Assert.Equal(hash, Hash64.Of(Encoding.UTF8.GetBytes(text), seed));
}
