using System.Text.Json;
using StreamEngine.Connectors;

namespace StreamEngine.Host.Evaluation.Export;

/// <summary>Reads the decisions that <c>replay</c> wrote.</summary>
internal static class DecisionFiles
{
    private const int LinesBetween = 1_000;

    /// <summary>Reads a file, one JSON object a line.</summary>
    /// <param name="path">The file.</param>
    /// <param name="take">Takes each record.</param>
    /// <param name="progress">Told now and then which share of the file was read.</param>
    /// <param name="stop">Ends it early.</param>
    /// <exception cref="LogException">A line is no record.</exception>
    public static void Read(string path, Action<JsonElement> take, Action<double> progress, CancellationToken stop)
    {
        using var lines = new StreamReader(path);
        for (var number = 1; lines.ReadLine() is { } line; number++)
        {
            if (number % LinesBetween == 0)
            {
                stop.ThrowIfCancellationRequested();
                progress((double)lines.BaseStream.Position / lines.BaseStream.Length);
            }
            try
            {
                using var json = JsonDocument.Parse(line);
                take(json.RootElement);
            }
            catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
            {
                throw new LogException($"{path}:{number}: not a record that replay writes: {e.Message}");
            }
        }
    }
}
