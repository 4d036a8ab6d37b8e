using StreamEngine.Configuration;
using StreamEngine.Decisions;
using StreamEngine.Expressions;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Evaluation.OffPolicy;

/// <summary>A part of an offer: whether it is as in the log's config, and why it can't be computed from records.</summary>
/// <param name="IsSame">Whether the log's config has the same: then what the record says of it holds.</param>
/// <param name="Unknown">Why it can't be computed; null where it can.</param>
internal sealed record OfferPart(bool IsSame, string? Unknown);

/// <summary>
/// An offer of the evaluated config beside that of the log's config: what is the same, and what records tell of the rest.
/// </summary>
internal sealed class OfferComparison
{
    private readonly CompiledEngine _log, _policy;
    private readonly OfferOptions? _old;
    private readonly LoggedNames _names;

    /// <param name="log">The config that decided.</param>
    /// <param name="policy">The config that is evaluated.</param>
    /// <param name="offer">The offer's index in it.</param>
    /// <param name="names">What records have.</param>
    public OfferComparison(CompiledEngine log, CompiledEngine policy, int offer, LoggedNames names)
    {
        (_log, _policy, _names) = (log, policy, names);
        (Offer, Options) = (policy.Policy.Offers[offer], policy.Options.Offers[offer]);
        _old = log.Options.Offers.FirstOrDefault(o => o.Name == Offer.Name);
        Eligible = Rule(Options.Eligible, _old?.Eligible, "eligible");
        Applicable = Rule(Options.Applicable, _old?.Applicable, "applicable");
        Suitable = Rule(Options.Suitable, _old?.Suitable, "suitable");
        var hasSameExperiments = Replay.Comparison.ConfigDifference.Text(policy.Options.Decisions.Node["experiments"])
            == Replay.Comparison.ConfigDifference.Text(log.Options.Decisions.Node["experiments"]);
        Context = Tried(o => o.Context, v => v.Contexts.Select(c => (c.Name, c.Is)), "context");
        Value = Tried(o => o.Value, v => v.Values.Select(c => (c.Name, c.Is)), "value");
        var levers = Part(Levers(Options, policy), _old is null ? null : Levers(_old, log), "levers");
        Levered = levers with { IsSame = levers.IsSame && SameLevers(log, policy, hasSameExperiments) };
        HasLimit = policy.Options.Decisions.Caps.Concat<IContactLimit>(policy.Options.Decisions.Suppressions).Any(IsAbout)
            || policy.Options.Decisions.QuietHours.Any(q => q.Channels.Count == 0 || q.Channels.Contains(Options.Channel))
            || policy.Policy.Budgets.Any(b => b.Costs[offer] >= 0);
        HasSameScore = _old is not null && IsSameScore(log, policy, hasSameExperiments);

        // A factor that experiments try another one for is as the record has it only where they are the same.
        OfferPart Tried(Func<OfferOptions, ExprText> own, Func<VariationOptions, IEnumerable<(string Offer, ExprText Is)>> tried,
            string name)
        {
            var (here, there) = (Of(policy, Options), _old is null ? null : Of(log, _old));
            return new OfferPart(Part(here, there, name).IsSame && (here.Count == 1 || hasSameExperiments), Why(own(Options), name));

            List<ExprText> Of(CompiledEngine engine, OfferOptions offer) => [own(offer), .. engine.Options.Decisions.Experiments
                .SelectMany(e => e.Variations).SelectMany(tried).Where(t => t.Offer == offer.Name).Select(t => t.Is)];
        }
    }

    /// <summary>The offer.</summary>
    public CompiledOffer Offer { get; }

    /// <summary>Its options.</summary>
    public OfferOptions Options { get; }

    /// <summary>Who may get it.</summary>
    public OfferPart Eligible { get; }

    /// <summary>Whether it fits now.</summary>
    public OfferPart Applicable { get; }

    /// <summary>Whether it is good for the customer.</summary>
    public OfferPart Suitable { get; }

    /// <summary>C.</summary>
    public OfferPart Context { get; }

    /// <summary>V.</summary>
    public OfferPart Value { get; }

    /// <summary>L.</summary>
    public OfferPart Levered { get; }

    /// <summary>Whether a limit of the config, quiet hours or a budget may drop it.</summary>
    public bool HasLimit { get; }

    /// <summary>Whether P comes from the same output of the same model.</summary>
    public bool HasSameScore { get; }

    private bool IsAbout(IContactLimit limit) => (limit.Offers.Count == 0 || limit.Offers.Contains(Offer.Name))
        && (limit.Channels.Count == 0 || limit.Channels.Contains(Options.Channel))
        && (limit.Groups.Count == 0 || limit.Groups.Contains(Options.Group))
        && (limit.Per != LimitScope.Group || Options.Group.Length > 0);

