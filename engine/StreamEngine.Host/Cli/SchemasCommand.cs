using System.CommandLine;
using System.Text.Json.Nodes;
using StreamEngine.Events.Avro;

namespace StreamEngine.Host.Cli;

/// <summary><c>schemas check OLD NEW</c>: whether a new version of an Avro schema may follow an old one.</summary>
internal static class SchemasCommand
{
    private static readonly Argument<string> Old = new("OLD") { Description = "The version that is there, an .avsc file." };
    private static readonly Argument<string> New = new("NEW") { Description = "The version that is to follow." };

    private static readonly Option<string> Mode = new("--mode")
    {
        Description = "backward: the new one reads what the old one wrote; forward: the old one reads what the new one writes; full: both.",
        DefaultValueFactory = _ => "backward",
    };

    /// <summary>The command, and its part for examples.</summary>
    public static (Command All, Command Check) Make()
    {
        Mode.AcceptOnlyFromAmong("backward", "forward", "full");
        var check = new Command("check", "Checks whether a new version of an Avro schema may follow an old one, and tells every fault. "
            + "Exit code 2 where it may not.") { Old, New, Mode };
        Invocation.Act(check, call => Run(call));
        return (new Command("schemas", "Avro schemas of the topics.") { check }, check);
    }

    private static int Run(Invocation call)
    {
        var mode = call.Get(Mode)!;
        var (old, next) = (Read(call.Get(Old)!, mode is not "backward"), Read(call.Get(New)!, mode is not "forward"));
        var faults = new List<(string Direction, AvroIncompatibility Fault)>();
        if (mode is "backward" or "full") faults.AddRange(AvroCompatibility.Check(next, old).Select(f => ("backward", f)));
        if (mode is "forward" or "full") faults.AddRange(AvroCompatibility.Check(old, next).Select(f => ("forward", f)));
        if (call.Json)
        {
            call.Print(new JsonObject
            {
                ["compatible"] = faults.Count == 0,
                ["mode"] = mode,
                ["faults"] = new JsonArray(
                [
                    .. faults.Select(f => new JsonObject
                    {
                        ["direction"] = f.Direction, ["path"] = f.Fault.Path, ["message"] = f.Fault.Message, ["remedy"] = f.Fault.Remedy,
                    }),
                ]),
            });
        }
        else if (faults.Count == 0) call.Out.WriteLine($"{call.Get(New)} may follow {call.Get(Old)} ({mode})");
        else
            foreach (var (direction, fault) in faults)
                call.Out.WriteLine($"{direction}: {(fault.Path.Length == 0 ? "the schema" : fault.Path)}: {fault.Message}. "
                    + $"{fault.Remedy}.");
        return faults.Count == 0 ? ExitCode.Done : ExitCode.Config;
    }

    /// <summary>A schema that is to read is held to the specification; one that only wrote is taken as it is.</summary>
    private static AvroSchema Read(string file, bool reads)
    {
        try
        {
            var json = File.ReadAllText(file);
            return reads ? AvroSchema.Parse(json) : AvroSchema.ParseWriter(json);
        }
        catch (AvroSchemaException e)
        {
            throw new InvalidDataException($"{file}: {e.Message}", e);
        }
    }
}
