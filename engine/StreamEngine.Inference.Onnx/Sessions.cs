using Microsoft.ML.OnnxRuntime;

namespace StreamEngine.Inference.Onnx;

/// <summary>A session and the options it was made with, which it goes on using.</summary>
internal sealed record SessionHandle(InferenceSession Session, SessionOptions Options) : IDisposable
{
    public void Dispose()
    {
        Session.Dispose();
        Options.Dispose();
    }
}

/// <summary>Makes sessions whose rows score the same in every batch.</summary>
internal static class Sessions
{
    private const string CudaNeeds = "It needs a driver, CUDA 13 with cublas, and cuDNN 9; tree ensembles have no CUDA kernel";

    /// <summary>Makes a session of the model's bytes.</summary>
    /// <param name="model">The model's bytes.</param>
    /// <param name="file">Their file, for messages.</param>
    /// <param name="wanted">The provider asked for.</param>
    /// <param name="device">The GPU's number.</param>
    /// <param name="say">Told what keeps a model that may run on CUDA on the CPU.</param>
    /// <param name="provider">The one that runs every node: <c>cpu</c> or <c>cuda</c>.</param>
    /// <exception cref="ModelException">The model is damaged, or the provider asked for can't run it.</exception>
    public static SessionHandle Create(byte[] model, string file, ModelProvider wanted, int device, Action<string> say, out string provider)
    {
        var hasCuda = NativeRuntime.HasCuda();
        if (wanted == ModelProvider.Cuda && !hasCuda)
        {
            throw new ModelException(
                $"{file}: provider 'cuda' is asked for, but {NativeRuntime.CudaLibrary} is not beside the application")
            {
                Remedy = "Build with -p:Cuda=true (engine/docs/packages.md), or choose 'auto' or 'cpu'",
            };
        }

        if (wanted != ModelProvider.Cpu && hasCuda)
        {
            try
            {
                provider = "cuda";
                return Create(model, CudaOptions(device));
            }
            catch (OnnxRuntimeException cause) when (wanted == ModelProvider.Cuda)
            {
                throw new ModelException($"{file} can't run wholly on CUDA: {Reason(cause)}", cause)
                {
                    Remedy = $"{CudaNeeds}. Install what is missing, or choose 'auto' or 'cpu'",
                };
            }
            catch (OnnxRuntimeException cause)
            {
                // 'auto': the CPU runs what CUDA can't, and is reported as the provider.
                say($"{file} runs on the CPU: CUDA can't run it ({Reason(cause)}). {CudaNeeds}. Set the model's provider to "
                    + "cpu to say that it is meant so");
            }
        }

        try
        {
            provider = "cpu";
            return Create(model, BaseOptions());
        }
        catch (OnnxRuntimeException cause)
        {
            throw new ModelException($"{file} is no model that ONNX Runtime can run: {Reason(cause)}", cause);
        }
    }

    /// <summary>ONNX Runtime's words, in one line, without its own source's place and the name of the error's number.</summary>
    internal static string Reason(OnnxRuntimeException cause)
    {
        const string head = "[ONNXRuntimeError] : ";
        var text = string.Join(' ', cause.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        if (text.LastIndexOf(head, StringComparison.Ordinal) is var at and >= 0) text = text[(at + head.Length)..].Split(" : ", 3)[^1];
        else if (text.StartsWith("[ErrorCode:", StringComparison.Ordinal)) text = text[(text.IndexOf(']', StringComparison.Ordinal) + 1)..];
        return text.Trim().TrimEnd('.');
    }

    private static SessionHandle Create(byte[] model, SessionOptions options)
    {
        try
        {
            return new SessionHandle(new InferenceSession(model, options), options);
        }
        catch
        {
            options.Dispose();
            throw;
        }
    }

    /// <summary>
    /// One thread, the caller's: a row's sum is added in one order whatever the batch, so that a replay agrees bit for bit.
    /// </summary>
    private static SessionOptions BaseOptions()
    {
        var options = new SessionOptions
        {
            IntraOpNumThreads = 1,
            InterOpNumThreads = 1,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
        };
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        options.AddSessionConfigEntry("session.inter_op.allow_spinning", "0");
        return options;
    }

    private static SessionOptions CudaOptions(int device)
    {
        var options = BaseOptions();
        try
        {
            // A node left to the CPU would make "cuda" a false report: refuse instead.
            options.AddSessionConfigEntry("session.disable_cpu_ep_fallback", "1");
            using var cuda = new OrtCUDAProviderOptions();
            cuda.UpdateOptions(new Dictionary<string, string>
            {
                ["device_id"] = device.ToString(System.Globalization.CultureInfo.InvariantCulture),
                // TF32 drops mantissa bits that the CPU keeps.
                ["use_tf32"] = "0",
            });
            options.AppendExecutionProvider_CUDA(cuda);
            return options;
        }
        catch
        {
            options.Dispose();
            throw;
        }
    }
}
