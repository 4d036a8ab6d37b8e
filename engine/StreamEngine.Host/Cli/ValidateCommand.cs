using System.CommandLine;
using System.Text.Json.Nodes;
using StreamEngine.Configuration;
using StreamEngine.Inference.Onnx;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Cli;

/// <summary><c>validate</c>: reads and compiles a config as a run would, and tells every mistake at once.</summary>
internal static class ValidateCommand
{
    public static Command Make()
    {
        var config = SharedOptions.Config();
        var command = new Command("validate", "Checks a config as a run would and tells every mistake at once, with line and remedy.") { config };
        return Invocation.Act(command, call => Task.FromResult(Run(call, config)));
    }

    private static int Run(Invocation call, Option<string> config)
    {
        var errors = new ConfigErrors();
        var loaded = call.Load(config, errors);
        using var compiled = CompiledEngine.Compile(loaded.Options, loaded.BaseDirectory, new OnnxModelLoader(), errors);
        if (call.Json)
        {
            call.Print(new JsonObject
            {
                ["valid"] = !errors.Any,
                ["config_hash"] = compiled?.ConfigHash,
                ["errors"] = new JsonArray([.. errors.All.Select(e => new JsonObject
                {
                    ["file"] = e.At.File, ["line"] = e.At.Line, ["column"] = e.At.Column, ["path"] = e.At.Path, ["message"] = e.Message, ["remedy"] = e.Remedy,
                })]),
            });
            return errors.Any ? ExitCode.Config : ExitCode.Done;
        }
        errors.ThrowIfAny();
        var o = loaded.Options;
        call.Out.WriteLine($"{call.Get(config)} is valid: {o.Events.Count} sources, {compiled!.Features.Count} features in profiles of {compiled.Layout.FixedLength} bytes, {o.Timers.Count} timers, {o.Models.Count} models, {o.Decisions.Triggers.Count} triggers, {o.Offers.Count} offers");
        return ExitCode.Done;
    }
}
