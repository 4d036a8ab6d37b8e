using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Decisions.Outcomes;
using StreamEngine.Events;
using StreamEngine.Expressions;
using StreamEngine.Inference;
using StreamEngine.State;

namespace StreamEngine.Decisions;

/// <summary>Compiles the options of decisions to a <see cref="DecisionPolicy"/>, collecting every mistake.</summary>
internal sealed class PolicyCompiler(FieldCatalog fields, IReadOnlyList<string> featureNames, VectorTexts featureTexts,
    IReadOnlyList<string> purposes,
    IReadOnlyList<string> timers, IReadOnlyDictionary<string, IModel> models, ConfigErrors errors)
{
    private readonly List<ModelUse> _used = [];
    private readonly List<string> _groups = [];
    private readonly Dictionary<OfferOptions, Scope> _scopes = new(ReferenceEqualityComparer.Instance);

    public DecisionPolicy Compile(DecisionOptions options, IReadOnlyList<OfferOptions> offers, RequestOptions requests,
        OutcomeOptions? outcomes, TimeSpan lateness, StateLayout layout,
        IReadOnlyList<string> segments)
    {
        var names = offers.Select(o => o.Name).ToArray();
        Unique(offers.Select(o => (o.Name, o.Node)), "offer");
        Unique(options.Triggers.Select(t => (t.Name, t.Node)), "trigger");
        foreach (var second in options.Triggers
            .Where((t, i) => t.Timer is not null && options.Triggers.Take(i).Any(u => u.Timer == t.Timer)))
            errors.Add(second.Node, "timer", $"timer {second.Timer} opens another trigger already",
            "Keep one trigger per timer; rules of offers can tell cases apart");
        if (options.Triggers.Count > 0 && offers.Count == 0)
            errors.Add(options.Node, "triggers", "there are triggers but no offers",
                "Declare 'offers', or leave the triggers out to keep features only");
        var triggers = options.Triggers.Select(Trigger).ToArray();
        Unique(options.Exploration.Select(e => (e.Name, e.Node)), "placement");
        Unique(options.QuietHours.Select(q => (q.Name, q.Node)), "quiet hours");
        Unique(options.Budgets.Select(b => (b.Name, b.Node)), "budget");
        Unique(options.Experiments.Select(e => (e.Name, e.Node)), "experiment");
        foreach (var experiment in options.Experiments) Unique(experiment.Variations.Select(v => (v.Name, v.Node)), "variation");
        var experiments = new ExperimentCompiler(offers, ScopeOf, Propensity, errors);
        var compiled = offers.Select((o, i) => Offer(o, experiments.Treatments(i, options.Experiments))).ToArray();
        var explorations = ExplorationCompiler.Compile(options.Exploration, offers, outcomes, lateness, errors);
        ThompsonCompiler.CheckExperiments(options.Experiments, offers, explorations, errors);
        return new DecisionPolicy(triggers, compiled, timers.Count)
        {
            Models = _used,
            Segments = segments,
            Contacts = ContactPolicy.Compile(options.Caps, options.Suppressions, offers, outcomes, layout, errors),
            QuietHours = QuietHours.Compile(options.QuietHours, offers, Scope(), errors),
            Budgets = BudgetCompiler.Compile(options.Budgets, offers, outcomes, ScopeOf, errors),
            Deferred = options.QuietHours.Any(q => q.Then == QuietHoursFate.Defer)
                ? DeferredDecisions.Reserve(Math.Max(1, options.MaxDeferred), triggers, layout) : null,
            Recent = RecentDecisions.Compile(requests, names, layout, errors),
            Outcomes = OutcomeRules.Compile(outcomes, options.Experiments.Count, explorations, fields, purposes, lateness, layout,
                errors),
            Purpose = Purpose(options),
            HoldoutShare = Share(options.Holdout),
            HoldoutSalt = [.. Encoding.UTF8.GetBytes(options.Holdout?.Salt ?? "")],
            Experiments = experiments.Compile(options.Experiments, layout),
            Explorations = explorations,
            Groups = _groups.Count,
            MaxPerGroup = MaxPerGroup(options.Diversity),
            DefaultOffer = options.DefaultOffer is { } name ? Known(options.Node, "default_offer", name, names, "offers") : -1,
        };
    }

    private CompiledTrigger Trigger(TriggerOptions options)
    {
        if ((options.When is null) == (options.Timer is null))
            errors.Add(options.Node.At, $"trigger {options.Name} has "
                + $"{(options.When is null ? "neither 'when' nor 'timer'" : "both 'when' and 'timer'")}",
                "Give exactly one: 'when' for events, 'timer' for a timer");
        var scope = new Scope { Event = fields, Purposes = purposes };
        return new CompiledTrigger
        {
            Name = options.Name,
            When = options.When is null ? null : ExpressionCompiler.Bool(options.When, scope, errors),
            Timer = options.Timer is null ? -1 : Known(options.Node, "timer", options.Timer, timers, "timers"),
            Placement = ExpressionCompiler.String(options.Placement, scope, errors),
        };
    }

    /// <summary>What an offer's expressions may read.</summary>
    private Scope ScopeOf(OfferOptions options)
    {
        if (!_scopes.TryGetValue(options, out var scope))
            _scopes[options] = scope = Scope() with { Constants = Constants(options) };
        return scope;
    }

    /// <summary>What is at hand when a decision is made, whichever the offer.</summary>
    private Scope Scope() => new() { Event = fields, Features = featureNames, Texts = featureTexts, Purposes = purposes };

    private CompiledOffer Offer(OfferOptions options, ImmutableArray<string> treatments)
    {
        var scope = ScopeOf(options);
        Unique(options.Levers.Select(l => (l.Name, l.Node)), "lever");
        if (options.Placements.Any(p => Encoding.UTF8.GetByteCount(p) > Decision.MaxPlacementBytes))
            errors.Add(options.Node, "placements", $"a placement of offer {options.Name} has more than {Decision.MaxPlacementBytes} bytes",
                "Shorten it: longer placements of events are cut, and would never be this one");
        return new CompiledOffer
        {
            Name = options.Name,
            Channel = options.Channel,
            Treatments = treatments,
            HoldoutShare = Share(options.Holdout),
            HoldoutSeed = [.. Encoding.UTF8.GetBytes($"{options.Holdout?.Salt}/{options.Name}")],
            Utf8Name = [.. Encoding.UTF8.GetBytes(options.Name)],
            Placements = [.. options.Placements.Select(p => ImmutableArray.Create(Encoding.UTF8.GetBytes(p)))],
            Eligible = Rule(options.Eligible),
            Applicable = Rule(options.Applicable),
            Suitable = Rule(options.Suitable),
            Context = ExpressionCompiler.Double(options.Context, scope, errors),
            Value = ExpressionCompiler.Double(options.Value, scope, errors),
            Group = options.Group.Length == 0 ? -1 : Group(options.Group),
            Levers = [.. options.Levers.GroupBy(l => l.Factor).Select(Factor)],
            Propensity = Propensity(options.Propensity),
        };

        ImmutableArray<DoubleExpr> Factor(IEnumerable<LeverOptions> levers) =>
            [.. levers.Select(l => ExpressionCompiler.Double(l.By, scope, errors)).OfType<DoubleExpr>()];

        BoolExpr? Rule(ExprText? text) => text is null ? null : ExpressionCompiler.Bool(text, scope, errors);
    }

    private PropensityTerm Propensity(PropensityOptions options)
    {
        if (options.Default is not (>= 0 and <= 1))
            errors.Add(options.Node, "default", $"{options.Default} is no propensity", "Choose a number from 0 to 1");
        var model = Model(options);
        return new PropensityTerm(model, model < 0 ? 0 : Output(options, _used[model].Model.Manifest), options.Default);
    }

    /// <summary>A group's number, counted from 0 in the order in which offers name them.</summary>
    private int Group(string name)
    {
        if (!_groups.Contains(name)) _groups.Add(name);
        return _groups.IndexOf(name);
    }

    /// <summary>The index of the offer's model among the used ones, bound to the features at its first use; -1 for none.</summary>
    private int Model(PropensityOptions options)
    {
        if (options.Model is not { } name)
        {
            if (options.Output is not null)
                errors.Add(options.Node, "output", "there is an output but no model", "Add 'model', or remove 'output'");
            return -1;
        }
        var index = _used.FindIndex(u => u.Name == name);
        if (index >= 0) return index;
        if (!models.TryGetValue(name, out var model))
        {
            // A model that the config declares but that can't be loaded has been told where it is declared.
            if (!errors.All.Any(e => e.At.Path == $"models.{name}" || e.At.Path.StartsWith($"models.{name}.", StringComparison.Ordinal)))
                errors.Add(options.Node, "model", $"'{name}' is no model",
                    $"{KnownNames.Hint(name, [.. models.Keys], "models")}; models are declared under 'models'");
            return -1;
        }
        _used.Add(ModelUse.Bind(name, model, featureNames, options.Node, errors));
        return _used.Count - 1;
    }

    private int Output(PropensityOptions options, ModelManifest manifest)
    {
        if (options.Output is not { } output) return 0;
        for (var column = 0; column < manifest.Outputs.Count; column++)
            if (manifest.Outputs[column] == output) return column;
        if (int.TryParse(output, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < manifest.Outputs.Count)
            return number;
        errors.Add(options.Node, "output", $"model {manifest.Name} {manifest.Version} has no output '{output}'",
            $"{KnownNames.Hint(output, manifest.Outputs, "outputs")}; a number counts from 0");
        return 0;
    }

    private Dictionary<string, object> Constants(OfferOptions options)
    {
        var constants = new Dictionary<string, object> { ["offer.name"] = options.Name, ["offer.channel"] = options.Channel };
        foreach (var (name, text) in options.Attributes)
        {
            var identifier = name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');
            if (!identifier)
                errors.Add(options.Node, "attributes", $"'{name}' can't be read as offer.{name}",
                    "Use letters, digits and underscores, and begin with no digit");
            else if (!constants.TryAdd($"offer.{name}", Constant(text)))
                errors.Add(options.Node, "attributes", $"offer.{name} is the offer's own {name}", "Choose another name for the attribute");
        }
        return constants;
    }

    private static object Constant(string text)
    {
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer)) return integer;
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number))
            return number;
        return text is "true" or "false" ? text == "true" : text;
    }

    private ulong Purpose(DecisionOptions options)
    {
        if (options.Purpose is not { } purpose) return 0;
        var index = Known(options.Node, "purpose", purpose, purposes, "purposes");
        return index is >= 0 and < 64 ? 1UL << index : 0;
    }

    private double Share(HoldoutOptions? options)
    {
        if (options is null) return 0;
        if (options.Share is not (>= 0 and <= 1))
            errors.Add(options.Node, "share", $"{options.Share} is no share", "Choose a number from 0 to 1");
        return options.Share;
    }

    private int MaxPerGroup(DiversityOptions? options)
    {
        if (options is null) return int.MaxValue;
        if (options.MaxPerGroup < 1)
            errors.Add(options.Node, "max_per_group", $"at most {options.MaxPerGroup} offers of a group leave no list",
                "Choose 1 or more; to forbid an offer, use eligible: 'false'");
        if (_groups.Count == 0)
            errors.Add(options.Node.At, "no offer has a group", "Give the offers that are of one kind the same 'group'");
        return options.MaxPerGroup;
    }

    private int Known(ConfigNode node, string key, string name, IReadOnlyList<string> known, string what)
    {
        for (var i = 0; i < known.Count; i++)
            if (known[i] == name) return i;
        errors.Add(node, key, $"'{name}' is none of the {what}", KnownNames.Hint(name, known, what));
        return -1;
    }

    private void Unique(IEnumerable<(string Name, ConfigNode Node)> items, string what)
    {
        var seen = new HashSet<string>();
        foreach (var (name, node) in items)
            if (!seen.Add(name)) errors.Add(node.At, $"{what} {name} is declared twice", "Rename or remove one of them");
    }
}
