using StreamEngine.Configuration;
using StreamEngine.Decisions;
using StreamEngine.Expressions;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Replay.Comparison;
using StreamEngine.Runtime;
using StreamEngine.Runtime.Catalogue;

namespace StreamEngine.Host.Evaluation.OffPolicy;

/// <summary>
/// Holds that a config can be evaluated on another one's log: what it reads of the vector must mean the same there. And says what of its
/// differences the log can't tell.
/// </summary>
internal static class PolicyConfigs
{
    /// <summary>Sections by which the same event is other features.</summary>
    private static readonly string[] Deciding = ["duplicates", "purposes"];

    /// <summary>Adds a mistake for everything by which the config can't be evaluated on the log, at its place.</summary>
    /// <param name="log">The config that decided.</param>
    /// <param name="policy">The config that is evaluated.</param>
    /// <param name="file">The file of the first, for messages.</param>
    /// <param name="errors">Takes the mistakes.</param>
    public static void Check(CompiledEngine log, CompiledEngine policy, string file, ConfigErrors errors)
    {
        var (a, b) = ((HostOptions)log.Options, (HostOptions)policy.Options);
        ComparableConfigs.Check(a, b, file, errors);
        foreach (var section in Deciding)
            if (ConfigDifference.Text(a.Node[section]) != ConfigDifference.Text(b.Node[section]))
                errors.Add(b.Node, section, $"it is not as in {file}: the log's features are of other events", "Write it as there");
        foreach (var table in policy.Tables)
            if (log.Tables.FirstOrDefault(t => t.Shape.Name == table.Shape.Name) is { } other && other.Sha256 != table.Sha256)
                errors.Add(b.Node, "tables", $"the table {table.Shape.Name} has other rows than that of {file}: the log's features are "
                    + "made of those", "Give both the same file");
        if (a.Decisions.Purpose != b.Decisions.Purpose)
            errors.Add(b.Decisions.Node, "purpose", $"it is not as in {file}: decision records do not have who consents to what",
                "Write it as there");
        if (b.Decisions.DefaultOffer is { } offer && offer != a.Decisions.DefaultOffer)
            errors.Add(b.Decisions.Node, "default_offer", $"it is not as in {file}: decision records do not have which customers were new, "
                + "to whom it goes first", "Write it as there, or take it out");
        foreach (var learning in b.Decisions.Exploration.Where(e => e.Method == ExplorationMethod.Thompson))
            errors.Add(learning.Node, "method", TargetPolicy.WhyNotLearning,
                "Evaluate the config with another method in this placement, e.g. greedy: 'epsilon_greedy' with 'epsilon: 0'");
        ComparableConfigs.CheckSchemas(log, policy, file, errors);
        CheckFeatures(log, policy, file, errors);
        CheckModels(log, policy, file, errors);
    }

    /// <summary>What of the config's differences the log can't tell.</summary>
    public static IEnumerable<string> Notes(CompiledEngine log, CompiledEngine policy)
    {
        yield return "each served decision is decided again by itself: features, limits and what is switched off are as the log's own "
            + "decisions have left them";
        if (Differ("triggers") || ConfigDifference.Text(log.Options.Node["timers"]) != ConfigDifference.Text(policy.Options.Node["timers"]))
            yield return "triggers or timers differ: other decisions would be opened, and those of the log are evaluated";
        if (Differ("caps") || Differ("suppressions") || Differ("quiet_hours") || Differ("budgets"))
            yield return "caps, suppressions, quiet hours or budgets differ: what they would drop is not in the log, whose own "
                + "verdicts stand";
        if (Differ("holdout")) yield return "the holdout differs: who is kept back is not evaluated, only decisions that were shown are";

        bool Differ(string name) => ConfigDifference.Text(log.Options.Decisions.Node[name])
            != ConfigDifference.Text(policy.Options.Decisions.Node[name]);
    }

