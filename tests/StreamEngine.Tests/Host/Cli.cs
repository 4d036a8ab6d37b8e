using StreamEngine.Host.Cli;

namespace StreamEngine.Tests.Host;

/// <summary>Runs command lines inside the test.</summary>
internal static class Cli
{
    public static Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments) =>
        RunAsync(arguments, CancellationToken.None);

    public static async Task<(int Code, string Output, string Error)> RunAsync(string[] arguments, CancellationToken stop)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = await CommandLine.RunAsync(arguments, output, error, stop);
        return (code, output.ToString(), error.ToString());
    }
}
