using System.Diagnostics;
using System.Text.RegularExpressions;
using StreamEngine.Testing;
using StreamEngine.Tests.Configuration;
using StreamEngine.Tests.Host;
using Xunit;

namespace StreamEngine.Tests.Http;

/// <summary>The examples of engine/docs/http.md, run by curl against a running engine.</summary>
public sealed partial class CurlExampleTests : IDisposable
{
    private const string Config = """
        name: shop
        events:
          track: { topic: track, format: json, customer: userId, id: messageId, time: [timestamp], type: event }
        features:
          views_1h: { op: count, where: event.type == 'Product Viewed', window: { sliding: 1h, every: 5m } }
        offers: { club: { placements: [onsite], propensity: 0.1, value: "1.0" } }
        requests: { enabled: true, timeout: 60s }
        time: { max_future: 3650d }
        state: { store: memory }
        collector: { sources: { track: {} } }
        live: {}
        ofrep: { placements: [onsite] }

        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("curl-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [SkippableFact]
    public async Task Each_answers_with_the_status_that_the_page_says()
    {
        Skip.If(!OnPath("curl"), "needs curl: install it");
        var examples = Example().Matches(await File.ReadAllTextAsync(Repository.Path("engine", "docs", "http.md")));
        Assert.True(examples.Count >= 12, $"{examples.Count} examples");
        var port = FreePort.Find();
        var config = Path.Combine(_folder, "c.yaml");
        await File.WriteAllTextAsync(config, Config);
        string[] common = ["--config", config, "--embedded", Path.Combine(_folder, "log"), "--set", $"http.port={port}"];
        Assert.Equal(0, (await Cli.RunAsync(["topics", "create", "--partitions", "1", .. common])).Code);
        using var stop = new CancellationTokenSource();
        var running = Cli.RunAsync(["run", .. common], stop.Token);
        await Curl($"curl -s --retry 600 --retry-delay 1 --retry-all-errors --fail localhost:{port}/healthz");
        foreach (Match example in examples)
        {
            var command = example.Groups["command"].Value.Replace("localhost:9464", $"localhost:{port}", StringComparison.Ordinal);
            var status = await Curl(command);
            // A stream is left after the time that the page gives it; on a busy machine nothing may have come till then.
            for (var seconds = 8; status == "000" && seconds <= 128; seconds *= 4)
                status = await Curl(command.Replace("--max-time 2", $"--max-time {seconds}", StringComparison.Ordinal));
            Assert.True(example.Groups["status"].Value == status, $"{example.Groups["status"].Value}, and it is {status}: {command}");
        }
        await stop.CancelAsync();
        var (code, _, error) = await running;
        Assert.True(code == 0, error);
    }

    /// <summary>A comment with the status, and the command up to the next one.</summary>
    [GeneratedRegex(@"^# (?<status>\d{3}): .*\n(?<command>(?:(?!# |```).*\n)+)", RegexOptions.Multiline)]
    private static partial Regex Example();

    /// <summary>Runs it by the shell, as a reader would, and says the status of the answer.</summary>
    private static async Task<string> Curl(string command)
    {
        var asking = command.Replace("curl -s", "curl -o /dev/null -w '%{http_code}' -s", StringComparison.Ordinal);
        using var process = Process.Start(new ProcessStartInfo("bash", ["-c", asking]) { RedirectStandardOutput = true })!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return output;
    }

    private static bool OnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(p => File.Exists(Path.Combine(p, program)));
}
