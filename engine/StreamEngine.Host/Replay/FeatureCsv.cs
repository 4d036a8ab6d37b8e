using System.Buffers;
using System.Globalization;
using System.Text;
using StreamEngine.Host.Cli;

namespace StreamEngine.Host.Replay;

/// <summary>Writes CSV by RFC 4180 with lines ended by LF; numbers so that they read back as the same double.</summary>
internal sealed class FeatureCsv(TextWriter output) : IDisposable
{
    private static readonly SearchValues<char> Special = SearchValues.Create("\",\r\n");

    /// <summary>Writes a line of texts, then names or numbers.</summary>
    public void Write(IEnumerable<string> texts, IEnumerable<string> names)
    {
        output.Write(string.Join(',', texts.Concat(names).Select(Quoted)));
        output.Write('\n');
    }

    /// <summary>Writes a line of texts, then a vector.</summary>
    public void Write(IEnumerable<string> texts, ReadOnlySpan<double> vector)
    {
        output.Write(string.Join(',', texts.Select(Quoted)));
        foreach (var value in vector)
        {
            output.Write(',');
            output.Write(value.ToString("R", CultureInfo.InvariantCulture));
        }
        output.Write('\n');
    }

    public static FeatureCsv Create(string path) => new(new StreamWriter(ResultPath.Create(path), new UTF8Encoding(false), 1 << 17));

    public void Dispose() => output.Dispose();

    private static string Quoted(string text) => text.AsSpan().ContainsAny(Special)
        ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
}
