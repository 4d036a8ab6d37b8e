using System.Collections;
using StreamEngine.Configuration;
using StreamEngine.Host.Configuration;
using StreamEngine.Inference.Onnx;
using StreamEngine.Runtime;

namespace StreamEngine.Benchmarks;

/// <summary>The measured job's config, <c>perf/job/streamengine.yaml</c>: twelve features, five offers, one model.</summary>
internal static class MeasuredJob
{
    /// <summary>Compiles it, with overrides as <c>--set</c> takes them.</summary>
    public static CompiledEngine Compile(params string[] sets)
    {
        var errors = new ConfigErrors();
        var loaded = ConfigLoader.Load(Repository.File("perf/job/streamengine.yaml"), sets, new Hashtable(), errors);
        errors.ThrowIfAny();
        var engine = CompiledEngine.Compile(loaded.Options, loaded.BaseDirectory, new OnnxModelLoader(), errors);
        errors.ThrowIfAny();
        return engine!;
    }
}
