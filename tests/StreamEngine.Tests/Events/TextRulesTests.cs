using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Events.Decoding;
using Xunit;

namespace StreamEngine.Tests.Events;

/// <summary>What a source may say about its texts: words for nothing, decimal commas, a time zone, dots within names.</summary>
public sealed class TextRulesTests
{
    private static readonly EventSourceOptions Csv = new()
    {
        Name = "s",
        Format = RecordFormat.Csv,
        Columns = ["c", "t", "v", "n"],
        Separator = ";",
        Customer = "c",
        Id = "hash(c, t, n)",
        Time = new() { Field = "t" },
        Fields = [Decoding.Field("v", "decimal(2)"), Decoding.Field("n", "string"), Decoding.Field("d", "double", "v")],
    };

    [Fact]
    public void A_null_word_is_no_value_for_any_type()
    {
        var d = new Decoding(Csv with { Nulls = ["NULL", "\\N", "NaN"] });
        Assert.Equal(RejectReason.None, d.Decode("a;5;NaN;\\N"));
        Assert.False(d["v"].Present || d["n"].Present || d["d"].Present);
        Assert.Equal(RejectReason.None, d.Decode("a;5;1;null"));
        Assert.Equal("null", d.Text("n"));
        Assert.Equal(RejectReason.MissingCustomer, d.Decode("NULL;5;1;x"));
        Assert.Equal(RejectReason.MissingTime, d.Decode("a;NULL;1;x"));
        Assert.Equal(RejectReason.WrongType, new Decoding(Csv).Decode("a;5;NaN;x"));
    }

    [Theory]
    [InlineData("12,50", 1250L)]
    [InlineData("-0,5", -50L)]
    [InlineData(" 7 ", 700L)]
    [InlineData("1,25e2", 12_500L)]
    [InlineData("12.50", null)]
    [InlineData("1.234,50", null)]
    [InlineData("1,2,3", null)]
    public void A_decimal_comma_is_a_point_and_a_point_is_none(string text, long? cents)
    {
        var d = new Decoding(Csv with { DecimalComma = true });
        Assert.Equal(cents is null ? RejectReason.WrongType : RejectReason.None, d.Decode($"a;5;{text};x"));
        if (cents is not null) Assert.Equal((cents, cents / 100.0), (d["v"].Bits, d["d"].Double));
    }

    [Fact]
    public void A_number_of_JSON_has_a_point_whatever_its_texts_have()
    {
        var d = new Decoding(Csv with { Format = RecordFormat.Json, Separator = ",", DecimalComma = true, Nulls = ["5"] });
        Assert.Equal(RejectReason.None, d.Decode("""{ "c": "a", "t": 5, "v": 1.5 }"""));
        Assert.Equal(150, d["v"].Bits);
        Assert.Equal(RejectReason.None, d.Decode("""{ "c": "a", "t": 5, "v": "1,5" }"""));
        Assert.Equal(150, d["v"].Bits);
        Assert.Equal(RejectReason.WrongType, d.Decode("""{ "c": "a", "t": 5, "v": "1.5" }"""));
    }

