using System.Diagnostics;
using System.Text.Json;
using StreamEngine.Connectors;
using Xunit;

namespace StreamEngine.Tests.Decisions;

/// <summary>An independent reader of our records: the Avro package of the system's own Python.</summary>
internal static class PythonAvro
{
    private const string Python = "/usr/bin/python3";

    /// <summary>Reads every record of the buffer by a schema of the repository; skips the test where there is no reader.</summary>
    public static JsonElement[] Read(string schema, OutputBuffer output)
    {
        Skip.IfNot(File.Exists(Python) && Run(["-c", "import avro.io"], "").Code == 0,
            $"{Python} has no package avro (Debian: python3-avro)");
        var input = string.Join('\n', Enumerable.Range(0, output.Count).Select(i => Convert.ToHexString(output.Value(i))));
        var (code, text, error) = Run([Find("tests/StreamEngine.Tests/Decisions/read_records.py"), Find($"schemas/{schema}")], input);
        Assert.True(code == 0, error);
        return [.. JsonDocument.Parse(text.Replace("NaN", "null").Replace("Infinity", "null")).RootElement.EnumerateArray()];
    }

    /// <summary>A file of the repository that the tests were built from.</summary>
    public static string Find(string path)
    {
        for (var directory = AppContext.BaseDirectory; directory is not null; directory = Path.GetDirectoryName(directory))
            if (File.Exists(Path.Combine(directory, path))) return Path.Combine(directory, path);
        throw new FileNotFoundException($"{path} is in no folder above {AppContext.BaseDirectory}");
    }

    private static (int Code, string Output, string Error) Run(string[] arguments, string input)
    {
        var start = new ProcessStartInfo(Python, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true
        };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }
}
