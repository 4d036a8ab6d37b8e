using System.IO.Compression;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using StreamEngine.Connectors.Files;
using Xunit;

namespace StreamEngine.Tests.Files;

public sealed class LineFileTests
{
    [Theory]
    [InlineData("a\nb\n", "a|b")]
    [InlineData("a\r\nb", "a|b")]
    [InlineData("\n\r\na\n\n", "a")]
    [InlineData("", "")]
    [InlineData("\uFEFFa,b\n1,2\n", "a,b|1,2")]
    public void Lines(string text, string records)
    {
        Assert.Equal(records, Records(text, csv: true));
        Assert.Equal(records, Records(text, csv: false));
    }

    [Theory]
    [InlineData("1,\"a\nb\",2\n3\n", "1,\"a\nb\",2|3")]
    [InlineData("\"a\"\"\nb\"\nc\n", "\"a\"\"\nb\"|c")]
    [InlineData("1,a\"b\n2,c\"\"d\n3\n", "1,a\"b|2,c\"\"d|3")]
    [InlineData("\"\",\"\"\nx\n", "\"\",\"\"|x")]
    public void A_break_inside_quotes_belongs_to_a_csv_record(string text, string records) =>
        Assert.Equal(records, Records(text, csv: true));

    [Theory]
    [InlineData("a\n\r\n\nb\r\nc", 64, false, "a 1|b 4|c 5")]
    [InlineData("h\n1,\"a\nb\n\"\n2\n", 64, true, "h 1|1,\"a\nb\n\" 2|2 5")]
    [InlineData("\"1\n2\n\n3\n", 64, true, "\"1 1|2 2|3 4")]
    [InlineData("123456789\n\n2\n", 4, true, "12345 1|2 3")]
    public void Each_record_knows_its_line(string text, int limit, bool csv, string records)
    {
        using var file = new LineFile(new MemoryStream(Encoding.UTF8.GetBytes(text)), csv, limit: limit);
        var read = new List<string>();
        while (file.Read()) read.Add($"{Encoding.UTF8.GetString(file.Record)} {file.Number}");
        Assert.Equal(records, string.Join('|', read));
    }

    [Fact]
    public void A_quote_that_never_closes_costs_one_line_only() => Assert.Equal("1,\"a|2,b|3,c", Records("1,\"a\n2,b\n3,c\n", csv: true));

    [Fact]
    public void An_open_quote_is_given_up_after_the_limit()
    {
        var many = string.Concat(Enumerable.Repeat("2,b\n", 100));
        Assert.Equal(102, Records("1,\"a\n" + many + "3,c\"\n", csv: true, limit: 64).Split('|').Length);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_record_past_the_limit_is_one_record_of_the_limit_and_one_byte(bool csv)
    {
        var line = from length in Gen.OneOf(Gen.Choose(1, 12), Gen.Choose(300_000, 300_010), Gen.Choose(1, 700_000))
                   from ended in Gen.Elements("\n", "\r\n")
                   select (length, ended);
        var cases = from lines in line.NonEmptyListOf()
                    from limit in Gen.Elements(3, 10, 300_005)
                    from step in Gen.Elements(1_000, 131_072, int.MaxValue)
                    select (lines, limit, step);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(60).WithReplay(5, 3).WithEndSize(8), Prop.ForAll(Arb.From(cases), c =>
        {
            var text = string.Concat(c.lines.Select((l, i) => new string((char)('a' + i % 26), l.length) + l.ended));
            var wanted = c.lines.Select((l, i) => new string((char)('a' + i % 26), Math.Min(l.length, c.limit + 1)));
            Assert.True(string.Join('|', wanted) == Records(text, csv, c.limit, c.step));
            Assert.True(string.Join('|', wanted) == Records(text.TrimEnd(), csv, c.limit, c.step));
        }));
    }

