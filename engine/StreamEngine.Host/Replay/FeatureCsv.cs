using System.Buffers;
using System.Globalization;
using System.Text;
using StreamEngine.Features;
using StreamEngine.Host.Cli;

namespace StreamEngine.Host.Replay;

/// <summary>Writes CSV by RFC 4180 with lines ended by LF; numbers so that they read back as the same double.</summary>
internal sealed class FeatureCsv(TextWriter output) : IDisposable
{
    private static readonly SearchValues<char> Special = SearchValues.Create("\",\r\n");

    /// <summary>The columns of the features: the numbers, then the texts.</summary>
    public static IReadOnlyList<string> Columns(FeatureSet features) => [.. features.Names, .. features.Texts.Texts.Select(t => t.Name)];

    /// <summary>Writes a line of texts.</summary>
    public void Write(IEnumerable<string> texts)
    {
        output.Write(string.Join(',', texts.Select(Quoted)));
        output.Write('\n');
    }

    /// <summary>Writes a line of texts, then a feature vector.</summary>
    public void Write(IEnumerable<string> texts, FeatureSet features, ReadOnlySpan<double> vector) =>
        Write(texts, vector[..features.Count], features.Texts.Of(vector).Select(t => t.Value));

    /// <summary>Writes a line of texts, then numbers, then more texts.</summary>
    public void Write(IEnumerable<string> texts, ReadOnlySpan<double> numbers, IEnumerable<string> more)
    {
        output.Write(string.Join(',', texts.Select(Quoted)));
        foreach (var value in numbers)
        {
            output.Write(',');
            output.Write(value.ToString("R", CultureInfo.InvariantCulture));
        }
        foreach (var text in more)
        {
            output.Write(',');
            output.Write(Quoted(text));
        }
        output.Write('\n');
    }

    public static FeatureCsv Create(string path) => new(new StreamWriter(ResultPath.Create(path), new UTF8Encoding(false), 1 << 17));

    public void Dispose() => output.Dispose();

    private static string Quoted(string text) => text.AsSpan().ContainsAny(Special)
        ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
}
