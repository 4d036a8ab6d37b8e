using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using StreamEngine.Inference;
using StreamEngine.Inference.Onnx;

namespace StreamEngine.Host.Cli;

/// <summary><c>models add FILE</c>: tells what is in a model's file, and makes the folder of a version of it.</summary>
internal static class ModelsCommand
{
    private const StringSplitOptions Trimmed = StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries;

    private static readonly Argument<string> Model = new("FILE") { Description = "The .onnx file, as the training script exported it." };

    private static readonly Option<string> Name = new("--name")
    {
        Description = "The model's name in the config.",
        HelpName = "NAME",
        Required = true,
    };

    private static readonly Option<string[]> Inputs = Names("--inputs", "FEATURE,...", "The features, in the order of the training data's "
        + "columns. The names of the graph's inputs where absent and each of them has one column.");

    private static readonly Option<string?> Output = new("--output")
    {
        Description = "The graph's output that is read; the probabilities where absent, and where there is one such output.",
        HelpName = "OUTPUT",
    };

    private static readonly Option<string[]> Classes = Names("--class", "CLASS,...", "The classes whose probabilities are read. Where "
        + "absent: of two the second (the positive one), of more all.");

    private static readonly Option<string[]> Outputs = Names("--outputs", "NAME,...", "What offers call the scores that are read "
        + "(propensity: { model: ..., output: NAME }); the classes' names where absent, or 'probability' where there is one.");

    private static readonly Option<string[]> Categories = new("--categories")
    {
        Description = "For an input of texts: what the feature's values 0, 1, 2, ... stand for; may be given several times. Taken from the "
            + "graph's encoder where absent.",
        HelpName = "FEATURE=TEXT,...",
        DefaultValueFactory = _ => [],
    };

    private static readonly Option<string[]> Example = Names("--example", "NUMBER,...", "A row that the model scores, one number for each "
        + "input, nan for a missing one; all 0 where absent.");

    private static readonly Option<string?> Version = new("--version")
    {
        Description = "The version's number; the next one where absent.",
        HelpName = "VERSION",
    };

    private static readonly Option<string> Directory = new("--directory")
    {
        Description = "The folder of all models, beside the config.",
        HelpName = "DIR",
        DefaultValueFactory = _ => "models",
    };

    /// <summary>The command, and its part for examples.</summary>
    public static (Command All, Command Add) Make()
    {
        var add = new Command("add", "Puts an exported model where the config finds it: DIR/NAME/VERSION with model.onnx and model.json. "
            + "Tells what is in the graph, scores one row to check it, and refuses what can't be read, with the line of Python that "
            + "exports it rightly. Exit code 2 then.")
        {
            Model, Name, Inputs, Output, Classes, Outputs, Categories, Example, Version, Directory,
        };
        Invocation.Act(add, call => Run(call));
        return (new Command("models", "Models that offers take propensities from.") { add }, add);
    }

    private static int Run(Invocation call)
    {
        try
        {
            var file = call.Get(Model)!;
            var limits = new ModelOptions();
            var model = OnnxModelFile.Read(file, limits);
            if (!call.Json) Describe(call, file, model);
            var addition = new ModelAddition(model, file)
            {
                Name = call.Get(Name)!,
                Inputs = call.Get(Inputs)!,
                Output = call.Get(Output),
                Classes = call.Get(Classes)!,
                Outputs = call.Get(Outputs)!,
                Categories = call.Get(Categories)!,
                Example = call.Get(Example)!,
                Version = call.Get(Version),
            };
            var (folder, manifest, scores) = addition.Save(call.Get(Directory)!, limits);
            if (call.Json) call.Print(Json(model, manifest, folder, scores));
            else Tell(call, manifest, folder, scores);
            return ExitCode.Done;
        }
        catch (ModelException e) when (e is not ModelRuntimeException)
        {
            call.Say(LogLevel.Error, e.Remedy is null ? e.Message : $"{e.Message.TrimEnd('.')}. {e.Remedy}");
            return ExitCode.Config;
        }
    }