    [Fact]
    public void A_line_without_an_end_takes_no_more_memory_than_the_limit()
    {
        using var file = new LineFile(new Endless(1L << 28), csv: true, limit: 1 << 16);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.True(file.Read());
        Assert.Equal((1 << 16) + 1, file.Record.Length);
        Assert.False(file.Read());
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    private sealed class Endless(long length) : MemoryStream
    {
        private long _left = length;

        public override int Read(Span<byte> buffer)
        {
            var n = (int)Math.Min(buffer.Length, _left);
            buffer[..n].Fill((byte)'x');
            _left -= n;
            return n;
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(100_000)]
    public void Records_longer_than_the_buffer_and_short_reads(int step)
    {
        var lines = Enumerable.Range(0, 40).Select(i => new string((char)('a' + i % 26), i * i * 200)).Where(l => l.Length > 0).ToArray();
        Assert.Equal(string.Join('|', lines), Records(string.Join('\n', lines), csv: true, step: step));
    }

    [Fact]
    public void Gzip_is_found_by_content_whatever_the_name()
    {
        var path = Path.GetTempFileName();
        try
        {
            using (var gzip = new GZipStream(File.Create(path), CompressionLevel.Fastest)) gzip.Write("a\nb\n"u8);
            using var file = new LineFile(new ByteSource(path).Open(), csv: false);
            Assert.True(file.Read() && file.Record.SequenceEqual("a"u8));
            Assert.True(file.Read() && file.Record.SequenceEqual("b"u8));
            Assert.False(file.Read());
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void A_gzip_file_of_many_members_is_read_to_its_end_and_every_shorter_one_is_refused()
    {
        var path = Path.GetTempFileName();
        try
        {
            byte[] whole = [.. Pack("one\n"), .. Pack(""), .. Pack("two\nthree\n")];
            for (var length = 2; length < whole.Length; length++)
            {
                File.WriteAllBytes(path, whole[..length]);
                if (length == Pack("one\n").Length || length == Pack("one\n").Length + Pack("").Length) continue; // whole members
                Assert.StartsWith($"{path} ends in the middle of its gzip stream",
                    Assert.Throws<InvalidDataException>(() => Unpack(path)).Message, StringComparison.Ordinal);
            }
            File.WriteAllBytes(path, whole);
            Assert.Equal("one\ntwo\nthree\n", Unpack(path));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory]
    [InlineData("00")]
    [InlineData("1F8A")]
    [InlineData("74776F0A7468726565")]
    public void A_gzip_file_with_other_bytes_behind_a_member_is_refused(string behind)
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, [.. Pack("one\n"), .. Convert.FromHexString(behind), .. Pack("two\n")]);
            Assert.Contains("or has other bytes behind it", Assert.Throws<InvalidDataException>(() => Unpack(path)).Message,
                StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory]
    [InlineData(8_150, 8_250, 1)]
    [InlineData(131_000, 131_150, 7)]
    public void The_length_of_a_gzip_file_does_not_matter(int from, int to, int step)
    {
        var path = Path.GetTempFileName();
        try
        {
            var random = new Random(1);
            for (var length = from; length < to; length += step)
            {
                var text = string.Concat(Enumerable.Range(0, length).Select(_ => (char)random.Next(33, 127)));
                File.WriteAllBytes(path, [.. Pack(text, CompressionLevel.NoCompression), .. Pack("end")]);
                Assert.Equal(text + "end", Unpack(path));
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static byte[] Pack(string text, CompressionLevel level = CompressionLevel.Optimal)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, level)) gzip.Write(Encoding.UTF8.GetBytes(text));
        return packed.ToArray() is { Length: > 0 } bytes ? bytes : Convert.FromHexString("1F8B080000000000000303000000000000000000");
    }

    private static string Unpack(string path)
    {
        using var stream = new StreamReader(new ByteSource(path).Open());
        return stream.ReadToEnd();
    }

    private static string Records(string text, bool csv, int limit = 1 << 20, int step = int.MaxValue)
    {
        using var file = new LineFile(new ShortReads(Encoding.UTF8.GetBytes(text), step), csv, limit: limit);
        var records = new List<string>();
        while (file.Read()) records.Add(Encoding.UTF8.GetString(file.Record));
        return string.Join('|', records);
    }

    private sealed class ShortReads(byte[] bytes, int step) : MemoryStream(bytes)
    {
        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, step)]);
    }
}
