using System.Collections.Immutable;
using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Expressions;
using StreamEngine.State;

namespace StreamEngine.Decisions;

/// <summary>Compiles the options of experiments, collecting every mistake.</summary>
/// <param name="offers">The offers in config order.</param>
/// <param name="scope">What expressions may read of an offer: its own constants are among it.</param>
/// <param name="propensity">Compiles where a propensity comes from.</param>
/// <param name="errors">Receives every mistake.</param>
internal sealed class ExperimentCompiler(IReadOnlyList<OfferOptions> offers, Func<OfferOptions, Scope> scope,
    Func<PropensityOptions, PropensityTerm> propensity, ConfigErrors errors)
{
    /// <summary>How far the weights' sum may be from 1, as GrowthBook has it.</summary>
    private const double Slack = 0.01;

    private readonly string[] _names = [.. offers.Select(o => o.Name)];

    /// <summary>By offer, all treatments it may have: its own first, then those that variations try.</summary>
    public ImmutableArray<string> Treatments(int offer, IReadOnlyList<ExperimentOptions> experiments) =>
        [.. new[] { offers[offer].Treatment }.Concat(experiments.SelectMany(e => e.Variations)
            .Where(v => v.Treatments.ContainsKey(_names[offer])).Select(v => v.Treatments[_names[offer]])).Distinct()];

    public IReadOnlyList<Experiment> Compile(IReadOnlyList<ExperimentOptions> experiments, StateLayout layout)
    {
        var number = 0;
        var compiled = experiments.Select(e => new Experiment
        {
            Name = e.Name,
            Seed = [.. Encoding.UTF8.GetBytes(e.Seed ?? e.Name)],
            Namespace = e.Namespace is { } space ? [.. Encoding.UTF8.GetBytes($"__{space.Name}")] : null,
            InNamespace = (e.Namespace?.From ?? 0, e.Namespace?.To ?? 1),
            Sticky = e.Sticky ? new StickyBuckets(e, layout) : null,
            Ranges = [.. BucketRanges.Of(e.Variations.Count, e.Coverage, Weights(e))],
            Variations = [.. e.Variations.Select(v => Variation(v, number++, experiments))],
        }).ToArray();
        Check(experiments);
        return compiled;
    }

    private Variation Variation(VariationOptions options, int number, IReadOnlyList<ExperimentOptions> experiments)
    {
        foreach (var name in options.Without.Concat(options.Treatments.Keys).Concat(options.Levers.Select(l => l.Name))
            .Concat(options.Propensities.Select(p => p.Name)).Concat(options.Values.Concat(options.Contexts).Select(t => t.Name))
            .Except(_names))
            errors.Add(options.Node.At, $"'{name}' is no offer", KnownNames.Hint(name, _names, "offers"));
        var levers = new DoubleExpr?[offers.Count];
        foreach (var lever in options.Levers)
            if (Array.IndexOf(_names, lever.Name) is var offer and >= 0)
                levers[offer] = ExpressionCompiler.Double(lever.By, scope(offers[offer]), errors);
        return new Variation(options.Name, number, [.. _names.Select(options.Without.Contains)],
            [.. _names.Select((name, i) => options.Treatments.TryGetValue(name, out var treatment)
                ? Treatments(i, experiments).IndexOf(treatment) : 0)], [.. levers],
            [.. offers.Select(o => Tried(options.Propensities.FirstOrDefault(p => p.Name == o.Name), o))],
            [.. offers.Select(o => Tried(options.Values.FirstOrDefault(v => v.Name == o.Name), o))],
            [.. offers.Select(o => Tried(options.Contexts.FirstOrDefault(c => c.Name == o.Name), o))]);
    }

    private DoubleExpr? Tried(ExperimentTermOptions? term, OfferOptions offer) =>
        term is null ? null : ExpressionCompiler.Double(term.Is, scope(offer), errors);

    /// <summary>What is tried in the place of the offer's own propensity: what it does not say is as there.</summary>
    private PropensityTerm? Tried(ExperimentPropensityOptions? tried, OfferOptions offer)
    {
        if (tried is null) return null;
        if (tried is { Model: null, Output: null, Default: null })
        {
            errors.Add(tried.Node.At, $"no other propensity of {offer.Name} is given", "Name a model, an output of the offer's model, or a "
                + "number");
            return null;
        }
        return propensity(new PropensityOptions
        {
            Model = tried.Model ?? (tried.Output is null ? null : offer.Propensity.Model),
            Output = tried.Output,
            Default = tried.Default ?? offer.Propensity.Default,
            Node = tried.Node,
        });
    }

    private IReadOnlyList<double>? Weights(ExperimentOptions options)
    {
        var given = options.Variations.Where(v => v.Weight is not null).Select(v => v.Weight!.Value).ToArray();
        if (given.Length == 0) return null;
        if (given.Length < options.Variations.Count)
            errors.Add(options.Node, "variations", $"{given.Length} of {options.Variations.Count} variations have a weight",
                "Give each one a weight, or none");
        else if (Math.Abs(given.Sum() - 1) > Slack)
            errors.Add(options.Node, "variations", FormattableString.Invariant($"the weights add up to {given.Sum()}"),
                "Let them add up to 1; coverage says which share of customers takes part");
        return given;
    }

    private void Check(IReadOnlyList<ExperimentOptions> experiments)
    {
        foreach (var e in experiments)
        {
            if (e.Variations.Count < 2)
                errors.Add(e.Node.At, $"experiment {e.Name} has {e.Variations.Count} variations: there is nothing to compare",
                    "Give it two or more, the control first");
            if (!e.Sticky && (e.BucketVersion != 0 || e.MinBucketVersion != 0))
                errors.Add(e.Node, e.BucketVersion != 0 ? "bucket_version" : "min_bucket_version",
                    $"experiment {e.Name} keeps no buckets", "Add 'sticky: true', or choose another seed to assign anew");
            else if (e.MinBucketVersion > e.BucketVersion)
                errors.Add(e.Node, "min_bucket_version", $"it is above bucket_version, {e.BucketVersion}: whoever is assigned would be out "
                    + "with the next decision", "Raise bucket_version as well");
            if (e.Namespace is { } space && (space.Name.Length == 0 || space.From >= space.To))
                errors.Add(space.Node.At, "the namespace is empty", "Give it a name, and a 'from' below its 'to'");
        }
        for (var i = 0; i < experiments.Count; i++)
            foreach (var earlier in experiments.Take(i).Where(e => Meet(e, experiments[i])))
                foreach (var (term, changed) in Terms)
                    foreach (var offer in changed(earlier).Intersect(changed(experiments[i])).Intersect(_names))
                        errors.Add(experiments[i].Node.At, $"experiments {earlier.Name} and {experiments[i].Name} both change the {term} "
                            + $"of {offer} for the same customers", "Put them into one namespace with ranges that do not overlap");
    }

    /// <summary>What of an offer can have one value only, and of which offers a variation changes it. Levers multiply.</summary>
    private static readonly (string Term, Func<ExperimentOptions, IEnumerable<string>> Of)[] Terms =
    [
        ("treatment", e => e.Variations.SelectMany(v => v.Treatments.Keys)),
        ("propensity", e => e.Variations.SelectMany(v => v.Propensities).Select(p => p.Name)),
        ("value", e => e.Variations.SelectMany(v => v.Values).Select(t => t.Name)),
        ("context", e => e.Variations.SelectMany(v => v.Contexts).Select(t => t.Name)),
    ];

    /// <summary>Whether a customer can be in both.</summary>
    private static bool Meet(ExperimentOptions a, ExperimentOptions b) => a.Namespace is not { } one || b.Namespace is not { } other
        || one.Name != other.Name || (one.From < other.To && other.From < one.To);
}
