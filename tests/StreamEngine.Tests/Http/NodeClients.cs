using System.Diagnostics;
using StreamEngine.Tests.Configuration;
using Xunit;

namespace StreamEngine.Tests.Http;

/// <summary>Other people's clients from npm, each called by a script in <c>tests/clients</c>.</summary>
internal static class NodeClients
{
    private static readonly string Folder = Repository.Path("tests", "clients");

    /// <summary>Whether node is there.</summary>
    public static bool HasNode =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(p => File.Exists(Path.Combine(p, "node")));

    /// <summary>Skips the test where a package, or a scope of them, is not installed, and says how to get it.</summary>
    public static void SkipWithout(string package) => Skip.If(!Directory.Exists(Path.Combine(Folder, "node_modules", package)),
        "needs node and npm's clients: deploy/setup.sh --oracles");

    /// <summary>Runs a script, which must end well.</summary>
    /// <returns>What it printed.</returns>
    public static async Task<string> Run(string script, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("node", [Path.Combine(Folder, script), .. arguments])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        var (output, error) = (process.StandardOutput.ReadToEndAsync(patience.Token), process.StandardError.ReadToEndAsync(patience.Token));
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
        Assert.True(process.ExitCode == 0, $"{await output}\n{await error}");
        return await output;
    }
}