    /// <summary>Why a factor can't be computed for a customer; null where it can.</summary>
    /// <param name="part">The offer's own factor.</param>
    /// <param name="tried">What a variation tries in its place.</param>
    /// <param name="name">What the factor is called.</param>
    /// <param name="variations">By experiment, the customer's variation; -1 for none.</param>
    public string? Unknown(OfferPart part, Func<VariationOptions, IEnumerable<ExperimentTermOptions>> tried, string name,
        ReadOnlySpan<int> variations)
    {
        ExprText? text = null;
        for (var i = 0; i < variations.Length; i++)
            if (variations[i] >= 0)
                text = tried(_policy.Options.Decisions.Experiments[i].Variations[variations[i]])
                    .FirstOrDefault(t => t.Name == Offer.Name)?.Is ?? text;
        return text is null ? part.Unknown : Why(text, name);
    }

    private OfferPart Rule(ExprText? text, ExprText? old, string name) =>
        new(_old is not null && (text is null) == (old is null) && (text is null || IsSame(text, old!)),
            text is null ? null : Why(text, name));

    private OfferPart Part(IReadOnlyList<ExprText> texts, IReadOnlyList<ExprText>? old, string name) =>
        new(old is not null && texts.Count == old.Count && texts.Zip(old).All(pair => IsSame(pair.First, pair.Second)),
            texts.Select(text => Why(text, name)).FirstOrDefault(why => why is not null));

    private string? Why(ExprText text, string name) => _names.Missing(text) is { } missing
        ? $"offers.{Offer.Name}.{name} reads {missing}, which decision records do not have" : null;

    /// <summary>
    /// The same text, of the offer's own constants that it reads the same values, and of the fields of events the same sources.
    /// </summary>
    private bool IsSame(ExprText text, ExprText old) => text.Text.Trim() == old.Text.Trim()
        && ExpressionCompiler.References(text).Event.All(field => PolicyConfigs.Source(_policy, field) == PolicyConfigs.Source(_log, field))
        && ExpressionCompiler.References(text).Of("offer").All(name => name == "name"
            || (name == "channel" ? Options.Channel == _old!.Channel
                : Options.Attributes.GetValueOrDefault(name) == _old!.Attributes.GetValueOrDefault(name)));

    /// <summary>The offer's levers, then those that experiments try on it.</summary>
    private static List<ExprText> Levers(OfferOptions offer, CompiledEngine engine) => [.. offer.Levers.Select(l => l.By),
        .. engine.Options.Decisions.Experiments.SelectMany(e => e.Variations).SelectMany(v => v.Levers).Where(l => l.Name == offer.Name)
            .Select(l => l.By)];

    private bool SameLevers(CompiledEngine log, CompiledEngine policy, bool hasSameExperiments)
    {
        var (a, b) = (Options.Levers.Select(l => l.Factor), _old?.Levers.Select(l => l.Factor) ?? []);
        if (!a.SequenceEqual(b)) return false;
        return Levers(Options, policy).Count == Options.Levers.Count && Levers(_old!, log).Count == _old!.Levers.Count
            || hasSameExperiments;
    }

    /// <summary>Whether P comes from the same output of the same model, in every variation too.</summary>
    private bool IsSameScore(CompiledEngine log, CompiledEngine policy, bool hasSameExperiments)
    {
        var (here, there) = (Scores(policy, Offer.Name), Scores(log, Offer.Name));
        return (here.Count == 1 && there.Count == 1 || hasSameExperiments && here.Count == there.Count)
            && here.Zip(there).All(pair => IsSame(pair.First, pair.Second, policy, log));
    }

    /// <summary>The offer's own propensity, then those that experiments try.</summary>
    private static List<PropensityTerm> Scores(CompiledEngine engine, string name)
    {
        var offer = engine.Policy.Offers.ToList().FindIndex(o => o.Name == name);
        return [engine.Policy.Offers[offer].Propensity, .. engine.Policy.Experiments.SelectMany(e => e.Variations)
            .Select(v => v.Propensities[offer]).OfType<PropensityTerm>()];
    }

    private static bool IsSame(PropensityTerm here, PropensityTerm there, CompiledEngine policy, CompiledEngine log)
    {
        if (here.Model < 0 || there.Model < 0) return here.Model == there.Model;
        var (a, b) = (policy.Policy.Models[here.Model].Model.Manifest, log.Policy.Models[there.Model].Model.Manifest);
        return (a.Sha256, a.Choices) == (b.Sha256, b.Choices) && a.Outputs[here.Output] == b.Outputs[there.Output]
            && a.Inputs.SequenceEqual(b.Inputs);
    }
}
