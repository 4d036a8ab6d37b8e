using System.Text;
using FsCheck;
using FsCheck.Fluent;
using StreamEngine.Events;
using StreamEngine.Events.Tables;
using Xunit;

namespace StreamEngine.Tests.Tables;

public sealed class TextSetTests
{
    /// <summary>Texts get the numbers of their first coming, and none is found that was not added; closed or not.</summary>
    [Fact]
    public void It_numbers_texts_as_a_dictionary_does()
    {
        var texts = Gen.Elements("", "a", "b", "ab", "ba", "é", "a\0").ListOf(3).Select(p => string.Concat(p)).ArrayOf();
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(60).WithReplay(20_260_401, 3), Prop.ForAll(Arb.From(texts), added =>
        {
            var (set, known) = (new TextSet(), new Dictionary<string, int>());
            foreach (var text in added)
            {
                var isKnown = known.TryGetValue(text, out var number);
                if (!isKnown) known[text] = number = known.Count;
                Assert.Equal(number, set.Add(Encoding.UTF8.GetBytes(text), out var isNew));
                Assert.Equal(!isKnown, isNew);
            }
            set.Close(indexed: true);
            Assert.Equal(known.Count, set.Count);
            foreach (var text in added.Append("absent").Append("abab"))
            {
                var found = set.Find(Encoding.UTF8.GetBytes(text));
                Assert.Equal(known.GetValueOrDefault(text, -1), found);
                if (found >= 0) Assert.Equal(text, Encoding.UTF8.GetString(set[found].Of(set.Bytes)));
            }
        }));
    }

    /// <summary>Texts whose hashes agree in all bits that the index looks at are told apart by their bytes.</summary>
    [Fact]
    public void A_text_is_not_taken_for_another_of_the_same_hash()
    {
        var seen = new Dictionary<uint, byte[]>();
        var tried = 0;
        for (var i = 0; i < 300_000; i++)
        {
            var text = Encoding.ASCII.GetBytes($"{i}");
            var hash = Hash64.Of(text);
            if (seen.TryAdd((uint)hash, text)) continue;
            var other = seen[(uint)hash];
            // A set of one text has an index of two places: the highest bit tells which is looked at.
            if (hash >> 63 != Hash64.Of(other) >> 63) continue;
            var set = new TextSet();
            set.Add(other, out _);
            set.Close(indexed: true);
            Assert.Equal((0, -1), (set.Find(other), set.Find(text)));
            tried++;
        }
        Assert.True(tried > 0, "no two texts had the same hash: the test says nothing");
    }

    /// <summary>Ten thousand keys, so that the index grows and its end is gone round: each is found, none beside them.</summary>
    [Fact]
    public void It_finds_each_of_many()
    {
        var set = new TextSet();
        for (var i = 0; i < 10_000; i++) Assert.Equal(i, set.Add(Encoding.UTF8.GetBytes($"sku-{i}"), out _));
        set.Close(indexed: true);
        for (var i = 0; i < 12_000; i++)
            Assert.Equal(i < 10_000 ? i : -1, set.Find(Encoding.UTF8.GetBytes($"sku-{i}")));
        // 12 bytes of index, 4 of a place, and the text.
        Assert.InRange(set.Memory / 10_000.0, 12 + 4 + 7.8, 12 + 4 + 8);
    }
}
