using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace StreamEngine.Inference.Onnx;

/// <summary>The native ONNX Runtime of this process: found or explained, and started once.</summary>
internal static class NativeRuntime
{
    /// <summary>The name by which the binding imports the library.</summary>
    internal const string Library = "onnxruntime";

    /// <summary>ONNX Runtime loads the CUDA provider from this file beside its own.</summary>
    internal const string CudaLibrary = "libonnxruntime_providers_cuda.so";

    private static readonly Lazy<OrtEnv> Environment = new(Start);

    /// <summary>Starts ONNX Runtime, once a process.</summary>
    /// <exception cref="ModelRuntimeException">The native library is missing or can't be loaded.</exception>
    public static void Ensure() => _ = Environment.Value;

    /// <summary>True where the CUDA provider lies beside the application.</summary>
    public static bool HasCuda() =>
        File.Exists(Path.Combine(AppContext.BaseDirectory, CudaLibrary)) ||
        File.Exists(Path.Combine(AppContext.BaseDirectory, "runtimes", RuntimeInformation.RuntimeIdentifier, "native", CudaLibrary));

    /// <summary>Loads a library as the binding would, so that its absence is said before the binding's type initializer fails.</summary>
    /// <exception cref="ModelRuntimeException">The library is missing or can't be loaded.</exception>
    internal static void Probe(string library)
    {
        try
        {
            NativeLibrary.Load(library, typeof(InferenceSession).Assembly, null);
        }
        catch (Exception cause) when (cause is DllNotFoundException or BadImageFormatException)
        {
            var file = $"lib{library}.so";
            var there = File.Exists(Path.Combine(AppContext.BaseDirectory, file));
            throw new ModelRuntimeException(
                $"ONNX Runtime's native library {file} {(there ? $"can't be loaded ({LastLine(cause.Message)})" : "is not there")}: it "
                    + "comes with the package Microsoft.ML.OnnxRuntime; publish the application for this platform", cause);
        }
    }

    /// <summary>The loader lists every place it tried; the last line is about the last of them.</summary>
    private static string LastLine(string text) =>
        text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[^1];

    private static OrtEnv Start()
    {
        Probe(Library);
        // Its warnings would go to standard error unasked; what goes wrong comes back as an exception.
        var options = new EnvironmentCreationOptions { logId = "streamengine", logLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        return OrtEnv.IsCreated ? OrtEnv.Instance() : OrtEnv.CreateInstanceWithOptions(ref options);
    }
}
