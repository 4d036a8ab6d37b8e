using System.Collections.Immutable;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace StreamEngine.Inference.Onnx;

/// <summary>One input of a graph.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="Type">What its elements are.</param>
/// <param name="IsFlat">Whether its shape is [rows]; else it is [rows, columns].</param>
/// <param name="First">The first of the manifest's inputs that go into it.</param>
/// <param name="Width">How many of them, one after the other: its columns.</param>
internal sealed record GraphInput(string Name, TensorElementType Type, bool IsFlat, int First, int Width);

/// <summary>The output of a graph that is read.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="Type">Float or double.</param>
/// <param name="IsFlat">Whether its shape is [rows]; else it is [rows, columns].</param>
/// <param name="Width">Its columns.</param>
/// <param name="Columns">For each of the manifest's outputs, its column.</param>
internal sealed record GraphOutput(string Name, TensorElementType Type, bool IsFlat, int Width, ImmutableArray<int> Columns)
{
    /// <summary>Whether the tensor is what the engine reads as it stands: floats, every column in order.</summary>
    public bool IsPlain => Type == TensorElementType.Float && Columns.AsSpan().SequenceEqual([.. Enumerable.Range(0, Width)]);
}

/// <summary>A graph's inputs and the one output that is read, held against the manifest.</summary>
internal sealed record Signature(ImmutableArray<GraphInput> Inputs, GraphOutput Output)
{
    /// <summary>Takes the graph's signature.</summary>
    /// <param name="session">The session, of a graph with the one output that is read.</param>
    /// <param name="manifest">What <c>model.json</c> says.</param>
    /// <param name="graph">The file's graph.</param>
    /// <param name="wanted">The output's name in the file.</param>
    /// <param name="measure">Asked for the output's shape where the graph leaves it open.</param>
    /// <param name="file">The model's file, for messages.</param>
    /// <exception cref="ModelException">They differ: all differences in one message.</exception>
    public static Signature Of(InferenceSession session, ModelManifest manifest, OnnxGraph graph, string wanted,
        Func<ImmutableArray<GraphInput>, long[]> measure, string file)
    {
        var problems = new Problems();
        var inputs = InputsOf(session, manifest, problems);
        var (name, node) = session.OutputMetadata.First();
        if (!IsNumber(node) || node.Dimensions.Length > 2) problems.Add($"output '{wanted}' is {Describe(node)}: it must be numbers, a row "
            + "for each row of the inputs", Remedies.WithoutZipMap);
        else if (node.Dimensions is [>= 0, ..])
            problems.Add(FixedRows("output", wanted, node.Dimensions[0]), Remedies.FreeRows);
        if (problems.Any) throw Differ(file, problems);
        // Where the graph leaves it open, a run tells the shape.
        var shape = node.Dimensions is [_, >= 0] or [_] ? [.. node.Dimensions.Select(d => (long)d)] : measure(inputs);
        var width = shape.Length == 1 ? 1 : (int)shape[1];
        var picked = ColumnsOf(manifest, graph.Classes(wanted), wanted, width, problems);
        if (problems.Any) throw Differ(file, problems);
        return new Signature(inputs, new GraphOutput(name, node.ElementDataType, shape.Length == 1, width, picked));
    }

    /// <summary>Chooses the output that is read: the one that the manifest names, or the only one that can be a score.</summary>
    /// <returns>Its name in the file, and the tensor that holds its numbers: a ZipMap's are read before they become maps.</returns>
    /// <exception cref="ModelException">There is none, or it must be named.</exception>
    public static (string Output, string Tensor) Choose(OnnxGraph graph, string? wanted, string file)
    {
        if (wanted is null && graph.Outputs is [var only]) return (only, graph.ZipMapSource(only) ?? only);
        var known = string.Join(", ", graph.Outputs);
        if (wanted is not null)
            return graph.Outputs.Contains(wanted) ? (wanted, graph.ZipMapSource(wanted) ?? wanted) : throw new ModelException(
                $"{file} has no output '{wanted}': it has {known}")
            {
                Remedy = "Name one of them as 'output' in model.json",
            };
        var scores = graph.Outputs.Where(o => graph.ZipMapSource(o) is not null || graph.IsNumber(o)).ToArray();
        return scores is [var one] ? (one, graph.ZipMapSource(one) ?? one) : throw new ModelException(
            $"{file} has the outputs {known}, and {(scores.Length == 0 ? "none" : "more than one")} of them can be scores")
        {
            Remedy = scores.Length == 0 ? $"Export probabilities. {Remedies.WithoutZipMap}"
                : $"Name the one that is read in model.json: \"output\": \"{scores[^1]}\"",
        };
    }

    /// <summary>Whether a tensor holds numbers that can be scores.</summary>
    public static bool IsNumber(NodeMetadata node) =>
        node.IsTensor && node.ElementDataType is TensorElementType.Float or TensorElementType.Double;

    /// <summary>A tensor's type and shape as people write them, with ? for what is open.</summary>
    public static string Describe(NodeMetadata node)
    {
        if (!node.IsTensor)
            return $"no tensor ({node.OnnxValueType.ToString().Replace("ONNX_TYPE_", "", StringComparison.Ordinal).ToLowerInvariant()})";
        var shape = string.Join(", ", node.Dimensions.Select((d, i) => d >= 0 ? $"{d}" : node.SymbolicDimensions[i] is { Length: > 0 } name
            ? name : "?"));
        return $"{node.ElementDataType.ToString().ToLowerInvariant()} [{shape}]";
    }