    /// <summary>All that the config says of where a field of events comes from, on one line.</summary>
    public static string Source(CompiledEngine engine, string field) => string.Join(", ",
        FieldSource.Of(engine.Options, field).Select(s => $"{s.Path}: {ConfigDifference.Text(s.Node)}"));

    /// <summary>Every feature that offers and their models read, also by way of others, must be in the log and mean the same.</summary>
    private static void CheckFeatures(CompiledEngine log, CompiledEngine policy, string file, ConfigErrors errors)
    {
        var (there, here) = (FeatureCatalogue.Of(log), FeatureCatalogue.Of(policy));
        var open = new Stack<string>(Read(policy));
        var seen = new HashSet<FeatureEntry>();
        while (open.TryPop(out var name))
        {
            if (FeatureCatalogue.Find(here, name, out _) is not { } feature || !seen.Add(feature)) continue;
            foreach (var read in feature.Reads) open.Push(read);
            var node = policy.Options.Features.First(f => f.Name == feature.Name).Node;
            if (there.FirstOrDefault(f => f.Name == feature.Name) is not { } other)
                errors.Add(node.At, $"{file} has no feature '{feature.Name}', so that the log has no values of it",
                    "Evaluate offers and models that read the log's features only, or decide with it first");
            else if (Meaning(feature, policy) is var meaning && Meaning(other, log) is var logged && meaning != logged)
                errors.Add(node.At, $"the feature '{feature.Name}' means something else in {file}: {Short(meaning, logged)} here, "
                    + $"{Short(logged, meaning)} there", "Write it as there, or give it another name");
        }
    }

    private static IEnumerable<string> Read(CompiledEngine engine)
    {
        var texts = engine.Options.Offers.SelectMany(o => new[] { o.Eligible, o.Applicable, o.Suitable, o.Context, o.Value }
            .Concat(o.Levers.Select(l => l.By))).OfType<ExprText>()
            .Concat(engine.Options.Decisions.Experiments.SelectMany(e => e.Variations)
                .SelectMany(v => v.Levers.Select(l => l.By).Concat(v.Values.Concat(v.Contexts).Select(t => t.Is))));
        return texts.SelectMany(t => ExpressionCompiler.References(t).Features)
            .Concat(engine.Policy.Models.SelectMany(m => m.Model.Manifest.Inputs));
    }

    /// <summary>Every number that a used model takes must be in the log: a model would take a missing one for a value that is missing.
    /// </summary>
    private static void CheckModels(CompiledEngine log, CompiledEngine policy, string file, ConfigErrors errors)
    {
        foreach (var model in policy.Policy.Models)
            foreach (var input in model.Model.Manifest.Inputs.Except(log.Features.Names))
                errors.Add(policy.Options.Node, "models", $"{model.Model.Manifest.Name} takes '{input}', which is no number of the feature "
                    + $"vector of {file}", "Evaluate a model whose inputs are in the log, or decide with them first");
    }

    /// <summary>
    /// What a feature is, with the options that are applied when it is read, and the fields that it is made of, as they are declared.
    /// </summary>
    private static string Meaning(FeatureEntry feature, CompiledEngine engine)
    {
        var options = engine.Options.Features.First(f => f.Name == feature.Name);
        var parts = new List<string> { feature.Definition, $"default {feature.Default:R}", $"unit {feature.Unit}" };
        if (options.Quantile is { } quantile) parts.Add($"quantile {quantile:R}");
        if (options.PriorWeight is { } weight) parts.Add($"prior {options.Prior ?? 0:R} with the weight {weight:R}");
        if (options.Previous) parts.Add("previous true");
        if (feature.Texts.Count > 0) parts.Add($"k {feature.Texts.Count}");
        foreach (var field in feature.Fields)
            parts.Add($"{field.Field} from {string.Join(", ", field.From)} as {Source(engine, field.Field)}");
        return string.Join("; ", parts);
    }

    /// <summary>The part of a text that another one does not have.</summary>
    private static string Short(string text, string other) =>
        string.Join("; ", text.Split("; ").Except(other.Split("; "))) is { Length: > 0 } own ? $"'{own}'" : "less";
}
