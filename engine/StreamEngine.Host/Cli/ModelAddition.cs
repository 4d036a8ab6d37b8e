using System.Globalization;
using StreamEngine.Configuration;
using StreamEngine.Inference;
using StreamEngine.Inference.Onnx;

namespace StreamEngine.Host.Cli;

/// <summary>A version of a model that is to be made of a file: what is said of it, filled up from what is in the graph.</summary>
internal sealed class ModelAddition(OnnxModelFile model, string file)
{
    public required string Name { get; init; }

    public required IReadOnlyList<string> Inputs { get; init; }

    public required string? Output { get; init; }

    public required IReadOnlyList<string> Classes { get; init; }

    public required IReadOnlyList<string> Outputs { get; init; }

    public required IReadOnlyList<string> Categories { get; init; }

    public required IReadOnlyList<string> Example { get; init; }

    public required string? Version { get; init; }

    /// <summary>Writes the version's folder, once the model in it could be loaded and has scored a row.</summary>
    /// <param name="directory">The folder of all models.</param>
    /// <param name="limits">What loading may take.</param>
    /// <exception cref="ModelException">The model can't be read, or not as it is said.</exception>
    /// <exception cref="IOException">The folder can't be written.</exception>
    public (string Folder, ModelManifest Manifest, float[] Scores) Save(string directory, ModelOptions limits)
    {
        if (Path.GetFileName(Name) != Name || Name is "." or ".." || Name.Any(char.IsControl))
            throw new ModelException($"--name '{Printable.Text(Name)}' is no name of a folder") { Remedy = "Write one without '/'" };
        var root = Path.Combine(ResultPath.Folder("--directory", directory), Name);
        var manifest = Manifest(VersionIn(root));
        var folder = Path.Combine(root, manifest.Version);
        // Checked beside its place: what is refused leaves nothing behind, and what is there is whole.
        var staged = Path.Combine(directory, $".adding-{Guid.NewGuid():N}");
        try
        {
            var made = Path.Combine(staged, Name, manifest.Version);
            model.Save(made, manifest);
            var scores = Score(made, limits, manifest);
            Directory.CreateDirectory(root);
            Directory.Move(made, folder);
            return (folder, manifest, scores);
        }
        catch (ModelException e)
        {
            // The file that was named is the user's, not the copy.
            var copy = Path.GetFullPath(Path.Combine(staged, Name, manifest.Version));
            throw new ModelException(e.Message.Replace(Path.Combine(copy, "model.onnx"), file, StringComparison.Ordinal)
                .Replace(Path.Combine(copy, "model.json"), "what is said of it", StringComparison.Ordinal)
                .Replace("its model.json", "what is said of it", StringComparison.Ordinal), e)
            { Remedy = e.Remedy };
        }
        finally
        {
            if (Directory.Exists(staged)) Directory.Delete(staged, recursive: true);
        }
    }

    private static float[] Score(string folder, ModelOptions limits, ModelManifest manifest)
    {
        using var loaded = new OnnxModelLoader().Load(folder, limits with { Provider = ModelProvider.Cpu });
        using var runner = loaded.CreateRunner(1);
        var row = manifest.Example?.ToArray() ?? new double[manifest.Inputs.Count];
        runner.Fill(row, row.Length, [.. Enumerable.Range(0, row.Length)], 1);
        return runner.Run(1).ToArray();
    }

    private string VersionIn(string root)
    {
        var version = Version ?? ModelRegistry.NextVersion(root) ?? throw new ModelException(
            $"the versions in {root} are no plain numbers, so that the next one is not known")
        {
            Remedy = "Give it with --version",
        };
        if (!ModelRegistry.IsVersion(version))
            throw new ModelException($"--version '{Printable.Text(version)}' is no version")
            {
                Remedy = "Write a number, such as 3 or 2026.10.1: the highest is the newest",
            };
        return !Directory.Exists(Path.Combine(root, version)) ? version : throw new ModelException(
            $"{Path.Combine(root, version)} is there already, and a version never changes")
        {
            Remedy = "Leave --version out for the next one",
        };
    }

    private ModelManifest Manifest(string version)
    {
        var inputs = InputNames();
        var output = Scores();
        var (names, columns) = Columns(output);
        return new ModelManifest
        {
            Name = Name,
            Version = version,
            Kind = model.Kind,
            Inputs = inputs,
            Outputs = names,
            Output = model.Outputs.Count > 1 ? output.Name : null,
            Columns = columns,
            Categories = CategoriesOf(inputs),
            Example = Example.Count > 0 ? [.. Example.Select(Number)] : null,
            Sha256 = model.Sha256,
        };
    }

    private IReadOnlyList<string> InputNames()
    {
        if (Inputs.Count > 0) return Inputs;
        if (model.Inputs.All(i => i.Columns == 1)) return [.. model.Inputs.Select(i => i.Name)];
        throw new ModelException($"{file}: the graph does not say which features its columns are ("
            + string.Join(", ", model.Inputs.Select(i => $"{i.Name} has {(i.Columns < 0 ? "any number" : i.Columns)}")) + ")")
        {
            Remedy = "Name them in the order of the training data: --inputs revenue_30d,visits,...",
        };
    }

