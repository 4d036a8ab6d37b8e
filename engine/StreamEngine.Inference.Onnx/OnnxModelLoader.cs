using System.Collections.Immutable;
using System.Security.Cryptography;
using Microsoft.ML.OnnxRuntime;

namespace StreamEngine.Inference.Onnx;

/// <summary>Loads <c>model.onnx</c> by ONNX Runtime.</summary>
/// <remarks>
/// 1. the native library is found; 2. <c>model.json</c> is read and checked; 3. <c>model.onnx</c> has the digest it names; 4. a session
/// is made, on the provider asked for, of the graph with the one output that is read; 5. the graph's inputs and output fit the manifest;
/// 6. one row is scored, so that what only shows at run time shows here. A model is therefore good, and warm, once it is loaded. 4 to 6
/// are bounded in time and memory.
/// </remarks>
/// <param name="say">Told in one line, once, what keeps models that could run on CUDA on the CPU.</param>
public sealed class OnnxModelLoader(Action<string>? say = null) : IModelLoader
{
    private bool _said;

    /// <inheritdoc/>
    public IModel Load(string directory, ModelOptions? options = null)
    {
        options ??= new ModelOptions();
        directory = Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory));
        if (!Directory.Exists(directory))
        {
            throw new ModelException($"{directory} is missing: a model lies in models/<name>/<version>/ with model.onnx and model.json.")
            {
                Remedy = "'streamengine models add' puts it there",
            };
        }

        NativeRuntime.Ensure();                                                          // 1.
        var manifest = ManifestFile.Read(Path.Combine(directory, "model.json"));         // 2.
        var file = Path.Combine(directory, "model.onnx");
        var bytes = ReadVerified(file, manifest);                                        // 3.
        return new LoadGuard(file, options).Run(guard => Load(guard, manifest, file, bytes, options));
    }

    private OnnxModel Load(LoadGuard guard, ModelManifest manifest, string file, byte[] bytes, ModelOptions options)
    {
        var graph = Parse(bytes, file);
        var (output, tensor) = Signature.Choose(graph, manifest.Output, file);
        if (graph.Outputs.Count > 1 || tensor != output) bytes = graph.Only(tensor);
        var session = Sessions.Create(bytes, file, options.Provider, options.Device, Say, out var ran); // 4.
        try
        {
            var example = manifest.Example?.ToArray() ?? new double[manifest.Inputs.Count];
            var signature = Signature.Of(session.Session, manifest, graph, output, Measure, file); // 5.
            var model = new OnnxModel(manifest, file, ran, session, signature, graph.ScoresDependOnBatch);
            using var runner = (OnnxRunner)model.CreateRunner(1);                        // 6.
            guard.FirstRun(() => RunOnce(runner, example), runner.Stop);
            return model;

            long[] Measure(ImmutableArray<GraphInput> inputs)
            {
                long[] shape = [1];
                using var run = new RunOptions();
                guard.FirstRun(() => shape = OutputShape.Of(session.Session, run, inputs, manifest, example, file),
                    () => run.Terminate = true);
                return shape;
            }
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    private static void RunOnce(OnnxRunner runner, double[] example)
    {
        try
        {
            runner.Fill(example, example.Length, [.. Enumerable.Range(0, example.Length)], 1);
            runner.Run(1);
        }
        catch (ModelException cause)
        {
            throw new ModelException(cause.Message, cause) { Remedy = Remedies.Example };
        }
    }

    /// <summary>Reads a graph.</summary>
    /// <exception cref="ModelException">The bytes are no model.</exception>
    internal static OnnxGraph Parse(byte[] bytes, string file)
    {
        try
        {
            var graph = OnnxGraph.Parse(bytes);
            return !graph.HasOtherFiles ? graph : throw new ModelException($"{file} has its weights in another file beside it")
            {
                Remedy = Remedies.OneFile,
            };
        }
        catch (InvalidDataException cause)
        {
            throw new ModelException($"{file} is no model that ONNX Runtime can run: {cause.Message}", cause);
        }
    }

    private void Say(string why)
    {
        if (!_said) say?.Invoke(why);
        _said = true;
    }

    private static byte[] ReadVerified(string file, ModelManifest manifest)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(file);
        }
        catch (FileNotFoundException cause)
        {
            throw new ModelException($"{file} is missing: a model's folder holds model.onnx and model.json.", cause);
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            throw new ModelException($"{file} can't be read: {cause.Message}", cause);
        }

        var digest = Convert.ToHexStringLower(SHA256.HashData(bytes));
        return digest == manifest.Sha256 ? bytes : throw new ModelException(
            $"{file} is not the file that model.json describes: its SHA-256 is {digest}, model.json says {manifest.Sha256}. " +
            "The file is damaged or was replaced.")
        {
            Remedy = "Publish the model again under a new version, with 'streamengine models add' or the script that trained it",
        };
    }
}
