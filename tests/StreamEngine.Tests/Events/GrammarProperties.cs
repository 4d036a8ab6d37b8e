using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Events.Decoding;
using Xunit;

namespace StreamEngine.Tests.Events;

/// <summary>One grammar for a number and one for a time, whatever the type, the format or the command that reads it.</summary>
public sealed class GrammarProperties
{
    private static readonly Config Config = Config.QuickThrowOnFailure.WithMaxTest(2_000);

    [Fact]
    public void Every_number_type_takes_the_same_texts()
    {
        var pieces = Gen.Elements("1", "0", "7", "25", ".", "-", "+", "e", "E", "2", " ", "\t", "\0", "\u00a0", ",", "_", "x",
            "Infinity", "NaN", "0x", "−");
        Check.One(Config.WithReplay(3, 5), Prop.ForAll(Arb.From(pieces.ArrayOf().Resize(6)), p =>
        {
            var text = string.Concat(p);
            var wanted = IsNumber(text.Trim(' ', '\t'));
            Assert.True(wanted == Reads("double", text), $"double '{text}'");
            Assert.True(wanted == Reads("decimal(2)", text), $"decimal '{text}'");
            // An int takes those numbers that are whole.
            if (!wanted || decimal.Parse(text.Trim(' ', '\t'), NumberStyles.Float, CultureInfo.InvariantCulture) % 1 == 0)
                Assert.True(wanted == Reads("int", text), $"int '{text}'");
        }));

        static bool IsNumber(string text) =>
            System.Text.RegularExpressions.Regex.IsMatch(text, @"\A[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\z")
            && Math.Abs(double.Parse(text, CultureInfo.InvariantCulture)) is < 1e15 and (0 or > 1e-12);
    }

    [Fact]
    public void Numbers_mean_what_the_runtime_says_they_mean()
    {
        var number = from whole in Gen.Choose(-99_999, 99_999)
                     from digits in Gen.Choose(0, 99)
                     from exponent in Gen.Choose(-3, 3)
                     from blank in Gen.Elements("", " ", "\t ")
                     select $"{blank}{whole}.{digits:D2}e{exponent}{blank}";
        Check.One(Config.WithReplay(9, 1), Prop.ForAll(Arb.From(number), text =>
        {
            var expected = decimal.Parse(text.Trim(), NumberStyles.Float, CultureInfo.InvariantCulture);
            Assert.Equal((double)expected, Value("double", text).Double);
            Assert.Equal((long)Math.Round(expected * 100_000), Value("decimal(5)", text).Bits);
        }));
    }

    [Fact]
    public void Times_without_a_format_are_the_same_for_events_of_every_format_labels_and_options()
    {
        var time = from ms in Gen.Choose(-2_000_000, 2_000_000).Select(s => s * 1_000L + 1_700_000_000_000)
                   from form in Gen.Elements<Func<long, string>>(
                       m => m.ToString(CultureInfo.InvariantCulture), m => $"{m}.0", m => m.ToString("E15", CultureInfo.InvariantCulture),
                       m => $" {m} ", m => Iso(m, "yyyy-MM-dd'T'HH:mm:ss.FFF'Z'"), m => Iso(m, "yyyy-MM-dd HH:mm:sszzz"),
                       m => Iso(m, "yyyy-MM-dd'T'HH:mm:ss") + " ", m => Iso(m, "yyyy-MM-dd'T'HH:mm:60"),
                       m => Iso(m, "yyyy-MM-dd'T24:00:00Z'"),
                       m => Iso(m, "yyyyMMdd"), m => Iso(m, "yyyyMMddHHmmss"), m => "soon", m => $"{m}x")
                   select form(ms);
        Check.One(Config.WithReplay(2, 9), Prop.ForAll(Arb.From(time), text =>
        {
            var expected = TimeFormat.Auto.TryText(Encoding.UTF8.GetBytes(text), out var ms) ? ms : (long?)null;
            Assert.Equal(expected, Value("timestamp", text) is { Present: true } v ? v.Bits : null);
            Assert.Equal(expected, ScalarText.Time(text)?.ToUnixTimeMilliseconds());
            // As a bare JSON number, where it is one.
            if (text.All(c => char.IsAsciiDigit(c) || c is '.' or 'E' or '+'))
                Assert.Equal(expected, Json("timestamp", text) is { Present: true } j ? j.Bits : null);
        }));

        static string Iso(long ms, string format) =>
            DateTimeOffset.FromUnixTimeMilliseconds(ms).ToString(format, CultureInfo.InvariantCulture);
    }

