using System.Text;
using StreamEngine.Decisions;
using StreamEngine.Expressions;
using StreamEngine.Host.Evaluation.Experiments;
using StreamEngine.Inference;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Evaluation.OffPolicy;

/// <summary>
/// Another config as the evaluated policy: decides each logged decision again from its record. What is written as in the log's config is
/// taken from the record (verdicts of rules, P, C, V, L); what is written otherwise is computed from the logged features. Limits and
/// switches are as the record says. A decision in which something can't be known that may matter is left out and counted by the reason.
/// </summary>
internal sealed class ConfigPolicy : IEvaluatedPolicy, IDisposable
{
    private readonly CompiledEngine _log, _policy;
    private readonly OfferComparison[] _offers;
    private readonly LoggedNames _names;
    private readonly Scorer _scorer;
    private readonly EvalContext _context = new();
    private readonly int[] _variations;
    private readonly int _default;
    private bool _isScored, _isLimited;
    private string? _unknown;

    /// <param name="log">The config that decided.</param>
    /// <param name="policy">The config that is evaluated; it may be (<see cref="PolicyConfigs.Check"/>).</param>
    public ConfigPolicy(CompiledEngine log, CompiledEngine policy)
    {
        (_log, _policy, _names) = (log, policy, new LoggedNames(log, policy));
        _offers = [.. policy.Policy.Offers.Select((_, i) => new OfferComparison(log, policy, i, _names))];
        _scorer = new Scorer(policy.Policy.Models);
        _context.Features = new double[policy.Features.Width];
        _variations = new int[policy.Policy.Experiments.Count];
        _default = policy.Policy.DefaultOffer;
    }

    /// <summary>Why decisions are left out, and how many for each reason.</summary>
    public Dictionary<string, int> Unknown { get; } = [];

    /// <summary>Decisions in which a limit of the log dropped an offer: that verdict stands.</summary>
    public int Limited { get; private set; }

    /// <summary>Decisions in which this config would show nothing.</summary>
    public int Nothing { get; private set; }

    /// <summary>Decisions in which the log had nothing to show and this config would show something; they are not evaluated.</summary>
    public int Added { get; private set; }

    /// <summary>Decisions in which the log had nothing to show, and which do not tell whether this config would show something.</summary>
    public int PerhapsAdded { get; private set; }

    /// <inheritdoc/>
    public void Dispose() => _scorer.Dispose();

    /// <inheritdoc/>
    public PolicyChoice? Choose(LoggedRecord record, IReadOnlyList<LoggedCandidate> candidates)
    {
        var choice = Decide(record, candidates);
        if (choice is null) Unknown[_unknown!] = Unknown.GetValueOrDefault(_unknown!) + 1;
        else if (choice.Candidates.Count == 0) Nothing++;
        if (_isLimited) Limited++;
        return choice;
    }

    /// <inheritdoc/>
    public void HadNothing(LoggedRecord record)
    {
        var log = _log.Policy;
        if (log.HoldoutShare > 0
            && BucketHash.Bucket(log.HoldoutSalt.AsSpan(), Encoding.UTF8.GetBytes(record.Text("customer_id"))) < log.HoldoutShare) return;
        var choice = Decide(record, []);
        if (choice is null) PerhapsAdded++;
        else if (choice.Candidates.Count > 0) Added++;
    }

