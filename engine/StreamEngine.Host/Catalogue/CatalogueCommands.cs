using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using StreamEngine.Configuration;
using StreamEngine.Host.Cli;
using StreamEngine.Host.Configuration;
using StreamEngine.Runtime.Catalogue;

namespace StreamEngine.Host.Catalogue;

/// <summary>How a catalogue is written.</summary>
internal enum CatalogueFormat
{
    /// <summary>For a terminal.</summary>
    Table,

    /// <summary>For programs.</summary>
    Json,

    /// <summary>For pages.</summary>
    Markdown,
}

/// <summary><c>features list</c> and <c>features describe</c>: the features of a config, with their lineage.</summary>
internal static class CatalogueCommands
{
    private static readonly Option<string> Config = SharedOptions.Config();
    private static readonly Argument<string> Name = new("NAME")
    {
        Description = "A feature of the config, or one of the names under which its values are read.",
    };
    private static readonly Option<CatalogueFormat> Format = new("--format")
    {
        Description = "table, json or markdown; --json does the same as json.",
        HelpName = "FORMAT",
        CustomParser = r =>
        {
            if (Enum.GetNames<CatalogueFormat>().Contains(r.Tokens[0].Value, StringComparer.OrdinalIgnoreCase))
                return Enum.Parse<CatalogueFormat>(r.Tokens[0].Value, ignoreCase: true);
            r.AddError($"--format is table, json or markdown, not '{r.Tokens[0].Value}'.");
            return default;
        },
    };

    private static readonly JsonSerializerOptions Written = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>The two commands.</summary>
    public static (Command List, Command Describe) Make() => (
        Invocation.Act(new Command("list", "Lists the features of a config: definition, unit, bytes of a profile, how exact each is, and "
            + "who reads it.") { Config, Format }, call => Task.FromResult(List(call))),
        Invocation.Act(new Command("describe", "Tells everything of one feature, with its lineage from the fields of events to the models "
            + "and rules that read it. Ends with 1 where there is none of that name.") { Name, Config, Format },
            call => Task.FromResult(Describe(call))));

    private static int List(Invocation call)
    {
        var features = Load(call);
        if (FormatOf(call) == CatalogueFormat.Json)
            call.Print(new JsonObject { ["features"] = JsonSerializer.SerializeToNode(features, Written) });
        else Tell(call, FormatOf(call) == CatalogueFormat.Markdown ? CatalogueText.Markdown(features) : CatalogueText.Table(features));
        return ExitCode.Done;
    }

    private static int Describe(Invocation call)
    {
        var (features, name) = (Load(call), call.Get(Name)!);
        if (FeatureCatalogue.Find(features, name, out var nearest) is not { } found)
        {
            call.Say(LogLevel.Error, $"there is no feature '{name}'"
                + (nearest is null ? "; 'streamengine features list' has all of them" : $"; did you mean {nearest}?"));
            return ExitCode.Usage;
        }
        if (FormatOf(call) == CatalogueFormat.Json) call.Print(JsonSerializer.SerializeToNode(found, Written)!);
        else Tell(call, FormatOf(call) == CatalogueFormat.Markdown ? CatalogueText.Page(found) : CatalogueText.Lines(found));
        return ExitCode.Done;
    }

    private static void Tell(Invocation call, IEnumerable<string> lines)
    {
        foreach (var line in lines) call.Out.WriteLine(Printable.Text(line));
    }

    private static CatalogueFormat FormatOf(Invocation call) => call.Json ? CatalogueFormat.Json : call.Get(Format);

    private static IReadOnlyList<FeatureEntry> Load(Invocation call)
    {
        var errors = new ConfigErrors();
        using var engine = ConfigCheck.Compile(call.Load(Config, errors), errors, line => call.Say(LogLevel.Warning, line));
        errors.ThrowIfAny();
        return FeatureCatalogue.Of(engine!);
    }
}
