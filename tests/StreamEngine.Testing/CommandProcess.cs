using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace StreamEngine.Testing;

/// <summary>What a command did.</summary>
/// <param name="Code">Its exit code.</param>
/// <param name="Output">What it wrote to standard output.</param>
/// <param name="Error">What it wrote to standard error.</param>
/// <param name="Took">Its time.</param>
/// <param name="PeakBytes">The most memory that was resident, bytes, as seen every few milliseconds.</param>
public sealed record CommandResult(int Code, string Output, string Error, TimeSpan Took, long PeakBytes)
{
    /// <summary>Everything that it wrote.</summary>
    public string All => Output + Error;

    /// <inheritdoc/>
    public override string ToString() => $"exit code {Code} after {Took.TotalSeconds:0.0} s, at most {PeakBytes >> 20} MB:\n{All}";
}

/// <summary>A command of <c>streamengine</c> as a process of its own that runs to its end, as in a shell.</summary>
public static class CommandProcess
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(5);

    /// <summary>
    /// Runs <c>streamengine</c> with these arguments; the host must lie beside the calling program. It is killed when the time is over.
    /// </summary>
    /// <param name="limit">The longest that it may take.</param>
    /// <param name="arguments">The command line.</param>
    /// <param name="directory">The working directory; this process's where it is null.</param>
    /// <param name="environment">Added to the environment.</param>
    /// <param name="input">Written to its standard input; nothing where it is null.</param>
    /// <exception cref="TimeoutException">It did not end.</exception>
    public static async Task<CommandResult> Run(TimeSpan limit, IEnumerable<string> arguments, string? directory = null,
        IReadOnlyDictionary<string, string>? environment = null, string? input = null)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = directory ?? "",
        };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "StreamEngine.Host.dll"));
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        var started = TimeProvider.System.GetTimestamp();
        using var process = Process.Start(start)!;
        var (output, error) = (Read(process.StandardOutput), Read(process.StandardError));
        if (input is not null) await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        long peak = 0;
        while (!process.HasExited)
        {
            peak = Math.Max(peak, Peak(process.Id));
            if (TimeProvider.System.GetElapsedTime(started) > limit)
            {
                process.Kill();
                await process.WaitForExitAsync();
                throw new TimeoutException($"it did not end within {limit.TotalSeconds:0} s:\n{await output}{await error}");
            }
            await Task.Delay(Poll, TimeProvider.System);
        }
        await process.WaitForExitAsync();
        return new CommandResult(process.ExitCode, await output, await error, TimeProvider.System.GetElapsedTime(started), peak);
    }

    private static async Task<string> Read(StreamReader reader)
    {
        var text = new StringBuilder();
        var buffer = new char[4096];
        for (int read; (read = await reader.ReadAsync(buffer)) > 0;) text.Append(buffer, 0, read);
        return text.ToString();
    }

    /// <summary>The kernel's own high-water mark; 0 once the process has ended.</summary>
    private static long Peak(int id)
    {
        try
        {
            var line = File.ReadLines($"/proc/{id}/status").FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? 0
                : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10;
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
