using System.Diagnostics;

namespace StreamEngine.SystemTests.Runs;

/// <summary>
/// The comparison kit's own check of the measured job (perf/compare.sh), where there is one: another reference by another hand.
/// </summary>
internal static class PeersCheck
{
    private const string Variable = "STREAMENGINE_PEERS";

    /// <summary>Checks a run's decisions; does nothing but say so where there is no kit.</summary>
    /// <exception cref="InvalidOperationException">The check found a difference.</exception>
    public static void Run(Arena arena, string kafka, Action<string> tell)
    {
        var kit = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named ? named
            : Path.Combine(Arena.Root, "..", "shared", "peers");
        var program = Path.Combine(kit, "peers");
        if (!File.Exists(program))
        {
            tell($"no comparison kit: set {Variable} to its folder for its check");
            return;
        }
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in new[]
                 {
                     "check", "--bootstrap", kafka, "--events", arena.Topics.Events, "--actions", arena.Topics.Decisions, "--header", "5",
                         "--schema", Path.Combine(Arena.Root, "schemas", "decision.avsc"),
                     "--fields", "event_id=cause.event_id,offer=chosen.offer,probability=chosen.p,features=features",
                 }) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var said = process.StandardOutput.ReadToEndAsync();
        var faults = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(TimeSpan.FromMinutes(2)))
        {
            process.Kill(entireProcessTree: true);
            throw new InvalidOperationException("the kit's check did not end within 2 minutes");
        }
        tell(said.Result.Trim());
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"the kit's check ended with {process.ExitCode}:\n{said.Result}\n{faults.Result}");
    }
}
