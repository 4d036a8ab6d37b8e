using System.Collections.Immutable;
using StreamEngine.Configuration;

namespace StreamEngine.Inference;

/// <summary>A model that the config uses, with the places of its inputs in the feature vector.</summary>
/// <param name="Name">The model's name in the config.</param>
/// <param name="Model">The loaded model.</param>
/// <param name="Inputs">For each input column, the feature's index in the vector.</param>
public sealed record ModelUse(string Name, IModel Model, ImmutableArray<int> Inputs)
{
    /// <summary>
    /// Resolves the model's input names against the features; an input that is no feature is a config error at <paramref name="node"/>.
    /// </summary>
    /// <param name="name">The model's name in the config.</param>
    /// <param name="model">The loaded model.</param>
    /// <param name="featureNames">The features in vector order.</param>
    /// <param name="node">Where the config names the model.</param>
    /// <param name="errors">Receives what is wrong.</param>
    public static ModelUse Bind(string name, IModel model, IReadOnlyList<string> featureNames, ConfigNode node, ConfigErrors errors)
    {
        var inputs = new int[model.Manifest.Inputs.Count];
        for (var column = 0; column < inputs.Length; column++)
        {
            var input = model.Manifest.Inputs[column];
            for (inputs[column] = featureNames.Count - 1; inputs[column] >= 0; inputs[column]--)
                if (featureNames[inputs[column]] == input) break;
            if (inputs[column] >= 0) continue;
            inputs[column] = 0;
            errors.Add(node.At, $"model {name} {model.Manifest.Version} reads '{input}', which is no feature",
                $"{KnownNames.Hint(input, featureNames, "features")}; a model's inputs are listed in its model.json");
        }
        return new ModelUse(name, model, [.. inputs]);
    }
}
