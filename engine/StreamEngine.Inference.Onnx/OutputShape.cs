using System.Collections.Immutable;
using Microsoft.ML.OnnxRuntime;

namespace StreamEngine.Inference.Onnx;

/// <summary>Asks a graph that leaves its output's shape open by running one row.</summary>
internal static class OutputShape
{
    /// <summary>The output's shape for one row: [1] or [1, columns].</summary>
    /// <exception cref="ModelException">The run fails, or its result has no row for each row.</exception>
    public static long[] Of(InferenceSession session, RunOptions run, ImmutableArray<GraphInput> inputs, ModelManifest manifest,
        double[] example, string file)
    {
        var buffers = inputs.Select(i => InputBuffers.Make(i, manifest, 1)).ToArray();
        try
        {
            int[] features = [.. Enumerable.Range(0, example.Length)];
            for (var i = 0; i < buffers.Length; i++)
                buffers[i].Fill(example, example.Length, features.AsSpan(inputs[i].First, inputs[i].Width), 1, new bool[1]);
            using var results = session.Run(run, [.. inputs.Select(i => i.Name)], [.. buffers.Select(b => b.ValueOf(1))],
                session.OutputNames);
            var shape = results[0].GetTensorTypeAndShape().Shape;
            return shape is [1] or [1, _] ? shape : throw new ModelException(
                $"{file} made of one row a result of the shape [{string.Join(", ", shape)}]: it must have a row for each row");
        }
        catch (OnnxRuntimeException cause)
        {
            throw new ModelException($"{file} failed on one row of {example.Length} columns: {Sessions.Reason(cause)}", cause)
            {
                Remedy = Remedies.Example,
            };
        }
        finally
        {
            Array.ForEach(buffers, b => b.Dispose());
        }
    }
}
