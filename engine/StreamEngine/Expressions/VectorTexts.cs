using StreamEngine.Events;

namespace StreamEngine.Expressions;

/// <summary>The texts behind the numbers of a feature vector.</summary>
/// <param name="Texts">All of them in order, <see cref="KeptText.Places"/> places each.</param>
/// <param name="Ranked">Runs of them that are lists, with weights.</param>
public sealed record VectorTexts(IReadOnlyList<TextFeature> Texts, IReadOnlyList<NamesFeature> Ranked)
{
    /// <summary>Of a vector without texts.</summary>
    public static VectorTexts None { get; } = new([], []);

    /// <summary>The texts by name, as a vector has them.</summary>
    public List<KeyValuePair<string, string>> Of(ReadOnlySpan<double> vector)
    {
        var all = new List<KeyValuePair<string, string>>(Texts.Count);
        foreach (var text in Texts) all.Add(new(text.Name, KeptText.In(vector, text.Place).ToString()));
        return all;
    }
}

/// <summary>A feature that is a text: <c>features.NAME</c>.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Place">Its place in the vector.</param>
public sealed record TextFeature(string Name, int Place);

/// <summary>
/// A feature that is a list of names, the strongest first, each with a weight: <c>'shoes' in features.NAME</c>,
/// <c>features.NAME['shoes']</c>.
/// </summary>
/// <param name="Name">Its name.</param>
/// <param name="Count">How many names there are at most.</param>
/// <param name="Place">The place of the first name in the vector.</param>
/// <param name="Weights">The place of the first weight.</param>
public sealed record NamesFeature(string Name, int Count, int Place, int Weights);
