using System.Security.Cryptography;
using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Events.Tables;
using Xunit;

namespace StreamEngine.Tests.Tables;

/// <summary>What files of tables may be, and what is told of those that can't be used.</summary>
public sealed class TableFileTests : IDisposable
{
    private readonly TableFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("t.csv", "sku,margin\na,0.5\nb,\n")]
    [InlineData("t.csv.gz", "margin,other,sku\r\n0.5,x,a\r\n\r\n,x,b\r\n")]
    [InlineData("t.txt", "{\"sku\":\"a\",\"margin\":0.5}\n{\"margin\":null,\"sku\":\"b\"}")]
    [InlineData("t.gz", "{\"sku\":\"a\",\"margin\":\"0.5\",\"more\":{}}\n\n{\"sku\":\"b\"}\n")]
    public void Csv_and_ndjson_are_told_by_what_is_in_them(string file, string text)
    {
        _folder.Write(file, text);
        var table = Read(Options(file));
        Assert.Equal((2, 0.5), (table.Rows, Margin(table, "a")));
        Assert.Null(Margin(table, "b"));
        Assert.Equal(-1, table.Find(Key("c")));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(_folder.At(file)))), table.Sha256);
    }

    [Fact]
    public void Separator_encoding_words_for_nothing_and_the_decimal_comma_are_those_of_sources()
    {
        _folder.Write("t.csv", Encoding.Latin1.GetBytes("Größe;margin\nä;0,25\nö;NULL\n"));
        var table = Read(Options("t.csv") with
        {
            Key = new() { Field = "Größe" },
            Separator = ";",
            Encoding = TextEncoding.Latin1,
            Nulls = ["NULL"],
            DecimalComma = true
        });
        Assert.Equal(0.25, Margin(table, "ä"));
        Assert.True(table.Find(Key("ö")) >= 0);
        Assert.Null(Margin(table, "ö"));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(_folder.At("t.csv")))), table.Sha256);
    }

    [Fact]
    public void A_table_without_rows_is_empty()
    {
        _folder.Write("t.csv", "sku,margin\n");
        Assert.Equal((0, -1), (Read(Options("t.csv")).Rows, Read(Options("t.csv")).Find(Key("a"))));
    }

    [Fact]
    public void Every_row_at_fault_is_told_with_its_line()
    {
        _folder.Write("t.csv", "sku,margin\na,0.5\n\nb,dear\na,1\n,2\n\"c\nd\",3\ne\nf,1,2\n\"c\nd\",x\na,7\n");
        Assert.Equal(
        [
            "t.csv:4:1: tables.t: field 'margin': 'dear' is not a finite number. Mend the row, or declare its fields as what they are.",
            "t.csv:5:1: tables.t: the key 'a' is there already, in line 2. Leave one row of each key.",
            "t.csv:6:1: tables.t: the row has no key: there is no value in 'sku'. Mend the row, or declare its fields as what they are.",
            "t.csv:9:1: tables.t: the line has 1 fields, there are 2 columns. Mend the row, or declare its fields as what they are.",
            "t.csv:10:1: tables.t: the line has 3 fields, there are 2 columns. Mend the row, or declare its fields as what they are.",
            "t.csv:11:1: tables.t: field 'margin': 'x' is not a finite number. Mend the row, or declare its fields as what they are.",
            "t.csv:13:1: tables.t: the key 'a' is there already, in line 2. Leave one row of each key.",
        ], Mistakes(Options("t.csv")));
    }

    [Fact]
    public void A_row_that_is_too_long_is_refused_and_not_cut()
    {
        var pad = new string('x', (1 << 20) - 6);
        _folder.Write("t.csv", $"sku,margin,pad\na,1,{pad}xx\nb,2,{pad}xxx\nc,3,{pad}xxxx\nd,4,\n");
        Assert.Equal(["t.csv:3:1: tables.t: the row is longer than 1 MiB. Take out columns that are not looked up.",
            "t.csv:4:1: tables.t: the row is longer than 1 MiB. Take out columns that are not looked up."], Mistakes(Options("t.csv")));
        _folder.Write("t.csv", $"sku,margin,{pad}\na,1,\n");
        Assert.Equal(["t.csv:1:1: tables.t: the header is longer than 1 MiB. Take out columns that are not looked up."],
            Mistakes(Options("t.csv")));
    }

    [Fact]
    public void Fields_may_have_names_that_an_events_field_can_t_have()
    {
        _folder.Write("t.csv", "sku,type,time,key,f0\na,boots,2024-01-15T20:00:00,k,f\n");
        var table = Read(Options("t.csv") with
        {
            Fields = [.. new[] { ("time", "timestamp"), ("type", "string"), ("key", "string"), ("f0", "string") }
                .Select(f => new TableFieldOptions { Name = f.Item1, Type = f.Item2 })],
        });
        var fields = table.Shape.Fields.Fields;
        Assert.Equal(["time", "type", "key", "f0"], fields.Select(f => f.Name));
        Assert.Equal(["1705348800000", "'boots'", "'k'", "'f'"], fields.Select(f =>
        {
            var value = default(FieldValue);
            return table.TryGet(table.Find(Key("a")), f.Index, ref value) ? TableFolder.Show(value, f) : "-";
        }));
    }

    [Fact]
    public void A_file_that_is_encoded_otherwise_names_the_tables_encoding()
    {
        const string Remedy = "Set the table's encoding: latin1, windows1252 or utf16, or save the file as UTF-8.";
        _folder.Write("t.csv", Encoding.Latin1.GetBytes("sku,margin\nä,1\n"));
        Assert.EndsWith($"is not UTF-8. {Remedy}", Assert.Single(Mistakes(Options("t.csv"))), StringComparison.Ordinal);
        _folder.Write("t.csv", Encoding.Latin1.GetBytes("Größe,margin\na,1\n"));
        Assert.EndsWith($"has no column 'Größe'. The file is not UTF-8. {Remedy}",
            Assert.Single(Mistakes(Options("t.csv") with { Key = new() { Field = "Größe" } })), StringComparison.Ordinal);
        _folder.Write("t.csv", Encoding.Unicode.GetBytes("\uFEFFsku,margin\na,1\n"));
        Assert.Equal("t.csv: tables.t: the file is UTF-16 text. Set the table's encoding: utf16, or save it as UTF-8.",
            Assert.Single(Mistakes(Options("t.csv"))));
        _folder.Write("t.csv", "sku,margin\na,1\n");
        Assert.Equal("t.csv: tables.t: the file is no UTF-16 text. Take the table's 'encoding' out, or set what it is.",
            Assert.Single(Mistakes(Options("t.csv") with { Encoding = TextEncoding.Utf16 })));
    }

    [Fact]
    public void Keys_that_are_numbers_are_compared_as_numbers()
    {
        _folder.Write("t.csv", "sku,margin\n7,0.5\n007,1\n7.0,2\nx,3\n8.5,4\n-1,5\n");
        Assert.Equal(
        [
            "t.csv:3:1: tables.t: the key '007' is there already, in line 2. Leave one row of each key.",
            "t.csv:4:1: tables.t: the key '7.0' is there already, in line 2. Leave one row of each key.",
            "t.csv:5:1: tables.t: field 'sku': 'x' is not a whole number of 64 bits. Mend the row, or declare its fields as what they are.",
            "t.csv:6:1: tables.t: field 'sku': '8.5' is not a whole number of 64 bits. "
                + "Mend the row, or declare its fields as what they are.",
        ], Mistakes(Options("t.csv") with { Key = new() { Field = "sku", Type = "int" } }));
    }

    [Fact]
    public void Of_many_mistakes_the_first_are_told_and_the_others_counted()
    {
        _folder.Write("t.csv", "sku,margin\n" + string.Concat(Enumerable.Range(0, 50).Select(i => $"{i},x\n")));
        var mistakes = Mistakes(Options("t.csv"));
        Assert.Equal(21, mistakes.Count);
        Assert.StartsWith("t.csv: tables.t: 30 more of its rows can't be used.", mistakes[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sku;margin\na;1\n", "t.csv:1:1: tables.t: the header 'sku;margin' has no column 'sku' (its columns seem to be parted "
        + "otherwise: set the table's 'separator'). ")]
    [InlineData("SKU,margin\na,1\n", "t.csv:1:1: tables.t: the header 'SKU,margin' has no column 'sku' (did you mean 'SKU'). ")]
    [InlineData("sku,cost\na,1\n", "t.csv:1:1: tables.t: the header 'sku,cost' has no column 'margin'. ")]
    [InlineData("sku,margin,sku\na,1,b\n", "t.csv:1:1: tables.t: the header 'sku,margin,sku' has the column 'sku' more than once. ")]
    [InlineData("", "t.csv: tables.t: the file is empty. ")]
    [InlineData("[{\"sku\":1}]", "t.csv: tables.t: the file is one JSON array. Write one object a line: jq -c '.[]' turns ")]
    [InlineData("PAR1", "t.csv: tables.t: the file is Parquet. Export it as CSV or NDJSON.")]
    [InlineData("Obj\u0001", "t.csv: tables.t: the file is an Avro container. ")]
    public void A_file_of_another_kind_is_told(string text, string mistake)
    {
        _folder.Write("t.csv", text);
        Assert.StartsWith(mistake, Mistakes(Options("t.csv"))[0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_not_there_or_is_cut_off_is_told_at_the_option()
    {
        Assert.Contains("the file of the table 't' is not there: ", Assert.Single(Mistakes(Options("none.csv"))), StringComparison.Ordinal);
        _folder.Write("t.gz", "sku,margin\n"
            + string.Concat(Enumerable.Range(0, 5_000).Select(i => $"{i * 7919 % 99991}-{i},{i}\n")));
        File.WriteAllBytes(_folder.At("t.gz"), File.ReadAllBytes(_folder.At("t.gz"))[..^100]);
        Assert.Contains("ends in the middle of its gzip stream", Assert.Single(Mistakes(Options("t.gz"))), StringComparison.Ordinal);
        Assert.Contains("the file of the table 't' can't be read: ", Assert.Single(Mistakes(Options("t.gz"))), StringComparison.Ordinal);
    }

    private static TableOptions Options(string file) => new()
    {
        Name = "t",
        File = file,
        Key = new TableKeyOptions { Field = "sku" },
        Fields = [new TableFieldOptions { Name = "margin", Type = "double" }],
    };

    private LookupTable Read(TableOptions options)
    {
        var errors = new ConfigErrors();
        var table = _folder.Read(options, errors);
        errors.ThrowIfAny();
        return table!;
    }

    private List<string> Mistakes(TableOptions options)
    {
        var errors = new ConfigErrors();
        Assert.Null(_folder.Read(options, errors));
        return [.. errors.All.Select(e => e.ToString().Replace(_folder.Path + "/", "", StringComparison.Ordinal))];
    }

    private static FieldValue Key(string text)
    {
        var (value, bytes) = (default(FieldValue), Encoding.UTF8.GetBytes(text));
        value.Set(bytes, 0, bytes.Length);
        return value;
    }

    private static double? Margin(LookupTable table, string key)
    {
        var value = default(FieldValue);
        return table.TryGet(table.Find(Key(key)), 0, ref value) ? value.Double : null;
    }
}
