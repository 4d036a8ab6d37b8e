using System.Text;
using FsCheck;
using FsCheck.Fluent;
using StreamEngine.Configuration;
using StreamEngine.Connectors.Files;
using StreamEngine.Events;
using Xunit;

namespace StreamEngine.Tests.Files;

/// <summary>Files whose text is not UTF-8.</summary>
public sealed class EncodingTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();
    private readonly ConfigErrors _errors = new();

    public void Dispose() => File.Delete(_path);

    [Theory]
    [InlineData(TextEncoding.Latin1)]
    [InlineData(TextEncoding.Windows1252)]
    [InlineData(TextEncoding.Utf16)]
    public void Any_text_is_read_as_it_was_written(TextEncoding encoding)
    {
        Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);
        var letters = encoding switch
        {
            TextEncoding.Latin1 => Gen.Choose(0x20, 0xff).Select(c => $"{(char)c}"),
            TextEncoding.Windows1252 => Gen.Elements("a", "é", "ß", "€", "\u201e", "\u2026", "ÿ"),
            _ => Gen.Elements("a", "é", "€", "\u4e2d", "😀", "\ufffd"),
        };
        var cases = from lines in letters.NonEmptyListOf().Select(string.Concat).NonEmptyListOf()
                    from big in Gen.Elements(true, false)
                    from mark in Gen.Elements(true, false)
                    select (lines, big, mark);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(200).WithReplay(6, 1), Prop.ForAll(Arb.From(cases), c =>
        {
            var written = encoding switch
            {
                TextEncoding.Latin1 => Encoding.Latin1,
                TextEncoding.Windows1252 => Encoding.GetEncoding(1252),
                _ => new UnicodeEncoding(c.big && c.mark, c.mark),
            };
            var texts = c.lines.Select(l => l.Replace("\u0085", "", StringComparison.Ordinal)).Where(l => l.Length > 0).ToList();
            File.WriteAllText(_path, string.Concat(texts.Select(l => l + "\n")), written);
            using var file = new EventFile(_path, 0, RecordFormat.Json, Encoding: encoding).Open();
            foreach (var text in texts)
            {
                Assert.True(file.Read());
                Assert.Equal(text, Encoding.UTF8.GetString(file.Record));
            }
            Assert.False(file.Read());
        }));
    }

    [Fact]
    public void A_header_and_its_format_are_found_in_the_sources_encoding()
    {
        var source = new EventSourceOptions
        {
            Name = "s",
            Format = RecordFormat.Csv,
            Customer = "Kundé",
            Id = "hash(t)",
            Time = new() { Field = "t" }
        };
        foreach (var (encoding, written) in new[] { (TextEncoding.Utf16, Encoding.Unicode), (TextEncoding.Latin1, Encoding.Latin1) })
        {
            File.WriteAllText(_path, "t,Kundé\n5,ü\n", written);
            var files = EventFiles.Find([_path], [source with { Encoding = encoding }], _errors);
            Assert.Empty(_errors.All);
            Assert.Equal(["t", "Kundé"], files.Sources[0].Columns);
        }
        EventFiles.Find([_path], [source], _errors);
        Assert.Contains("encoding: latin1", Assert.Single(_errors.All).Remedy, StringComparison.Ordinal);
        File.WriteAllText(_path, "t,Kundé\n5,ü\n");
        EventFiles.Find([_path], [source with { Encoding = TextEncoding.Utf16 }], _errors);
        Assert.Equal("the file is no UTF-16 text", _errors.All[^1].Message);
    }
}
