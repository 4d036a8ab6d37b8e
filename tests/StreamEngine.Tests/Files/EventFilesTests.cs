using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Files;
using StreamEngine.Events;
using Xunit;

namespace StreamEngine.Tests.Files;

public sealed class EventFilesTests : IDisposable
{
    private static readonly EventSourceOptions Csv =
        new() { Name = "orders", Format = RecordFormat.Csv, Customer = "c", Id = "hash(c, t)", Time = new() { Field = "t" } };
    private static readonly EventSourceOptions Json = new() { Name = "clicks", Format = RecordFormat.Json };

    private readonly string _folder = Directory.CreateTempSubdirectory("files-test-").FullName;
    private readonly ConfigErrors _errors = new();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Folders_patterns_and_names_find_files_and_their_sources()
    {
        Write("b/2.csv", "t,c\n");
        Write("b/1.csv", "t,c\n");
        Write("b/.hidden", "t,c\n");
        Write("a.ndjson", "{}\n");
        Write("empty.csv", "");
        var files = EventFiles.Find([$"{_folder}/b", $"{_folder}/*.ndjson", $"orders={_folder}/?/1.csv", $"{_folder}/empty.csv"],
            [Csv, Json], _errors);
        Assert.Empty(_errors.All);
        Assert.Equal([("1.csv", 0), ("2.csv", 0), ("a.ndjson", 1), ("1.csv", 0)],
            files.Files.Select(f => (Path.GetFileName(f.Path), f.Source)));
        Assert.Equal(["t", "c"], files.Sources[0].Columns);
    }

    [Fact]
    public void Every_mistake_names_the_file()
    {
        Write("no-time.csv", "c,x\n");
        Write("a.json", "{}\n");
        EventFiles.Find([$"{_folder}/no-time.csv", $"{_folder}/none.csv", $"{_folder}/a.json"], [Csv, Csv with { Name = "more" }], _errors);
        EventFiles.Find([$"{_folder}/no-time.csv"], [Csv], _errors);
        EventFiles.Find([$"{_folder}/a.json"], [Csv], _errors);
        Assert.Equal(
            [
                "the file may belong to orders, more", "there is no such file", "no source has the format json",
                "the header 'c,x' lacks 't', which source 'orders' ((code)) reads", "the file looks like json, the source 'orders' is csv",
            ],
            _errors.All.Select(e => e.Message));
    }

    [Theory]
    [InlineData("t;c\n", "the header 't;c' lacks 'c', 't', which", "parted by ';'")]
    [InlineData("t\tc\n", "the header 't\\u0009c' lacks 'c', 't', which", "parted by tabs")]
    [InlineData("\u001b[2J\n", "the header '\\u001b[2J' lacks", "Name the columns")]
    public void A_header_that_does_not_fit_is_one_mistake_and_safe_to_print(string text, string message, string remedy)
    {
        Write("1.csv", text);
        EventFiles.Find([_folder], [Csv], _errors);
        var error = Assert.Single(_errors.All);
        Assert.StartsWith(message, error.Message, StringComparison.Ordinal);
        Assert.Contains(remedy, error.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("5B0A7B7D0A5D", "one JSON array")]
    [InlineData("5B7B7D5D", "one JSON array")]
    [InlineData("EFBBBF205B", "one JSON array")]
    [InlineData("504B030414", "a zip archive (or an Excel workbook)")]
    [InlineData("FFFE7B007D00", "UTF-16 text")]
    [InlineData("FEFF007B007D", "UTF-16 text")]
    [InlineData("63002C0074000A00", "UTF-16 text")]
    [InlineData("0063002C0074000A", "UTF-16 text")]
    [InlineData("50415231", "Parquet")]
    [InlineData("28B52FFD00", "packed by zstd")]
    [InlineData("632C7400", "no text")]
    [InlineData("7B0A20202261223A20310A7D", "JSON whose objects go over several lines")]
    public void A_file_of_another_kind_is_said_to_be_what_it_is(string bytes, string kind)
    {
        File.WriteAllBytes(Path.Combine(_folder, "x"), Convert.FromHexString(bytes));
        EventFiles.Find([_folder], [Csv], _errors);
        Assert.Equal($"the file is {kind}", Assert.Single(_errors.All).Message);
    }

    [Fact]
    public void One_damaged_record_makes_no_other_file_of_a_text()
    {
        Write("x", "t,c\n1709251200000,\0\n" + string.Concat(Enumerable.Repeat("1709251200000,a\n", 10)));
        Assert.Single(EventFiles.Find([_folder], [Csv], _errors).Files);
        Assert.Empty(_errors.All);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" \r\n\n\t")]
    [InlineData("\uFEFF\n")]
    public void A_blank_file_holds_nothing(string text)
    {
        Write("x", text);
        Assert.Empty(EventFiles.Find([_folder], [Json], _errors).Files);
        Assert.Empty(_errors.All);
    }