    private static ModelException Differ(string file, Problems problems) =>
        new($"{file} does not fit its model.json: {string.Join("; ", problems.Found)}.") { Remedy = problems.Remedy };

    private static string FixedRows(string what, string name, int rows) =>
        $"{what} '{name}' has a fixed number of rows, {rows}; it must be free";

    private static ImmutableArray<GraphInput> InputsOf(InferenceSession session, ModelManifest manifest, Problems problems)
    {
        var inputs = ImmutableArray.CreateBuilder<GraphInput>();
        var names = session.InputNames;
        var byName = names.Count > 1 && names.All(n => Width(session.InputMetadata[n]) == 1) && names.Any(manifest.Inputs.Contains);
        var first = 0;
        foreach (var name in names)
        {
            var node = session.InputMetadata[name];
            if (!IsReadable(node) || node.Dimensions.Length is 0 or > 2)
            {
                problems.Add($"input '{name}' is {Describe(node)}: it must be float, double, int64, int32, bool or string, "
                    + "[rows, columns]");
                continue;
            }
            if (node.Dimensions[0] >= 0) problems.Add(FixedRows("input", name, node.Dimensions[0]), Remedies.FreeRows);
            // A width that the graph leaves open (-1) takes what the others leave over.
            var width = Width(node) is >= 0 and var known ? known
                : manifest.Inputs.Count - names.Where(n => n != name).Sum(n => Math.Max(0, Width(session.InputMetadata[n])));
            var at = byName ? manifest.Inputs.ToList().IndexOf(name) : first;
            if (at < 0) problems.Add($"the graph's input '{name}' is not among 'inputs'");
            inputs.Add(new GraphInput(name, node.ElementDataType, node.Dimensions.Length == 1, at, width));
            first += width;
        }
        if (problems.Any) return inputs.ToImmutable();
        if (names.Count == 1 && inputs[0].Width != manifest.Inputs.Count)
            problems.Add($"input '{names[0]}' has {inputs[0].Width} columns, 'inputs' names {manifest.Inputs.Count}");
        else if (first != manifest.Inputs.Count)
            problems.Add($"the graph's inputs have {first} columns together "
                + $"({string.Join(", ", inputs.Select(i => $"{i.Name} {i.Width}"))}), 'inputs' names {manifest.Inputs.Count}");
        else if (inputs.Any(i => i.Width < 1)) problems.Add("an input has no column");
        else CheckCategories(manifest, inputs, problems);
        return inputs.ToImmutable();
    }

    private static void CheckCategories(ModelManifest manifest, IEnumerable<GraphInput> inputs, Problems problems)
    {
        foreach (var input in inputs)
            for (var column = input.First; column < input.First + input.Width; column++)
                if (manifest.Categories.ContainsKey(manifest.Inputs[column]) != (input.Type == TensorElementType.String))
                    problems.Add(input.Type == TensorElementType.String
                        ? $"input '{input.Name}' takes texts: 'categories' must list those that '{manifest.Inputs[column]}' stands for"
                        : $"input '{input.Name}' takes numbers: '{manifest.Inputs[column]}' needs no 'categories'");
    }

    private static ImmutableArray<int> ColumnsOf(ModelManifest manifest, IReadOnlyList<string> classes, string output, int width,
        Problems problems)
    {
        var names = manifest.Outputs;
        if (manifest.Columns is { } columns)
        {
            foreach (var column in columns.Where(c => c >= width))
                problems.Add($"'columns' has {column}, but output '{output}' has {width} columns, counted from 0");
            return [.. columns];
        }
        if (classes.Count == width && names.All(classes.Contains)) return [.. names.Select(n => classes.ToList().IndexOf(n))];
        if (names.Count == width) return [.. Enumerable.Range(0, width)];
        if (names.Count == 1 && width == 2) return [1];
        problems.Add($"output '{output}' has {width} columns, 'outputs' names {names.Count}"
            + (classes.Count > 0 ? $" (its classes are {string.Join(", ", classes)}: name those, or give 'columns')" : ""));
        return [];
    }

    private static bool IsReadable(NodeMetadata node) => node.IsTensor && node.ElementDataType is TensorElementType.Float
        or TensorElementType.Double or TensorElementType.Int64 or TensorElementType.Int32 or TensorElementType.Bool
        or TensorElementType.String;

    /// <summary>What differs, and what to do about it.</summary>
    private sealed class Problems
    {
        public List<string> Found { get; } = [];

        public bool Any => Found.Count > 0;

        public string Remedy { get; private set; } = Remedies.Manifest;

        public void Add(string problem, string? remedy = null)
        {
            Found.Add(problem);
            Remedy = remedy ?? Remedy;
        }
    }

    /// <summary>The columns of a tensor of rows; -1 where they are open.</summary>
    public static int Width(NodeMetadata node) => node.Dimensions switch { [_, var columns] => columns, [_] => 1, _ => -1 };
}
