using System.Diagnostics;
using System.Globalization;
using System.Text;
using StreamEngine.Events;
using StreamEngine.Events.Decoding;
using Xunit;

namespace StreamEngine.Tests.Events;

public sealed class NormalFormTests
{
    private const string Composed = "Zo\u00e9", Apart = "Zoe\u0301";

    private static readonly EventSourceOptions Source = new()
    {
        Name = "s",
        Topic = "t",
        Format = RecordFormat.Json,
        Customer = "c",
        Id = "i",
        Time = new() { Field = "t" },
    };

    [Theory]
    [InlineData(TextNormalization.Nfc, Composed)]
    [InlineData(TextNormalization.None, Apart)]
    public void Customer_and_id_are_put_into_the_form_that_is_asked_for(TextNormalization form, string expected)
    {
        var d = new Decoding(Source with { Normalize = form });
        Assert.Equal(RejectReason.None, d.Decode($$"""{ "c": "{{Apart}}", "i": "{{Apart}}", "t": 5 }"""));
        Assert.Equal((expected, expected), (Text(d.Event.Customer), Text(d.Event.Id)));
        Assert.Equal(Hash64.Of(Encoding.UTF8.GetBytes(expected)), d.Event.IdHash);
        Assert.Equal(RejectReason.None, d.Decode($$"""{ "c": "{{Composed}}", "i": "plain", "t": 5 }"""));
        Assert.Equal((Composed, "plain"), (Text(d.Event.Customer), Text(d.Event.Id)));
    }

    [Fact]
    public void What_is_no_UTF8_is_rejected_and_not_composed() =>
        Assert.Equal(RejectReason.BadUtf8, new Decoding(Source with { Normalize = TextNormalization.Nfc })
            .Decode([.. "{ \"c\": \"e"u8, 0xCC, .. "\", \"i\": \"1\", \"t\": 5 }"u8]));

    /// <summary>
    /// Every character, alone and before an accent, and 20,000 texts of letters, accents and Hangul, against Python's tables.
    /// </summary>
    [SkippableFact]
    public void It_is_the_form_that_Python_makes()
    {
        Skip.IfNot(File.Exists("/usr/bin/python3"), "there is no /usr/bin/python3");
        var random = new Random(3);
        (int From, int To)[] ranges = [(0x41, 0x7A), (0xC0, 0x24F), (0x300, 0x362), (0x1100, 0x11C2), (0xAC00, 0xD7A3), (0x1E00, 0x1FFE)];
        var texts = new List<string>();
        for (var c = 0x20; c < 0x110000; c++)
            if (CharUnicodeInfo.GetUnicodeCategory(c) is not (UnicodeCategory.OtherNotAssigned or UnicodeCategory.PrivateUse
                or UnicodeCategory.Surrogate)) texts.AddRange([char.ConvertFromUtf32(c), char.ConvertFromUtf32(c) + "\u0301"]);
        for (var i = 0; i < 20_000; i++)
            texts.Add(string.Concat(Enumerable.Range(0, random.Next(1, 8)).Select(_ => ranges[random.Next(ranges.Length)])
                .Select(r => char.ConvertFromUtf32(random.Next(r.From, r.To + 1)))));

        // What its version of Unicode does not know yet is left out there.
        var start = new ProcessStartInfo("/usr/bin/python3", ["-c", """
            import sys, unicodedata as u
            for line in sys.stdin.buffer:
                text = bytes.fromhex(line.decode()).decode()
                known = all(u.category(c) not in ("Cn", "Co") for c in text)
                print(u.normalize("NFC", text).encode().hex() if known else "-")
            """])
        { RedirectStandardInput = true, RedirectStandardOutput = true };
        using var python = Process.Start(start)!;
        var answers = python.StandardOutput.ReadToEndAsync();
        foreach (var text in texts) python.StandardInput.WriteLine(Convert.ToHexString(Encoding.UTF8.GetBytes(text)));
        python.StandardInput.Close();
        var expected = answers.GetAwaiter().GetResult().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(texts.Count, expected.Length);
        var (compared, scratch) = (0, new ScratchBuffer());
        for (var i = 0; i < texts.Count; i++)
        {
            if (expected[i] == "-") continue;
            var value = default(FieldValue);
            var bytes = Encoding.UTF8.GetBytes(texts[i]);
            value.Set(bytes, 0, bytes.Length);
            scratch.Reset();
            NormalForm.Compose(ref value, scratch);
            Assert.Equal(expected[i], Convert.ToHexStringLower(value.Text));
            compared++;
        }
        Assert.True(compared > 250_000, $"{compared} compared");
    }

    private static string Text(FieldValue value) => Encoding.UTF8.GetString(value.Text);
}