    [Fact]
    public void A_file_most_of_which_is_before_1990_is_told()
    {
        Write("seconds.csv", "t,c\n1709251200,a\n1709251201,b\n1709251200000,c\n");
        Write("millis.csv", "t,c\n1709251200000,a\n5,b\n");
        using var source = new EventFileSource(EventFiles.Find([_folder], [Csv], _errors), [new Decoder()], new FieldCatalog([]));
        source.Load();
        Assert.StartsWith($"{_folder}/seconds.csv: 2 of 3 records are from before 1990", Assert.Single(source.Early),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_long_header_is_cut()
    {
        Write("1.csv", new string('x', 10_000) + "\n");
        EventFiles.Find([_folder], [Csv], _errors);
        Assert.InRange(Assert.Single(_errors.All).Message.Length, 200, 300);
    }

    [Fact]
    public void An_unknown_source_and_an_empty_folder_are_told()
    {
        Write("1.csv", "t,c\n");
        Directory.CreateDirectory(Path.Combine(_folder, "none"));
        EventFiles.Find([$"foo={_folder}/1.csv", $"{_folder}/none"], [Csv], _errors);
        Assert.Equal(["there is no source 'foo'", "there is no file in this folder"], _errors.All.Select(e => e.Message));
    }

    [Fact]
    public void Configured_columns_mean_no_header_unless_the_first_line_says_the_same()
    {
        Write("with.csv", "t,c\n1,a\n");
        Write("without.csv", "2,b\n");
        var files = EventFiles.Find([$"{_folder}/with.csv", $"{_folder}/without.csv"], [Csv with { Columns = ["t", "c"] }], _errors);
        Assert.Empty(_errors.All);
        Assert.Equal("1,a 2,b", string.Join(' ', Read(files).Select(r => r.Value)));
    }

    [Fact]
    public void Any_header_gives_its_columns_or_an_error_that_names_them()
    {
        var names = Gen.Elements("t", "c", "c", "T", " t", "note", "", "t\"x", "no,te", "line\nbreak");
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(200).WithReplay(3, 1), Prop.ForAll(Arb.From(names.ArrayOf()), header =>
        {
            Write("h.csv", string.Join(',', header.Select(n => $"\"{n.Replace("\"", "\"\"", StringComparison.Ordinal)}\"")) + "\n1,a\n");
            var errors = new ConfigErrors();
            var files = EventFiles.Find([$"{_folder}/h.csv"], [Csv], errors);
            var wrong = new[] { "t", "c" }.Where(n => header.Count(h => h == n) != 1).ToList();
            if (wrong.Count == 0 && header.Length > 0)
            {
                Assert.Empty(errors.All);
                Assert.Equal(header, files.Sources[0].Columns);
            }
            else
            {
                var told = string.Join(' ', errors.All.Select(e => e.Message));
                Assert.All(wrong, n => Assert.Contains($"'{n}'", told, StringComparison.Ordinal));
            }
        }));
    }

    [Theory]
    [InlineData("c,t", "looks like a header")]
    [InlineData("t,c,note", "looks like a header")]
    [InlineData("t,customer", "looks like a header")]
    [InlineData("t,c", null)]
    [InlineData("T, C", null)]
    [InlineData("1,c", "looks like a header")]
    [InlineData("1,a", null)]
    [InlineData("7,x,t", null)]
    public void A_header_that_differs_from_the_configured_columns_is_told(string first, string? message)
    {
        Write("1.csv", first + "\n2,b\n");
        var files = EventFiles.Find([_folder], [Csv with { Columns = ["t", "c"] }], _errors);
        if (message is null) Assert.Empty(_errors.All);
        else Assert.Contains(message, Assert.Single(_errors.All).Message, StringComparison.Ordinal);
        Assert.Equal(char.IsAsciiDigit(first[0]) ? message is not null : true, files.Files[0].HasHeader);
    }

    [Fact]
    public void Configured_columns_that_are_read_have_names_of_their_own()
    {
        EventCatalog.Compile([Csv with { Columns = ["t", "c", "note", "note", "c"] }], [], new Events.Schemas(), "", _errors);
        Assert.Contains("'c' is there more than once", Assert.Single(_errors.All).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("**/*.csv", "1 2 3 4")]
    [InlineData("a/**/*.csv", "2 3 4")]
    [InlineData("a/**/c/*.csv", "4")]
    [InlineData("**", "1 2 3 4")]
    [InlineData("a/*/*.csv", "3")]
    [InlineData("**/b/**/4.csv", "4")]
    public void Two_stars_stand_for_any_number_of_folders(string pattern, string found)
    {
        foreach (var name in new[] { "1", "a/2", "a/b/3", "a/b/c/4", "a/.hidden/5", "a/b/.6" }) Write(name + ".csv", "t,c\n");
        var files = EventFiles.Find([$"{_folder}/{pattern}"], [Csv], _errors);
        Assert.Equal(found, string.Join(' ', files.Files.Select(f => Path.GetFileNameWithoutExtension(f.Path)).Order()));
    }

    [Fact]
    public void The_first_moment_of_1970_is_a_time()
    {
        Write("1.csv", "t,c\n5,a\n0,b\n-3,x\n7,y\n");
        Assert.Equal("-3,x 0,b 5,a 7,y", string.Join(' ', Read(EventFiles.Find([_folder], [Csv], _errors)).Select(r => r.Value)));
    }

    [Theory]
    [InlineData(";")]
    [InlineData("\\t")]
    public void Fields_may_be_separated_by_another_character(string separator)
    {
        var s = separator == ";" ? ';' : '\t';
        Write("a.csv", $"t{s}\"c\"{s}note\n7{s}b{s}\"x\n{s}y\"\n1{s}a{s}1,5\n");
        var files = EventFiles.Find([_folder], [Csv with { Separator = separator }], _errors);
        Assert.Empty(_errors.All);
        Assert.Equal(["t", "c", "note"], files.Sources[0].Columns);
        Assert.Equal([$"1{s}a{s}1,5", $"7{s}b{s}\"x\n{s}y\""], Read(files, decoder: new Decoder(s)).Select(r => r.Value));
        EventFiles.Find([_folder], [Csv], _errors);
        Assert.All(_errors.All, e => Assert.Contains("set the source's separator", e.Remedy, StringComparison.Ordinal));
        Assert.NotEmpty(_errors.All);
    }

    [Fact]
    public void A_second_file_with_another_header_is_an_error()
    {
        Write("1.csv", "t,c\n");
        Write("2.csv", "c,t\n");
        EventFiles.Find([_folder], [Csv], _errors);
        Assert.Contains("differs", Assert.Single(_errors.All).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1 << 20)]
    [InlineData(1)]
    public void Records_come_in_event_time_order_and_bad_ones_keep_their_place(long memory)
    {
        Write("1.csv", "t,c\n5,a\n7,b\nbad\n9,a\n");
        Write("2.csv", "t,c\n1,x\n7,y\n8,z\n");
        var files = EventFiles.Find([_folder], [Csv], _errors);
        var records = Read(files, memory);
        Assert.Equal("1,x 5,a 7,b bad 7,y 8,z 9,a", string.Join(' ', records.Select(r => r.Value)));
        Assert.Equal("x a b - y z a", string.Join(' ', records.Select(r => r.Key)));
        Assert.Equal([0, 1, 2, 3, 4, 5, 6], records.Select(r => r.Offset));
        Assert.Equal([1, 5, 7, 7, 7, 8, 9], records.Select(r => r.Time));
    }

    [Fact]
    public void Reading_stops_before_a_time()
    {
        Write("1.csv", "t,c\n5,a\n7,b\n9,a\n");
        using var source = new EventFileSource(EventFiles.Find([_folder], [Csv], _errors), [new Decoder()], new FieldCatalog([]));
        source.Load();
        var batch = new RecordBatch();
        Assert.True(source.Read(batch, 10, before: 7));
        Assert.Equal((1, 7L), (batch.Count, source.NextTime));
        Assert.False(source.Read(batch, 10, before: 7));
        Assert.True(source.Read(batch, 1));
        Assert.True(source.Read(batch, 1));
        Assert.False(source.Read(batch, 1));
        Assert.Null(source.NextTime);
    }

    private static List<(string Key, string Value, long Offset, long Time)> Read(EventFiles files, long memory = 1 << 20,
        Decoder? decoder = null)
    {
        using var source = new EventFileSource(files, [decoder ?? new Decoder()], new FieldCatalog([]), memory);
        source.Load();
        var batch = new RecordBatch();
        var records = new List<(string, string, long, long)>();
        while (source.Read(batch, 2))
            for (var i = 0; i < batch.Count; i++)
                records.Add((batch[i].Key.Length < 0 ? "-" : Encoding.UTF8.GetString(batch.Key(i)), Encoding.UTF8.GetString(batch.Value(i)),
                    batch[i].Offset, batch[i].Timestamp));
        return records;
    }

    private void Write(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    /// <summary>Reads "time,customer".</summary>
    private sealed class Decoder(char separator = ',') : IEventDecoder
    {
        public RejectReason Decode(byte[] buffer, Range32 value, Range32 key, Event target)
        {
            var text = Encoding.UTF8.GetString(buffer, value.Start, value.Length);
            var comma = text.IndexOf(separator, StringComparison.Ordinal);
            if (comma < 0) return RejectReason.Malformed;
            target.Time = long.Parse(text[..comma], CultureInfo.InvariantCulture);
            target.Customer.Set(buffer, value.Start + comma + 1, value.Length - comma - 1);
            return RejectReason.None;
        }
    }
}
