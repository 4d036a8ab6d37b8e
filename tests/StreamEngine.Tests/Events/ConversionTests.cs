using System.Globalization;
using System.Numerics;
using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Events.Decoding;
using Xunit;

namespace StreamEngine.Tests.Events;

/// <summary>Fixed point and times from text and binary.</summary>
public sealed class ConversionTests
{
    [Theory]
    [InlineData("12.345", 2, 1234L, false)]
    [InlineData("12.355", 2, 1236L, false)]
    [InlineData("-12.345", 2, -1234L, false)]
    [InlineData("12.3450000001", 2, 1235L, false)]
    [InlineData("1e3", 2, 100_000L, true)]
    [InlineData("1.5E-1", 1, 2L, false)]
    [InlineData("+.5", 1, 5L, true)]
    [InlineData("0e99999", 2, 0L, true)]
    [InlineData("1e-99999", 2, 0L, false)]
    [InlineData("9223372036854775807", 0, long.MaxValue, true)]
    [InlineData("-9223372036854775808", 0, long.MinValue, true)]
    [InlineData("92233720368547758.07", 2, long.MaxValue, true)]
    public void DecimalsAreReadExactlyAndRoundedHalfToEven(string text, int scale, long value, bool exact)
    {
        Assert.True(DecimalMath.TryParse(Encoding.UTF8.GetBytes(text), scale, out var read, out var wasExact));
        Assert.Equal((value, exact), (read, wasExact));
    }

    [Theory]
    [InlineData("9223372036854775808")]
    [InlineData("1e19")]
    [InlineData("1e400")]
    [InlineData("123456789012345678901234567890123456789012")]
    [InlineData("")]
    [InlineData("-")]
    [InlineData(".")]
    [InlineData("1.2.3")]
    [InlineData("1e")]
    [InlineData("1 ")]
    [InlineData("0x1")]
    public void WhatIsNoNumberOrTooLargeIsRefused(string text) =>
        Assert.False(DecimalMath.TryParse(Encoding.UTF8.GetBytes(text), 0, out _, out _));

    [Fact]
    public void BigEndianDecimalsAgreeWithBigInteger()
    {
        var random = new Random(3);
        for (var i = 0; i < 2_000; i++)
        {
            var unscaled = new BigInteger(random.NextInt64(long.MinValue, long.MaxValue)) >> random.Next(64);
            var from = random.Next(10);
            var to = random.Next(10);
            byte[] bytes = [.. Enumerable.Repeat((byte)(unscaled.Sign < 0 ? 0xff : 0), random.Next(20)),
                .. unscaled.ToByteArray(isBigEndian: true)];
            Assert.True(DecimalMath.TryBigEndian(bytes, out var read));
            Assert.Equal(unscaled, read);
            var expected = to >= from ? unscaled * BigInteger.Pow(10, to - from) : HalfEven(unscaled, BigInteger.Pow(10, from - to));
            var fits = expected >= long.MinValue && expected <= long.MaxValue;
            Assert.Equal(fits, DecimalMath.TryRescale(read, from, to, out var value, out _));
            if (fits) Assert.Equal(expected, value);
        }
        Assert.False(DecimalMath.TryBigEndian([1, .. new byte[16]], out _));
    }

    [Theory]
    [InlineData("1970-01-01", 0L)]
    [InlineData("1969-12-31T23:59:59.999Z", -1L)]
    [InlineData("2024-02-29 12:34:56,789123", 1709210096789L)]
    [InlineData("2024-02-29T12:34+0530", 1709190240000L)]
    [InlineData("2016-12-31T23:59:60Z", 1483228800000L)]
    public void IsoTimesAreRead(string text, long ms)
    {
        Assert.True(TimeText.TryIso(Encoding.UTF8.GetBytes(text), out var read));
        Assert.Equal(ms, read);
    }

    [Theory]
    [InlineData("2023-02-29")]
    [InlineData("2024-1-1")]
    [InlineData("2024-01-01T25:00")]
    [InlineData("2024-01-01T00:00:00Zx")]
    [InlineData("2024-01-01T")]
    [InlineData("0000-01-01")]
    [InlineData("20240101")]
    public void WhatIsNoTimeIsRefused(string text) => Assert.False(TimeText.TryIso(Encoding.UTF8.GetBytes(text), out _));

    [Theory]
    [InlineData("yyyy-MM-dd HH:mm:ss")]
    [InlineData("M/d/yyyy H:mm")]
    [InlineData("dd.MM.yy hh:mm:ss.fff tt")]
    [InlineData("d MMM yyyy 'at' HH'h'mm")]
    [InlineData("yyyy-MM-ddTHH:mm:sszzz")]
    public void PatternsAgreeWithDotNet(string pattern)
    {
        var random = new Random(11);
        var compiled = TimePattern.Compile(pattern, out var problem);
        Assert.True(compiled is not null, problem);
        for (var i = 0; i < 500; i++)
        {
            var time = DateTimeOffset.FromUnixTimeMilliseconds(random.NextInt64(0, 2_500_000_000_000))
                .ToOffset(TimeSpan.FromMinutes(pattern.Contains('z') ? random.Next(-700, 700) : 0));
            var text = time.ToString(pattern, CultureInfo.InvariantCulture);
            var expected = DateTimeOffset.ParseExact(text, pattern, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal)
                .ToUnixTimeMilliseconds();
            Assert.True(compiled.TryParse(Encoding.UTF8.GetBytes(text), out var ms), text);
            Assert.Equal(expected, ms);
            for (var cut = 0; cut < text.Length; cut++) compiled.TryParse(Encoding.UTF8.GetBytes(text[..cut]), out _);
        }
    }

    [Theory]
    [InlineData("HH:mm", "no year")]
    [InlineData("yyyy-QQ", "'QQ'")]
    [InlineData("yyyy 'x", "quote")]
    public void WrongPatternsAreToldApart(string pattern, string reason)
    {
        Assert.Null(TimePattern.Compile(pattern, out var problem));
        Assert.Contains(reason, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void UnitsRoundDownAndStayInRange()
    {
        Assert.True(TimeFormat.Compile("micros", out _)!.TryNumber(-1L, out var ms));
        Assert.Equal(-1, ms);
        Assert.True(TimeFormat.Compile("seconds", out _)!.TryText("1700000000.1234"u8, out ms));
        Assert.Equal(1_700_000_000_123, ms);
        Assert.False(TimeFormat.Compile("seconds", out _)!.TryNumber(1_700_000_000_000, out _));
        Assert.False(TimeFormat.Compile("seconds", out _)!.TryNumber(long.MinValue, out _));
        Assert.False(TimeFormat.Auto.TryNumber(long.MaxValue, out _));
        Assert.False(TimeFormat.Compile("iso", out _)!.TryNumber(5L, out _));
    }

    private static BigInteger HalfEven(BigInteger value, BigInteger unit)
    {
        var quotient = BigInteger.DivRem(BigInteger.Abs(value), unit, out var rest);
        if (rest * 2 > unit || rest * 2 == unit && !quotient.IsEven) quotient++;
        return value.Sign * quotient;
    }
}
