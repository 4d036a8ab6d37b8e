using System.Globalization;
using StreamEngine.Configuration;
using StreamEngine.Decisions;
using StreamEngine.Inference.Onnx;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Explanation;

/// <summary>
/// Tells what each feature has added to the scores of a decision, from the vector in its record and the model's file. A score that does not
/// come out as the record has it is not explained. Safe to use from several threads.
/// </summary>
internal sealed class DecisionReasons
{
    /// <summary>How many features are told of each score, where nothing else is said.</summary>
    public const int Usual = 5;

    /// <summary>By how much a score may miss the record's: ONNX Runtime adds floats.</summary>
    private const double Tolerance = 1e-5;

    private readonly CompiledEngine _engine;
    private readonly int _most;
    private readonly Lazy<ModelReasons>[] _models;
    private readonly double[] _nobody;

    /// <param name="engine">The config at hand.</param>
    /// <param name="most">The most features that are told of each score.</param>
    public DecisionReasons(CompiledEngine engine, int most = Usual)
    {
        (_engine, _most) = (engine, most);
        _models = [.. engine.Policy.Models.Select(use => new Lazy<ModelReasons>(() => ModelReasons.Of(use.Model)))];
        _nobody = new double[engine.Features.Width];
        engine.Features.ReadEmpty(_nobody);
    }

    /// <summary>The reasons of each score that candidates have; none where no candidate was scored.</summary>
    /// <param name="decision">The decision.</param>
    /// <param name="reasons">What tells them; null where no config is at hand.</param>
    public static IReadOnlyList<ExplainedScore> Of(ExplainedDecision decision, DecisionReasons? reasons)
    {
        var scored = decision.Candidates.Where(c => c.PSource == "model").ToList();
        if (scored.Count == 0) return [];
        if (reasons is not null && decision.ConfigIsSame) return [.. reasons.Of(decision, scored)];
        return [.. decision.Models.Select(m => new ExplainedScore
        {
            Model = m.Name,
            Version = m.Version,
            Offers = [],
            Refusal = reasons is null ? "No config is at hand: name the one that decided." : reasons.Another(decision, m),
        })];
    }

    /// <summary>Why nothing is told under another config than the one that decided.</summary>
    private string Another(ExplainedDecision decision, ExplainedModel model) =>
        _engine.Models.Models.TryGetValue(model.Name, out var here) && here.Manifest.Version != model.Version
            ? $"Version {model.Version} scored, and the config at hand has version {here.Manifest.Version}: take the config that decided, "
                + $"with models.{model.Name}.version: {model.Version}."
            : $"Config {decision.ConfigHash} decided, and not the one at hand ({_engine.ConfigHash}): its features, or the model's file, "
                + "may be others. Take the config that decided.";

    private IEnumerable<ExplainedScore> Of(ExplainedDecision decision, List<ExplainedOffer> scored)
    {
        var vector = decision.Features.Select(f => f.Value).ToArray();
        var terms = Terms(decision);
        foreach (var group in scored.Where(c => terms.ContainsKey(c.Offer)).GroupBy(c => (terms[c.Offer].Model, terms[c.Offer].Output)))
        {
            var use = _engine.Policy.Models[group.Key.Model];
            var told = new ExplainedScore
            {
                Model = use.Name,
                Version = use.Model.Manifest.Version,
                Output = use.Model.Manifest.Outputs[group.Key.Output],
                Offers = [.. group.Select(c => c.Offer)],
            };
            yield return Explain(told, group.Key.Model, group.Key.Output, vector, group.First().P);
        }
    }

    /// <summary>By offer, which score it had in the customer's variations.</summary>
    private Dictionary<string, PropensityTerm> Terms(ExplainedDecision decision)
    {
        var policy = _engine.Policy;
        int[] variations = [.. policy.Experiments.Select(e => decision.Assignments.FirstOrDefault(a => a.Experiment == e.Name) is { } a
            ? e.Variations.Select(v => v.Name).ToList().IndexOf(a.Variation) : -1)];
        return policy.Offers.Select((o, i) => (o.Name, Term: policy.Plan.TermOf(i, e => variations[e])))
            .ToDictionary(t => t.Name, t => t.Term);
    }

    private ExplainedScore Explain(ExplainedScore told, int model, int output, double[] vector, double p)
    {
        var (reasons, use) = (_models[model].Value, _engine.Policy.Models[model]);
        if (reasons.Refusal.Length > 0)
            return told with { Refusal = $"Contributions of features are not told of this model: {reasons.Refusal}." };
        var inputs = use.Inputs.Select(i => i < vector.Length ? vector[i] : double.NaN).ToArray();
        var score = reasons.Explain(output, inputs, [.. use.Inputs.Select(i => _nobody[i])]);
        if (!(Math.Abs(Math.Clamp(score.Score, 0, 1) - p) <= Tolerance))
            return told with
            {
                Refusal = string.Create(CultureInfo.InvariantCulture, $"Contributions of features are not told: they make a P of ")
                    + string.Create(CultureInfo.InvariantCulture, $"{score.Score:G7}, and the record has {p:G7}."),
            };
        if (!double.IsFinite(score.Base) || !score.Contributions.All(double.IsFinite))
            return told with
            {
                Refusal = "The model has no score for a customer of whom nothing is known, with whom it would be compared.",
            };
        var all = score.Contributions.Select((c, i) => new ExplainedReason(use.Model.Manifest.Inputs[i], inputs[i], c))
            .Where(r => r.Contribution != 0).OrderByDescending(r => Math.Abs(r.Contribution)).ToList();
        return told with
        {
            Method = Spelling.Snake(score.Method.ToString()),
            ComparedWith = score.Method == ReasonMethod.PathDependent ? "training" : "new_customer",
            Unit = score.Unit,
            Base = score.Base,
            Raw = score.Raw,
            P = score.Score,
            Reasons = [.. all.Take(_most)],
            OtherFeatures = Math.Max(0, all.Count - _most),
            Others = all.Skip(_most).Sum(r => r.Contribution),
        };
    }
}
