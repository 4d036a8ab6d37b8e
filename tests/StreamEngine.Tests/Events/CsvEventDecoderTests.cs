using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Events;
using Xunit;

namespace StreamEngine.Tests.Events;

/// <summary>CSV lines to events.</summary>
public sealed class CsvEventDecoderTests
{
    private static readonly EventSourceOptions Source = new()
    {
        Name = "sale",
        Topic = "sales",
        Format = RecordFormat.Csv,
        Columns = ["Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID"],
        Customer = "Customer ID",
        Id = "hash(Invoice, StockCode, quantity)",
        Time = new TimeFieldOptions { Field = "InvoiceDate", Format = "yyyy-MM-dd HH:mm:ss" },
        Fields = [Decoding.Field("text", "string", "Description"), Decoding.Field("quantity", "int", "Quantity"),
            Decoding.Field("price", "decimal(2)", "Price")],
    };

    [Fact]
    public void ALineIsRead()
    {
        var d = new Decoding(Source);
        Assert.Equal(RejectReason.None, d.Decode("536365,22752,\"SET 7, \"\"BABUSHKA\"\" BOXES\",-2,2010-12-01 08:26:00,7.65,17850.0\r\n"));
        Assert.Equal("17850.0", Encoding.UTF8.GetString(d.Event.Customer.Text));
        Assert.Equal("SET 7, \"BABUSHKA\" BOXES", d.Text("text"));
        Assert.Equal(-2, d["quantity"].Bits);
        Assert.Equal(765, d["price"].Bits);
        Assert.Equal(DateTimeOffset.Parse("2010-12-01T08:26:00Z").ToUnixTimeMilliseconds(), d.Event.Time);
        var hash = d.Event.IdHash;
        Assert.Equal(RejectReason.None, d.Decode("536365,22752,other,-2,2010-12-01 08:26:00,1,17850.0"));
        Assert.Equal(hash, d.Event.IdHash);
        Assert.Equal(RejectReason.None, d.Decode("53636,522752,other,-2,2010-12-01 08:26:00,1,17850.0"));
        Assert.NotEqual(hash, d.Event.IdHash);
    }

    [Theory]
    [InlineData("1,2,a,3,2010-12-01 08:26:00,1,", RejectReason.MissingCustomer)]
    [InlineData("1,2,a,3,,1,c", RejectReason.MissingTime)]
    [InlineData(",,a,,2010-12-01 08:26:00,1,c", RejectReason.MissingId)]
    [InlineData("1,2,a,3.5,2010-12-01 08:26:00,1,c", RejectReason.WrongType)]
    [InlineData("1,2,a,3,2010-13-01 08:26:00,1,c", RejectReason.WrongType)]
    [InlineData("1,2,6\" rule,3,2010-12-01 08:26:00,1,c", RejectReason.None)]
    [InlineData("1,2,\"a\nb\",3,2010-12-01 08:26:00,1,c", RejectReason.None)]
    [InlineData("1,2,\"a,3,2010-12-01 08:26:00,1,c", RejectReason.Malformed)]
    [InlineData("1,2,\"a\"b,3,2010-12-01 08:26:00,1,c", RejectReason.Malformed)]
    [InlineData("1,2,a,3,2010-12-01 08:26:00,1", RejectReason.Malformed)]
    [InlineData("1,2,a,3,2010-12-01 08:26:00,1,c,d", RejectReason.Malformed)]
    public void FaultsHaveReasons(string line, RejectReason reason) => Assert.Equal(reason, new Decoding(Source).Decode(line));

    [Theory]
    [InlineData(";")]
    [InlineData("\\t")]
    [InlineData("\t")]
    [InlineData("|")]
    [InlineData(" ")]
    public void FieldsMayBeSeparatedByAnotherCharacter(string separator)
    {
        var source = Source with
        {
            Separator = separator,
            Time = new TimeFieldOptions { Field = "InvoiceDate", Format = "iso" },
            Id = "hash(Invoice)",
            Pii = ["StockCode"]
        };
        var d = new Decoding(source);
        var line = "536365~\"22~752\"~\"SET 7, \"\"BOXES\"\"\"~-2~2010-12-01T08:26:00~7.65~17,0".Replace('~', separator == "\\t" ? '\t'
            : separator[0]);
        Assert.Equal(RejectReason.None, d.Decode(line));
        Assert.Equal("17,0", Encoding.UTF8.GetString(d.Event.Customer.Text));
        Assert.Equal("SET 7, \"BOXES\"", d.Text("text"));
        Assert.Equal(765, d["price"].Bits);
        Assert.Equal(RejectReason.Malformed, d.Decode(line.Replace(line[6], ',')));
        var masked = new System.Buffers.ArrayBufferWriter<byte>();
        Assert.True(d.Catalog.TryMask(0, Encoding.UTF8.GetBytes(line), masked));
        Assert.Equal(line.Replace(line[7..15], "***"), Encoding.UTF8.GetString(masked.WrittenSpan));
    }

    [Theory]
    [InlineData("", RecordFormat.Csv, "can't separate")]
    [InlineData(";;", RecordFormat.Csv, "can't separate")]
    [InlineData("\"", RecordFormat.Csv, "can't separate")]
    [InlineData("\n", RecordFormat.Csv, "can't separate")]
    [InlineData("é", RecordFormat.Csv, "can't separate")]
    [InlineData(";", RecordFormat.Json, "only CSV")]
    public void ASeparatorThatCannotBeIsAMistake(string separator, RecordFormat format, string message)
    {
        var errors = new ConfigErrors();
        EventCatalog.Compile([Source with { Separator = separator, Format = format }], [], new Schemas(), "", errors);
        Assert.Contains(message, Assert.Single(errors.All).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void BadUtf8IsFoundAndAFilesHeaderNamesColumns()
    {
        var line = "1,2,é,3,2010-12-01 08:26:00,1,c"u8.ToArray();
        line[4] = 0xff;
        var d = new Decoding(Source);
        Assert.Equal(RejectReason.BadUtf8, d.Decode(line));
        var decoder = d.Catalog.Sources[0].CreateDecoder(["Customer ID", "Invoice", "InvoiceDate"]);
        var swapped = "c,1,2010-12-01 08:26:00"u8.ToArray();
        d.Event.Clear();
        Assert.Equal(RejectReason.None, decoder.Decode(swapped, new Range32(0, swapped.Length), new Range32(0, -1), d.Event));
        Assert.Equal("c"u8.ToArray(), d.Event.Customer.Text.ToArray());
    }
}
