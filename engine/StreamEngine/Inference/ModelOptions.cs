using StreamEngine.Configuration;

namespace StreamEngine.Inference;

/// <summary>Which execution provider runs a model.</summary>
public enum ModelProvider
{
    /// <summary>CUDA where it is here and has a kernel for every operator of the model, else the CPU.</summary>
    Auto,

    /// <summary>The CPU.</summary>
    Cpu,

    /// <summary>CUDA, or an error that says what is missing.</summary>
    Cuda,
}

/// <summary>A model that offers refer to.</summary>
public sealed record ModelOptions : ILocated
{
    /// <summary>The name that offers refer to.</summary>
    public string Name { get; init; } = "";

    [Doc("The folder with one sub-folder per version, relative to the config file; models/NAME where absent.")]
    public string? Path { get; init; }

    [Doc("The version's folder; the newest (highest number) where absent.")]
    public string? Version { get; init; }

    [Doc("auto: on the GPU where the CUDA build is used, CUDA is here and has a kernel for every operator, else on the CPU. cpu, or cuda: "
        + "there or not at all.")]
    public ModelProvider Provider { get; init; } = ModelProvider.Auto;

    [Doc("The GPU's number, where the model runs on one.")]
    [Bounds(0, 1_023)]
    public int Device { get; init; }

    [Doc("How long the model may take to load, its first run included; then the start is given up with a message.")]
    [Bounds(1, 86_400)]
    public TimeSpan LoadTimeout { get; init; } = TimeSpan.FromMinutes(1);

    [Doc("By how much the process may grow while the model is loaded and run once; then the start is given up with a message.")]
    [Bounds(1 << 20, 1L << 50)]
    public ByteSize LoadMemory { get; init; } = ByteSize.Mb(4_096);

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}
