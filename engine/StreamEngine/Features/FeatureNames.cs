using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Expressions;

namespace StreamEngine.Features;

/// <summary>What the features are called: the numbers of the vector, and the texts behind them.</summary>
internal sealed class FeatureNames
{
    /// <summary>The column of results that holds the customer's id.</summary>
    private const string Customer = "customer_id";

    private readonly List<string> _numbers = [];
    private readonly List<TextFeature> _texts = [];
    private readonly List<NamesFeature> _ranked = [];

    private FeatureNames() { }

    /// <summary>The numbers in vector order.</summary>
    public IReadOnlyList<string> Numbers => _numbers;

    /// <summary>The texts, with their places.</summary>
    public VectorTexts Texts { get; private set; } = VectorTexts.None;

    /// <summary>What each feature makes, in the config's order.</summary>
    public IReadOnlyList<FeatureShape> Shapes { get; private set; } = [];

    /// <summary>The names of all features; bad and repeated ones are mistakes.</summary>
    /// <param name="options">The features.</param>
    /// <param name="isText">Whether a feature's operand is a text.</param>
    /// <param name="errors">Takes the mistakes.</param>
    public static FeatureNames Of(IReadOnlyList<FeatureOptions> options, Func<FeatureOptions, bool> isText, ConfigErrors errors)
    {
        var names = new FeatureNames();
        List<FeatureShape> shapes = [.. options.Select(o => Shape(o, isText))];
        Check(shapes, errors);
        for (var i = 0; i < shapes.Count; i++)
        {
            shapes[i] = shapes[i] with { Index = names._numbers.Count };
            names._numbers.AddRange(shapes[i].Numbers);
        }
        for (var i = 0; i < shapes.Count; i++)
        {
            var shape = shapes[i] = shapes[i] with { Place = names._numbers.Count + names._texts.Count * KeptText.Places };
            foreach (var text in shape.Texts)
                names._texts.Add(new TextFeature(text, names._numbers.Count + names._texts.Count * KeptText.Places));
            if (shape.IsRanked) names._ranked.Add(new NamesFeature(shape.Options.Name, shape.Texts.Count, shape.Place, shape.Index));
        }
        (names.Texts, names.Shapes) = (new VectorTexts(names._texts, names._ranked), shapes);
        return names;
    }

    private static FeatureShape Shape(FeatureOptions feature, Func<FeatureOptions, bool> isText) => feature switch
    {
        { Op: FeatureOperator.Top } => new FeatureShape(feature, TopOperator.Weights(feature), TopOperator.Texts(feature)),
        { Op: { } op, Of: not null } when OperatorTable.Of(op).Of == OperandNeed.NumberOrText && isText(feature) =>
            new FeatureShape(feature, [], [feature.Name]),
        { Op: { } op } => new FeatureShape(feature, [.. OperatorTable.Of(op).Suffixes.Select(suffix => feature.Name + suffix)], []),
        _ => new FeatureShape(feature, [feature.Name], []),
    };

    private static void Check(IEnumerable<FeatureShape> shapes, ConfigErrors errors)
    {
        var owners = new Dictionary<string, string>();
        foreach (var shape in shapes)
        {
            var feature = shape.Options;
            if (!IsIdentifier(feature.Name))
                errors.Add(feature.Node.At, $"'{feature.Name}' can't be a feature's name",
                    "Use letters, digits and underscores, with no digit first, so that expressions can say features.NAME");
            IEnumerable<string> names = [.. shape.Numbers, .. shape.Texts];
            foreach (var name in shape.IsRanked ? names.Append(feature.Name) : names)
            {
                if (name == Customer)
                    errors.Add(feature.Node.At, $"'{name}' can't be a feature's name: results have the customer's id under it",
                        "Rename it");
                if (!owners.TryAdd(name, feature.Name))
                    errors.Add(feature.Node.At, $"there are two features named '{name}'"
                        + (owners[name] == feature.Name ? "" : $" (from '{owners[name]}' and '{feature.Name}')"), "Rename one of them");
            }
        }
    }

    private static bool IsIdentifier(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');
}