    [Fact]
    public void Avro_has_none_of_it()
    {
        var errors = new ConfigErrors();
        var source = ShopEvents.Source with { Nulls = ["-"], DecimalComma = true, Encoding = TextEncoding.Latin1, Zone = "Mars/Olympus" };
        EventCatalog.Compile([source], ["personalization"], new Schemas(), "", errors);
        Assert.Equal(["Avro has no nulls", "Avro has no decimal_comma", "Avro has no encoding"],
            errors.All.Select(e => e.Message).Where(m => m.StartsWith("Avro has no", StringComparison.Ordinal)));
        Assert.Contains(errors.All, e => e.Message.Contains("the time zone 'Mars/Olympus' is not known", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Europe/Berlin")]
    [InlineData("America/New_York")]
    [InlineData("Asia/Kolkata")]
    [InlineData("Australia/Lord_Howe")]
    public void Local_times_are_those_of_the_zone(string name)
    {
        var zone = TimeZoneInfo.FindSystemTimeZoneById(name);
        string[] patterns = ["yyyy-MM-dd HH:mm:ss", "dd.MM.yyyy HH:mm"];
        TimeFormat[] formats = [TimeFormat.Compile(null, out _, zone)!, .. patterns.Select(p => TimeFormat.Compile(p, out _, zone)!)];
        var times = Arb.From(Gen.Choose(-10_000_000, 33_000_000));
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(2_000).WithReplay(8, 5), Prop.ForAll(times, minutes =>
        {
            var local = DateTime.UnixEpoch.AddMinutes(minutes);
            local = DateTime.SpecifyKind(local, DateTimeKind.Unspecified);
            if (zone.IsInvalidTime(local) || zone.IsAmbiguousTime(local)) return;
            var expected = new DateTimeOffset(TimeZoneInfo.ConvertTimeToUtc(local, zone)).ToUnixTimeMilliseconds();
            foreach (var (format, pattern) in formats.Zip(["yyyy-MM-dd'T'HH:mm:ss", .. patterns]))
            {
                Assert.True(format.TryText(Encoding.UTF8.GetBytes(local.ToString(pattern, CultureInfo.InvariantCulture)), out var ms));
                Assert.Equal(expected, ms);
            }
        }));
    }

    [Theory]
    [InlineData("2024-03-31T01:59:59", "2024-03-31T00:59:59Z")]
    [InlineData("2024-03-31T02:30:00", "2024-03-31T01:30:00Z")]
    [InlineData("2024-03-31T03:00:00", "2024-03-31T01:00:00Z")]
    [InlineData("2024-10-27T01:59:59", "2024-10-26T23:59:59Z")]
    [InlineData("2024-10-27T02:30:00", "2024-10-27T01:30:00Z")]
    [InlineData("2024-10-27T02:30:00+02:00", "2024-10-27T00:30:00Z")]
    [InlineData("2024-07-01", "2024-06-30T22:00:00Z")]
    [InlineData("2024-07-01T00:00:00Z", "2024-07-01T00:00:00Z")]
    [InlineData("1719784800000", "2024-06-30T22:00:00Z")]
    public void Clocks_that_are_put_forward_and_back(string local, string utc)
    {
        FieldOptions[] fields = [Decoding.Field("v", "timestamp"), Decoding.Field("n", "string")];
        var d = new Decoding(Csv with { Zone = "Europe/Berlin", Fields = fields });
        Assert.Equal(RejectReason.None, d.Decode($"a;{local};{local};x"));
        Assert.Equal(DateTimeOffset.Parse(utc, CultureInfo.InvariantCulture).ToUnixTimeMilliseconds(), d.Event.Time);
        Assert.Equal(d.Event.Time, d["v"].Bits);
    }

    [Fact]
    public void A_dot_within_a_name_is_written_with_a_backslash()
    {
        var json = Csv with
        {
            Format = RecordFormat.Json,
            Separator = ",",
            Customer = "user\\.id",
            Id = "hash(user\\.id)",
            Pii = ["who\\.mail"],
            Fields = [Decoding.Field("v", "int", "a\\.b.c"), Decoding.Field("w", "int", "a.b.c")],
        };
        var d = new Decoding(json);
        const string Record = """{"user.id":"x","t":5,"a.b":{"c":1},"a":{"b":{"c":2}},"who.mail":"m"}""";
        Assert.Equal(RejectReason.None, d.Decode(Record));
        Assert.Equal((1, 2), (d["v"].Bits, d["w"].Bits));
        Assert.Equal("x", Encoding.UTF8.GetString(d.Event.Customer.Text));
        var masked = new System.Buffers.ArrayBufferWriter<byte>();
        Assert.True(d.Catalog.TryMask(0, Encoding.UTF8.GetBytes(Record), masked));
        Assert.Contains("\"who.mail\":\"***\"", Encoding.UTF8.GetString(masked.WrittenSpan), StringComparison.Ordinal);
        var csv = new Decoding(Csv with { Columns = ["user.id", "t", "v", "n"], Customer = "user.id", Id = "hash(user.id)" });
        Assert.Equal(RejectReason.None, csv.Decode("x;5;1;y"));
    }

    [Fact]
    public void Nothing_is_allocated_per_event()
    {
        var d = new Decoding(Csv with { Nulls = ["NULL"], DecimalComma = true, Zone = "Europe/Berlin" });
        var line = "a;2024-03-31T02:30:00;12,50;NULL"u8.ToArray();
        void Run()
        {
            for (var i = 0; i < 1_000; i++)
            {
                d.Event.BeginBatch();
                d.Event.Clear();
                Assert.True(d.Decode(line, new Range32(0, line.Length), d.Event) == RejectReason.None);
            }
        }
        Run();
        Assert.Equal(0, StreamEngine.Testing.Allocations.Least(Run));
    }
}
