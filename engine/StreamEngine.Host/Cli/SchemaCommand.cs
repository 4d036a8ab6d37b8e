using System.CommandLine;
using StreamEngine.Host.Configuration;

namespace StreamEngine.Host.Cli;

/// <summary><c>schema</c>: the JSON Schema of the config, for editors.</summary>
internal static class SchemaCommand
{
    public static Command Make() => Invocation.Act(new Command("schema", "Prints the JSON Schema of config files, for editors."), call =>
    {
        call.Out.Write(ConfigSchema.Write());
        return Task.FromResult(ExitCode.Done);
    });
}
