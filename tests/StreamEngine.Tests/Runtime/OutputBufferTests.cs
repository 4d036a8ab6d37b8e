using StreamEngine.Connectors;
using Xunit;

namespace StreamEngine.Tests.Runtime;

public sealed class OutputBufferTests
{
    [Fact]
    public void It_doubles_as_far_as_arrays_go()
    {
        Assert.Equal(200, OutputBuffer.Grown(100, 101));
        Assert.Equal(500, OutputBuffer.Grown(100, 500));
        Assert.Equal(Array.MaxLength, OutputBuffer.Grown(1 << 30, (1 << 30) + 1));
        Assert.Equal(Array.MaxLength, OutputBuffer.Grown(Array.MaxLength - 1, Array.MaxLength));
        Assert.Throws<OverflowException>(() => OutputBuffer.Grown(1 << 30, 1L << 31));
    }
}