    private PolicyChoice? Decide(LoggedRecord record, IReadOnlyList<LoggedCandidate> candidates)
    {
        (_unknown, _isLimited) = (null, false);
        if (record.Text("config_hash") != _log.ConfigHash) return Give("another config than --config decided");
        var vector = record.Vector("features");
        if (vector.Length != _log.Features.Count) return Give("the record's features are not those of --config");
        for (var i = 0; i < _names.Places.Length; i++)
            _context.Features[i] = _names.Places[i] is var place and >= 0 ? vector[place] : double.NaN;
        _isScored = false;
        var customer = Encoding.UTF8.GetBytes(record.Text("customer_id"));
        Assign(_policy.Policy, record, customer, _variations);
        var logged = new Dictionary<string, LoggedOffer>();
        foreach (var c in record.Records("candidates"))
            logged[c.Text("offer")] = new LoggedOffer(c, c.Text("offer") == _log.Options.Decisions.DefaultOffer);
        _isLimited = logged.Values.Any(o => o.Reached == Gate.Limit);

        var placement = record.Text("placement");
        var ranking = new List<LoggedCandidate>();
        for (var i = 0; i < _offers.Length; i++)
        {
            if (IsWithheld(_policy.Policy, _variations, i, customer)) continue;
            LoggedOffer? known = logged.TryGetValue(_offers[i].Offer.Name, out var found) ? found : null;
            var isIn = Enters(_offers[i], known, placement, withRules: true);
            if (isIn == true)
            {
                if (Price(i, known) is not { } priced) return null;
                if (double.IsFinite(priced.Priority)) ranking.Add(priced with { Drawn = Drawn(priced.Offer, candidates) });
            }
            else if (isIn is null) return null;
        }
        ranking.Sort((a, b) => a.Priority != b.Priority ? b.Priority.CompareTo(a.Priority) : string.CompareOrdinal(a.Offer, b.Offer));
        if (_default >= 0 && (ranking.Count == 0 || WasNew(record, logged, customer) is not false))
        {
            LoggedOffer? known = logged.TryGetValue(_offers[_default].Offer.Name, out var found) ? found : null;
            var isPossible = IsWithheld(_policy.Policy, _variations, _default, customer) ? false
                : Enters(_offers[_default], known, placement, withRules: false);
            if (isPossible is null) return null;
            if (isPossible == true)
            {
                if (Price(_default, known) is not { } priced) return null;
                if (double.IsFinite(priced.Priority))
                    return ranking.Count > 0 && WasNew(record, logged, customer) is null
                        ? Give("the log does not tell whether the customer was new, to whom the default offer goes first")
                        : new PolicyChoice([priced with { Drawn = Drawn(priced.Offer, candidates) }], [1]);
            }
        }
        var probabilities = new double[ranking.Count];
        Rule(placement).Probabilities([.. ranking.Select(c => c.Priority)], probabilities);
        return new PolicyChoice(ranking, probabilities);
    }

    /// <summary>
    /// Whether the customer was new, to whom the default offer goes first. Where the log took it, that is certain only if there were
    /// candidates beside it; where the log did not, only if it could have.
    /// </summary>
    private bool? WasNew(LoggedRecord record, Dictionary<string, LoggedOffer> logged, byte[] customer)
    {
        if (record.Record("chosen") is not { } chosen) return null;
        if (chosen.Flag("is_default")) return record.Records("candidates").Any(c => c.Whole("rank") > 0) ? true : null;
        var (policy, offer) = (_log.Policy, _log.Policy.DefaultOffer);
        if (offer < 0 || !logged.TryGetValue(policy.Offers[offer].Name, out var it) || it.IsBad
            || it.Reached is Gate.Switch or Gate.Placement or Gate.Eligible) return null;
        Span<int> variations = stackalloc int[policy.Experiments.Count];
        Assign(policy, record, customer, variations);
        return IsWithheld(policy, variations, offer, customer) ? null : false;
    }

    /// <summary>
    /// The customer's variations. Those of a sticky experiment that the log's config has too are as the record has them: the hash does not
    /// say what profiles keep.
    /// </summary>
    private void Assign(DecisionPolicy policy, LoggedRecord record, ReadOnlySpan<byte> customer, Span<int> variations)
    {
        for (var i = 0; i < variations.Length; i++)
        {
            var experiment = policy.Experiments[i];
            variations[i] = experiment.Assign(customer);
            if (experiment.Sticky is null || !_log.Policy.Experiments.Any(e => e.Name == experiment.Name)) continue;
            variations[i] = -1;
            foreach (var assigned in record.Records("assignments"))
                for (var v = 0; v < experiment.Variations.Length; v++)
                    if (assigned.Text("experiment") == experiment.Name && assigned.Text("variation") == experiment.Variations[v].Name)
                        variations[i] = v;
        }
    }

    private PolicyChoice? Give(string reason)
    {
        _unknown = reason;
        return null;
    }

    private SelectionRule Rule(string placement) => _policy.Policy.Explorations.FirstOrDefault(e => e.Name == placement)?.Rule
        ?? new SelectionRule(ExplorationMethod.EpsilonGreedy, 0);

    /// <summary>With which probability the log would have shown an offer; 0 for one that was no candidate, null where it does not say.
    /// </summary>
    private static double? Drawn(string offer, IReadOnlyList<LoggedCandidate> candidates)
    {
        foreach (var c in candidates)
            if (c.Offer == offer) return c.Drawn;
        return 0;
    }

