using System.Security.Cryptography;

namespace StreamEngine.Inference.Onnx;

/// <summary>Loads <c>model.onnx</c> by ONNX Runtime.</summary>
/// <remarks>
/// 1. the native library is found; 2. <c>model.json</c> is read and checked; 3. <c>model.onnx</c> has the digest it names; 4. a session is
/// made, on the provider asked for; 5. the graph's input and output fit the manifest; 6. one row is scored, so that what only
/// shows at run time shows here. A model is therefore good, and warm, once it is loaded. NaN inputs are the caller's matter.
/// </remarks>
/// <param name="say">Told in one line, once, what keeps models that could run on CUDA on the CPU.</param>
public sealed class OnnxModelLoader(Action<string>? say = null) : IModelLoader
{
    private bool _said;

    /// <inheritdoc/>
    public IModel Load(string directory, ModelProvider provider = ModelProvider.Auto, int device = 0)
    {
        directory = Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory));
        if (!Directory.Exists(directory))
        {
            throw new ModelException($"{directory} is missing: a model lies in models/<name>/<version>/ with model.onnx and model.json.");
        }

        NativeRuntime.Ensure();                                                          // 1.
        var manifest = ManifestFile.Read(Path.Combine(directory, "model.json"));         // 2.
        var file = Path.Combine(directory, "model.onnx");
        var bytes = ReadVerified(file, manifest);                                        // 3.
        var session = Sessions.Create(bytes, file, provider, device, Say, out var ran); // 4.
        try
        {
            var signature = Signature.Of(session.Session, manifest, file);               // 5.
            var model = new OnnxModel(manifest, file, ran, session, signature);
            using var runner = model.CreateRunner(1);                                    // 6.
            runner.Inputs(1).Clear();
            runner.Run(1);
            return model;
        }
        catch
        {
            session.Dispose();
            throw;
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
            "The file is damaged or was replaced; publish the version again under a new number.");
    }
}
