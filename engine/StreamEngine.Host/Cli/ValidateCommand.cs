using System.CommandLine;
using System.Text.Json.Nodes;
using StreamEngine.Configuration;
using StreamEngine.Host.Configuration;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Cli;

/// <summary><c>validate</c>: reads and compiles a config as a run would, and tells every mistake at once.</summary>
internal static class ValidateCommand
{
    public static Command Make()
    {
        var config = SharedOptions.Config();
        var command =
            new Command("validate", "Checks a config as a run would and tells every mistake at once, with line and remedy.") { config };
        return Invocation.Act(command, call => Task.FromResult(Run(call, config)));
    }

    private static int Run(Invocation call, Option<string> config)
    {
        var errors = new ConfigErrors();
        using var compiled = Compile(call, config, errors);
        if (call.Json)
        {
            call.Print(new JsonObject
            {
                ["valid"] = !errors.Any,
                ["config_hash"] = compiled?.ConfigHash,
                ["errors"] = new JsonArray([.. errors.All.Select(e => new JsonObject
                {
                    ["file"] = e.At.File, ["line"] = e.At.Line, ["column"] = e.At.Column, ["path"] = e.At.Path, ["message"] = e.Message,
                        ["remedy"] = e.Remedy,
                })]),
            });
            return errors.Any ? ExitCode.Config : ExitCode.Done;
        }
        errors.ThrowIfAny();
        var o = compiled!.Options;
        call.Out.WriteLine($"{call.Get(config)} is valid: {Count(o.Events.Count, "source")}, {Count(compiled.Features.Count, "feature")} "
            + $"in profiles of {compiled.Layout.FixedLength} bytes"
            + $"{(compiled.Duplicates is { } ids ? $" (with {ids.Most} event ids, the most, {compiled.LargestProfile})" : "")}, "
            + $"{Count(o.Timers.Count, "timer")}, {Count(o.Models.Count, "model")}, "
            + $"{Count(o.Decisions.Triggers.Count, "trigger")}, {Count(o.Offers.Count, "offer")}");
        foreach (var source in ConfigCheck.WithoutColumns(o))
            call.Say(LogLevel.Info, $"source {source.Name} has no columns: good for files with a header (replay, features); run refuses "
                + "it, as a topic's CSV records have none");
        return ExitCode.Done;
    }

    private static CompiledEngine? Compile(Invocation call, Option<string> config, ConfigErrors errors)
    {
        try
        {
            var loaded = call.Load(config, errors);
            var compiled = ConfigCheck.Compile(loaded, errors, line => call.Say(LogLevel.Warning, line));
            compiled?.OutputIds?.Check(errors, loaded.Options.Outputs.Node);
            return compiled;
        }
        catch (ConfigException)
        {
            return null; // the errors have it
        }
    }

    private static string Count(int n, string what) => n == 1 ? $"1 {what}" : $"{n} {what}s";
}