    private static void Describe(Invocation call, string file, OnnxModelFile model)
    {
        call.Out.WriteLine($"{file}: {string.Join(", ", model.Operators)} ({string.Join(", ", model.OperatorSets)})");
        foreach (var input in model.Inputs)
        {
            call.Out.WriteLine($"  input   {input.Name,-20} {input.Description}");
            foreach (var known in input.Categories.Where(c => c.Count > 0))
                call.Out.WriteLine($"          {"",-20} categories {string.Join(", ", known)}");
        }
        foreach (var output in model.Outputs)
            call.Out.WriteLine($"  output  {output.Name,-20} {output.Description}"
                + (output.Classes.Count > 0 ? $", classes {string.Join(", ", output.Classes)}" : ""));
    }

    private static void Tell(Invocation call, ModelManifest manifest, string folder, float[] scores)
    {
        call.Out.WriteLine($"{folder}: version {manifest.Version} of {manifest.Name}, checked by a run");
        call.Out.WriteLine($"  reads   {string.Join(", ", manifest.Inputs)}");
        call.Out.WriteLine($"  gives   {string.Join(", ", manifest.Outputs.Zip(scores, (name, score) =>
            string.Create(CultureInfo.InvariantCulture, $"{name} {score:0.######}")))} "
            + $"(for {(manifest.Example is null ? "a row of zeros" : "the example")})");
        foreach (var (feature, texts) in manifest.Categories)
            call.Out.WriteLine($"  feature {feature} is the number of its text: "
                + string.Join(", ", texts.Select((text, number) => $"{number} {text}")) + "; any other value is unknown");
        foreach (var (feature, texts) in manifest.Categories.Where(c => c.Value.Count <= 12 && c.Value.All(IsPlain)))
            call.Out.WriteLine($"          {feature}: {{ op: last, of: \"{Chain(feature, texts)}\", default: -1 }}");
        if (scores.Any(s => s is not (>= 0 and <= 1)))
            call.Say(LogLevel.Warning, "a score is no probability from 0 to 1: offers would use their default for it. "
                + "Export probabilities, not a regression or raw scores");
        call.Out.WriteLine($"In the config: models: {{ {manifest.Name}: {{}} }}, and in an offer: propensity: {{ model: {manifest.Name}, "
            + $"output: {manifest.Outputs[0]} }}");
    }

    /// <summary>Whether a text can stand in quotes in an expression that stands in quotes itself.</summary>
    private static bool IsPlain(string text) => !text.Any(c => c is '\'' or '"' or '\\' || char.IsControl(c));

    /// <summary>The expression that gives a text its number.</summary>
    private static string Chain(string feature, IReadOnlyList<string> texts) =>
        string.Concat(texts.Select((text, number) => $"event.{feature} == '{text}' ? {number} : ")) + "-1";

    private static JsonObject Json(OnnxModelFile model, ModelManifest manifest, string folder, float[] scores) => new()
    {
        ["folder"] = folder,
        ["name"] = manifest.Name,
        ["version"] = manifest.Version,
        ["operators"] = List(model.Operators),
        ["operator_sets"] = List(model.OperatorSets),
        ["graph_inputs"] = Tensors(model.Inputs),
        ["graph_outputs"] = Tensors(model.Outputs),
        ["inputs"] = List(manifest.Inputs),
        ["outputs"] = List(manifest.Outputs),
        ["scores"] = new JsonArray([.. scores.Select(s => float.IsFinite(s) ? JsonValue.Create(s) : null)]),
    };

    private static JsonObject Tensors(IEnumerable<OnnxTensor> tensors) =>
        new(tensors.Select(t => KeyValuePair.Create<string, JsonNode?>(t.Name, t.Description)));

    private static JsonArray List(IEnumerable<string> texts) => new([.. texts.Select(t => JsonValue.Create(t))]);

    private static Option<string[]> Names(string name, string help, string description) => new(name)
    {
        Description = description,
        HelpName = help,
        AllowMultipleArgumentsPerToken = true,
        DefaultValueFactory = _ => [],
        CustomParser = r => [.. r.Tokens.SelectMany(t => t.Value.Split(',', Trimmed))],
    };
}