    /// <summary>Whether an offer passes gates and limits; null, with the reason noted, where that can't be known.</summary>
    private bool? Enters(OfferComparison offer, LoggedOffer? known, string placement, bool withRules)
    {
        if (known?.Reached == Gate.Switch) return false;
        if (offer.Options.Placements.Count > 0 && !offer.Options.Placements.Contains(placement)) return false;
        string? unknown = null;
        foreach (var (gate, part, rule) in new[]
        {
            (Gate.Eligible, offer.Eligible, offer.Offer.Eligible), (Gate.Applicable, offer.Applicable, offer.Offer.Applicable),
            (Gate.Suitable, offer.Suitable, offer.Offer.Suitable),
        })
        {
            if (gate != Gate.Eligible && !withRules) break;
            var passed = (part.IsSame ? known?.Passed(gate) : null) ?? (part.Unknown is null ? rule?.Invoke(_context) ?? true : null);
            if (passed == false) return false;
            if (passed is null) unknown ??= part.Unknown;
        }
        var limit = known?.Passed(Gate.Limit) ?? (offer.HasLimit ? null : true);
        if (limit == false) return false;
        if (limit is null)
            unknown ??= $"whether a limit would drop {offer.Offer.Name} is not in the log, where it did not come so far";
        if (unknown is null) return true;
        _unknown = unknown;
        return null;
    }

    /// <summary>Whether a config keeps an offer from the customer, by the offer's own holdout or by an experiment.</summary>
    private static bool IsWithheld(DecisionPolicy policy, ReadOnlySpan<int> variations, int offer, ReadOnlySpan<byte> customer)
    {
        var o = policy.Offers[offer];
        if (o.HoldoutShare > 0 && BucketHash.Bucket(o.HoldoutSeed.AsSpan(), customer) < o.HoldoutShare) return true;
        for (var i = 0; i < variations.Length; i++)
            if (variations[i] >= 0 && policy.Experiments[i].Variations[variations[i]].Without[offer]) return true;
        return false;
    }

    /// <summary>An offer's numbers; null, with the reason noted, where one can't be known.</summary>
    private LoggedCandidate? Price(int index, LoggedOffer? known)
    {
        var (offer, priced) = (_offers[index], known is { IsPriced: true });
        double c, v, l;
        if (offer.Context.IsSame && priced) c = known!.Value.C;
        else if ((_unknown = offer.Unknown(offer.Context, v => v.Contexts, "context", _variations)) is null)
            c = Tried(v => v.Contexts[index], offer.Offer.Context)?.Invoke(_context) ?? 1;
        else return null;
        if (offer.Value.IsSame && known is { HasOwnValue: true }) v = known.Value.V;
        else if ((_unknown = offer.Unknown(offer.Value, v => v.Values, "value", _variations)) is null)
            v = Tried(v => v.Values[index], offer.Offer.Value)?.Invoke(_context) ?? 1;
        else return null;
        if (offer.Levered.IsSame && priced) l = known!.Value.L;
        else if ((_unknown = offer.Levered.Unknown) is null) l = Levers(index);
        else return null;
        var p = Propensity(offer, _policy.Policy.Plan.TermOf(index, i => _variations[i]),
            known is { IsPriced: true, IsLearned: false } ? known : null);
        return new LoggedCandidate(offer.Offer.Name, p, v, Priority.Of(p, c, v, l));
    }

    /// <summary>What the customer's variations try of an offer, or the offer's own.</summary>
    private T? Tried<T>(Func<Variation, T?> tried, T? own) where T : class
    {
        for (var i = 0; i < _variations.Length; i++)
            if (_variations[i] >= 0) own = tried(_policy.Policy.Experiments[i].Variations[_variations[i]]) ?? own;
        return own;
    }

    /// <summary>As arbitration does it: levers add inside a factor, factors and what experiments try multiply.</summary>
    private double Levers(int index)
    {
        var levers = 1.0;
        foreach (var factor in _offers[index].Offer.Levers) levers *= 1 + factor.Sum(lever => lever(_context));
        for (var i = 0; i < _variations.Length; i++)
            if (_variations[i] >= 0 && _policy.Policy.Experiments[i].Variations[_variations[i]].Levers[index] is { } tried)
                levers *= 1 + tried(_context);
        return levers;
    }

    /// <summary>The logged P where it is of the same model; else that of this config's model, from the logged features.</summary>
    private double Propensity(OfferComparison offer, PropensityTerm term, LoggedOffer? priced)
    {
        if (term.Model < 0) return term.Default;
        if (offer.HasSameScore && priced is { } known) return known.Source == "model" ? known.P : term.Default;
        if (!_isScored) _scorer.Score(_context.Features, _context.Features.Length, 1);
        _isScored = true;
        if (_scorer.Fault(term.Model, 0) != ScoreFault.None) return term.Default;
        var score = _scorer.Outputs(term.Model, 0)[term.Output];
        return Propensities.IsOne(score) ? Propensities.Of(score) : term.Default;
    }
}
