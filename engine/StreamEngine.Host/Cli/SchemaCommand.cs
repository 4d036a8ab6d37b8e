using System.CommandLine;
using System.CommandLine.Completions;
using System.Text.Json.Nodes;
using StreamEngine.Decisions;
using StreamEngine.Host.Configuration;

namespace StreamEngine.Host.Cli;

/// <summary><c>schema</c>: the config's JSON Schema; <c>schema list</c> and <c>schema show</c>: the topics' Avro schemas.</summary>
internal static class SchemaCommand
{
    private static readonly Argument<string> Name = new("NAME")
    {
        Description = "The schema's name as `schema list` tells it, or that of an output (actions, decisions, ...).",
        CompletionSources = { _ => OutputSchemas.Names.Select(n => new CompletionItem(n)) },
    };

    /// <summary>The command with its two parts, for their examples.</summary>
    public static (Command All, Command List, Command Show) Make()
    {
        var list = Invocation.Act(new Command("list", "Lists the Avro schemas of what the engine writes, and of the demo's events."), List);
        var show = Invocation.Act(new Command("show", "Prints an Avro schema, as the topic's consumers need it.") { Name }, Show);
        var all = Invocation.Act(new Command("schema", "Prints the JSON Schema of config files, for editors; its commands have the Avro "
            + "schemas of the topics.") { list, show }, call =>
        {
            call.Out.Write(ConfigSchema.Write());
            return Task.FromResult(ExitCode.Done);
        });
        return (all, list, show);
    }

    private static Task<int> List(Invocation call)
    {
        var schemas = OutputSchemas.Names.Select(n => (Name: n, Doc: (string?)JsonNode.Parse(OutputSchemas.Text(n))!["doc"] ?? ""))
            .ToList();
        if (call.Json)
            call.Print(new JsonObject
            {
                ["schemas"] = new JsonArray([.. schemas.Select(s => new JsonObject { ["name"] = s.Name, ["doc"] = s.Doc })]),
            });
        else foreach (var (name, doc) in schemas) call.Out.WriteLine($"{name,-12}  {doc}");
        return Task.FromResult(ExitCode.Done);
    }

    private static Task<int> Show(Invocation call)
    {
        var asked = call.Get(Name)!;
        var name = OutputSchemas.Names.FirstOrDefault(n => n == asked || n + "s" == asked || n + ".avsc" == asked);
        if (name is not null)
        {
            call.Out.WriteLine(OutputSchemas.Text(name).TrimEnd('\n'));
            return Task.FromResult(ExitCode.Done);
        }
        call.Say(LogLevel.Error, asked == "late"
            ? "late records have no schema of their own: they are the source's records, as they were read"
            : $"there is no schema '{asked}'. There are {string.Join(", ", OutputSchemas.Names)}.");
        return Task.FromResult(ExitCode.Usage);
    }
}
