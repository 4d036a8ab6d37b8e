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
        return Invocation.Act(command, call => Run(call, config));
    }

    private static int Run(Invocation call, Option<string> config)
    {
        var errors = new ConfigErrors();
        var warnings = new List<string>();
        using var compiled = Compile(call, config, errors, warnings, out var options);
        var refused = options.Events.SelectMany(s => ConfigCheck.UnfitForTopics(s).Select(u => ("run, savepoint", s.Name, u))
            .Concat(ConfigCheck.UnfitForFiles(s).Select(u => ("replay, features", s.Name, u)))).ToList();
        if (call.Json)
        {
            var answer = new JsonObject
            {
                ["valid"] = !errors.Any,
                ["config_hash"] = compiled?.ConfigHash,
                ["errors"] = new JsonArray([.. errors.All.Select(e => new JsonObject
                {
                    ["file"] = e.At.File, ["line"] = e.At.Line, ["column"] = e.At.Column, ["path"] = e.At.Path, ["message"] = e.Message,
                        ["remedy"] = e.Remedy,
                })]),
                ["warnings"] = new JsonArray([.. warnings.Select(w => JsonValue.Create(w))]),
                ["refused_by"] = new JsonArray([.. refused.Select(r => new JsonObject
                {
                    ["commands"] = r.Item1, ["source"] = r.Name, ["option"] = r.u.Key, ["message"] = r.u.Message, ["remedy"] = r.u.Remedy,
                })]),
            };
            if (compiled is { TableShapes.Count: > 0 }) answer["tables"] = TableText.Json(compiled);
            call.Print(answer);
            return errors.Any ? ExitCode.Config : ExitCode.Done;
        }
        errors.ThrowIfAny();
        var o = compiled!.Options;
        call.Out.WriteLine($"{call.Get(config)} is valid: {Count(o.Events.Count, "source")}, "
            + $"{Count(compiled.Features.Count + compiled.Features.Texts.Texts.Count, "feature")} "
            + $"in profiles of {compiled.Layout.FixedLength} bytes"
            + $"{(compiled.Duplicates is { } ids ? $" (with {ids.Most} event ids, the most, {compiled.LargestProfile})" : "")}, "
            + $"{Count(o.Timers.Count, "timer")}, {Count(o.Models.Count, "model")}, "
            + $"{Count(o.Decisions.Triggers.Count, "trigger")}, {Count(o.Offers.Count, "offer")}");
        foreach (var line in TableText.Lines(compiled)) call.Out.WriteLine(line);
        foreach (var (commands, source, unfit) in refused)
            call.Say(LogLevel.Warning, $"{commands} will refuse source '{source}' for its {unfit.Key}: {unfit.Message}. {unfit.Remedy}, "
                + "if it is meant for them");
        return ExitCode.Done;
    }

    private static CompiledEngine? Compile(Invocation call, Option<string> config, ConfigErrors errors, List<string> warnings,
        out EngineOptions options)
    {
        options = new EngineOptions();
        try
        {
            var loaded = call.Load(config, errors);
            options = loaded.Options;
            var compiled = ConfigCheck.Compile(loaded, errors, line =>
            {
                warnings.Add(line);
                call.Say(LogLevel.Warning, line);
            });
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
