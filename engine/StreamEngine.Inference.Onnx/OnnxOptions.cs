namespace StreamEngine.Inference.Onnx;

/// <summary>Which execution provider of ONNX Runtime runs the models.</summary>
public enum OnnxProvider
{
    /// <summary>CUDA where its provider library is present and has a kernel for every operator of the model, else the CPU.</summary>
    Auto,

    /// <summary>The CPU.</summary>
    Cpu,

    /// <summary>CUDA, or an error that says what is missing.</summary>
    Cuda,
}

/// <summary>How models are loaded.</summary>
public sealed record OnnxOptions
{
    /// <summary>The execution provider; <see cref="IModel.Provider"/> reports the one that really runs.</summary>
    public OnnxProvider Provider { get; init; } = OnnxProvider.Auto;

    /// <summary>The GPU's number, from 0; used by CUDA only.</summary>
    public int Device { get; init; }
}
