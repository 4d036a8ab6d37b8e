using System.Text;
using StreamEngine.Expressions;
using StreamEngine.Expressions.Functions;
using Xunit;

namespace StreamEngine.Tests.Expressions;

/// <summary>Functions of texts against the plainest way to say them, over lists of code points and random texts.</summary>
public sealed class TextFunctionTests
{
    private static readonly string[] Alphabet = ["a", "b", "é", "🚀", "a"];

    [Fact]
    public void Searching_replacing_and_splitting_are_what_they_say()
    {
        var random = new Random(11);
        for (var i = 0; i < 4_000; i++)
        {
            Scratch.Begin();
            string[] text = Any(random, 8), part = Any(random, 3), by = Any(random, 3);
            var (t, p, b) = (Utf8(text), Utf8(part), Utf8(by));
            var (from, limit) = (random.Next(text.Length + 1), random.Next(-1, 5));
            var starts = Enumerable.Range(0, Math.Max(0, text.Length - part.Length + 1))
                .Where(s => text.Skip(s).Take(part.Length).SequenceEqual(part)).ToList();
            var what = $"'{string.Concat(text)}', '{string.Concat(part)}', '{string.Concat(by)}', {from}, {limit}";
            Same(starts.Where(s => s >= from).DefaultIfEmpty(-1).First(), (int)TextFunctions.IndexOf(t, p, from), what);
            Same(starts.DefaultIfEmpty(-1).Last(), (int)TextFunctions.LastIndexOf(t, p), what);
            if (from < text.Length)
                Same(starts.Where(s => s <= from).DefaultIfEmpty(-1).Last(), (int)TextFunctions.LastIndexOf(t, p, from), what);
            Same(string.Concat(text.Skip(from)), Text(TextFunctions.Substring(t, from)), what);
            Same(from < text.Length ? text[from] : "", Text(TextFunctions.CharAt(t, from)), what);
            Same(Replaced(text, part, string.Concat(by), limit), Text(TextFunctions.Replace(t, p, b, limit)), what);
            var parts = TextFunctions.Split(t, p, limit).Cells.ToArray().Select(c => Text(c.Text)).ToList();
            Same(string.Join('|', Parts(text, part, limit)), string.Join('|', parts), what);
            Same(string.Concat(text.Reverse()), Text(TextFunctions.Reverse(t)), what);
        }
    }

    /// <summary>From left to right, parts are replaced; an empty one stands before each code point and at the end.</summary>
    private static string Replaced(string[] text, string[] part, string by, int limit)
    {
        var result = new StringBuilder();
        for (var at = 0; at <= text.Length;)
        {
            var found = limit != 0 && text.Skip(at).Take(part.Length).SequenceEqual(part) && at + part.Length <= text.Length;
            if (found)
            {
                limit--;
                result.Append(by);
                at += part.Length;
            }
            if (found && part.Length > 0) continue;
            if (at < text.Length) result.Append(text[at]);
            at++;
        }
        return result.ToString();
    }

    private static List<string> Parts(string[] text, string[] separator, int limit)
    {
        var parts = new List<string>();
        if (limit == 0 || text.Length == 0 && separator.Length == 0) return parts;
        var current = new StringBuilder();
        for (var at = 0; at < text.Length;)
        {
            var cut = parts.Count + 1 != limit && text.Skip(at).Take(separator.Length).SequenceEqual(separator)
                && (separator.Length > 0 || at > 0) && at + separator.Length <= text.Length;
            if (cut)
            {
                parts.Add(current.ToString());
                current.Clear();
                at += separator.Length;
                if (separator.Length > 0) continue;
            }
            current.Append(text[at++]);
        }
        parts.Add(current.ToString());
        return parts;
    }

    private static string[] Any(Random random, int longest) =>
        [.. Enumerable.Range(0, random.Next(longest + 1)).Select(_ => Alphabet[random.Next(Alphabet.Length)])];

    private static byte[] Utf8(string[] text) => Encoding.UTF8.GetBytes(string.Concat(text));

    private static string Text(ReadOnlySpan<byte> text) => Encoding.UTF8.GetString(text);

    private static void Same<T>(T expected, T actual, string what) =>
        Assert.True(EqualityComparer<T>.Default.Equals(expected, actual), $"of {what}: {actual}, not {expected}");
}