    [Theory]
    [InlineData("2024-03-01T24:00:00", 1_709_337_600_000L)]
    [InlineData("2016-12-31T23:59:60Z", 1_483_228_800_000L)]
    [InlineData("1709287200000.0", 1_709_287_200_000L)]
    [InlineData("1.7092872e12", 1_709_287_200_000L)]
    [InlineData("0", 0L)]
    [InlineData("-1", -1L)]
    [InlineData("253402300799999", 253_402_300_799_999L)]
    [InlineData("253402300800000", null)]
    [InlineData("1e300", null)]
    [InlineData("20240305", null)]
    [InlineData("20240305103000", null)]
    [InlineData("20240305.0", null)]
    [InlineData("2.0240305E7", null)]
    [InlineData("20241305", 20_241_305L)]
    [InlineData("20241305.0", 20_241_305L)]
    [InlineData("2024-03-05T24:00:01", null)]
    [InlineData("2024-03-05T10:60", null)]
    public void Times_at_the_edges(string text, long? ms)
    {
        Assert.Equal(ms, Value("timestamp", text) is { Present: true } v ? v.Bits : null);
        Assert.Equal(ms, ScalarText.Time(text)?.ToUnixTimeMilliseconds());
        if (long.TryParse(text, out var number)) Assert.Equal(ms is not null, TimeFormat.Auto.TryNumber(number, out _));
        if (double.TryParse(text, CultureInfo.InvariantCulture, out var real) && Math.Abs(real) < 1e14)
            Assert.Equal(ms, TimeFormat.Auto.TryNumber(real, out var read) ? read : null);
    }

    [Theory]
    [InlineData("yyyy-MM-dd HH:mm:ss.FFF")]
    [InlineData("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'")]
    [InlineData("yyyy-MM-dd HH:mm:ss.FFF 'UTC'")]
    [InlineData("yyyy-MM-dd HH:mm:ss.fff")]
    [InlineData("yyyyMMdd.FF")]
    public void A_fraction_and_its_point_are_left_out_as_in_dotnet(string pattern)
    {
        var compiled = TimePattern.Compile(pattern, out _)!;
        var times = from s in Gen.Choose(0, 2_000_000_000)
                    from ms in Gen.Elements(0, 0, 5, 50, 123, 500, 999)
                    from damage in Gen.Choose(-20, 20)
                    let time = DateTimeOffset.FromUnixTimeSeconds(s).AddMilliseconds(ms)
                    select (Text: time.ToString(pattern, CultureInfo.InvariantCulture), damage);
        Check.One(Config.WithMaxTest(500).WithReplay(4, 7), Prop.ForAll(Arb.From(times), t =>
        {
            var text = t.damage > 0 && t.damage < t.Text.Length ? t.Text.Remove(t.damage, 1) : t.Text;
            var expected = DateTimeOffset.TryParseExact(text, pattern, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal,
                out var read);
            // Of a fraction any number of digits is taken, more than the pattern has and fewer.
            if (!expected && pattern.Contains('f', StringComparison.OrdinalIgnoreCase) && t.damage > 0) return;
            Assert.True(expected == compiled.TryParse(Encoding.UTF8.GetBytes(text), out var ms), text);
            if (expected) Assert.Equal(read.ToUnixTimeMilliseconds(), ms);
        }));
    }

    private static bool Reads(string type, string text) => Value(type, text).Present;

    private static FieldValue Value(string type, string text)
    {
        var value = default(FieldValue);
        var bytes = Encoding.UTF8.GetBytes(text);
        Assert.True(FieldTypeText.TryParse(type, out var field, out var scale, out var time, out _));
        Conversion.FromText(new Target(0, "v", field, scale, time), bytes, 0, bytes.Length, ref value);
        return value;
    }

    private static FieldValue Json(string type, string number)
    {
        var d = new Decoding(new()
        {
            Name = "e",
            Format = RecordFormat.Json,
            Customer = "$key",
            Id = "hash(v)",
            Time = new() { Field = "$timestamp" },
            Fields = [Decoding.Field("v", type)]
        });
        d.Decode($"{{\"v\":{number}}}", "k");
        return d["v"];
    }
}