    private OnnxTensor Scores()
    {
        var known = string.Join(", ", model.Outputs.Select(o => o.Name));
        if (Output is { } wanted)
            return model.Outputs.FirstOrDefault(o => o.Name == wanted)
                ?? throw new ModelException($"{file} has no output '{Printable.Text(wanted)}'") { Remedy = $"It has {known}" };
        var scores = model.Outputs.Where(o => o.IsScore).ToArray();
        return scores switch
        {
            [var one] => one,
            [] => throw new ModelException($"{file}: none of the outputs ({known}) can be a score")
            {
                Remedy = "Export probabilities; with skl2onnx: "
                    + "convert_sklearn(model, initial_types=..., options={id(model): {'zipmap': False}})",
            },
            _ => throw new ModelException($"{file}: more than one output can be the scores")
            {
                Remedy = $"Choose with --output: {string.Join(" or ", scores.Select(s => s.Name))}",
            },
        };
    }

    /// <summary>The names of the scores, and their columns where those are not all in order.</summary>
    private (IReadOnlyList<string> Names, IReadOnlyList<int>? Columns) Columns(OnnxTensor output)
    {
        var classes = output.Classes.ToList();
        var wanted = Classes.Count > 0 ? Classes : Outputs.Count == 0 || Outputs.Count == classes.Count ? Default(output) : Outputs;
        if (wanted is null)
            throw new ModelException($"{file}: output '{output.Name}' has {output.Columns} columns, and the graph does not name them")
            {
                Remedy = "Name them in their order: --outputs club,newsletter,...",
            };
        int[] columns = [.. wanted.Select(c => classes.IndexOf(c))];
        if (Classes.FirstOrDefault(c => !classes.Contains(c)) is { } unknown)
            throw new ModelException($"{file}: output '{output.Name}' has no class '{Printable.Text(unknown)}'")
            {
                Remedy = classes.Count > 0 ? $"It has {string.Join(", ", classes)}"
                    : "The graph does not name its classes: leave --class out",
            };
        var names = Outputs.Count > 0 ? Outputs : wanted.Count == 1 && classes.Count <= 2 ? ["probability"] : wanted;
        if (Classes.Count > 0 && names.Count != Classes.Count)
            throw new ModelException($"--outputs names {names.Count}, --class {Classes.Count}") { Remedy = "Give one name for each class" };
        var areKnown = columns.Length == names.Count && columns.All(c => c >= 0);
        return (names, areKnown && !columns.SequenceEqual(Enumerable.Range(0, classes.Count)) ? columns : null);
    }

    /// <summary>Of two classes the second, of more all; null where there are more columns without a name.</summary>
    private static IReadOnlyList<string>? Default(OnnxTensor output) =>
        output.Classes.Count == 2 ? [output.Classes[1]] : output.Classes.Count > 0 ? output.Classes
        : output.Columns is 1 or 2 or -1 ? ["probability"] : null;

    private Dictionary<string, IReadOnlyList<string>> CategoriesOf(IReadOnlyList<string> inputs)
    {
        var categories = new Dictionary<string, IReadOnlyList<string>>();
        var byName = model.Inputs.Count > 1 && model.Inputs.All(i => i.Columns == 1) && model.Inputs.Any(i => inputs.Contains(i.Name));
        var first = 0;
        foreach (var input in model.Inputs)
        {
            for (var column = 0; input.IsText && column < input.Categories.Count; column++)
            {
                var feature = byName ? input.Name : inputs.ElementAtOrDefault(first + column);
                if (inputs.Contains(feature) && input.Categories[column].Count > 0) categories[feature!] = input.Categories[column];
            }
            first += Math.Max(0, input.Columns);
        }
        foreach (var given in Categories)
        {
            if (given.Split('=', 2) is not [{ Length: > 0 } feature, { Length: > 0 } texts])
                throw new ModelException($"--categories '{Printable.Text(given)}' is not FEATURE=TEXT,...")
                {
                    Remedy = "Write the feature and the texts that its values 0, 1, 2, ... stand for: --categories country=de,fr",
                };
            categories[feature] = texts.Split(',');
        }
        foreach (var input in model.Inputs.Where(i => i.IsText && i.Categories.All(c => c.Count == 0)))
            if (categories.Count == 0)
                throw new ModelException($"{file}: input '{input.Name}' takes texts, and the graph does not tell which")
                {
                    Remedy = "Give them: --categories country=de,fr,... (the feature's values 0, 1, 2, ... stand for them)",
                };
        return categories;
    }

    private static double Number(string text) => text is "nan" or "NaN" or ".nan" ? double.NaN
        : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number
        : throw new ModelException($"--example: '{Printable.Text(text)}' is no number")
        {
            Remedy = "Write digits, or nan for a missing value",
        };
}
