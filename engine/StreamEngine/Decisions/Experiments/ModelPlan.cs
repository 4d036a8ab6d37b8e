namespace StreamEngine.Decisions;

/// <summary>
/// Which models a customer's decisions need: those that offers have by themselves, but where the customer's variation of an experiment asks
/// another one. Safe to use from several threads.
/// </summary>
public sealed class ModelPlan
{
    private const int MostOnStack = 256;

    private readonly DecisionPolicy _policy;
    private readonly int[] _trying;   // the experiments that try propensities
    private readonly int[] _tried;    // the offers for which they do
    private readonly bool[] _always;  // by model, whether another offer asks it

    internal ModelPlan(DecisionPolicy policy)
    {
        _policy = policy;
        _trying = [.. Enumerable.Range(0, policy.Experiments.Count)
            .Where(i => policy.Experiments[i].Variations.Any(v => v.Propensities.Any(p => p is not null)))];
        _tried = [.. Enumerable.Range(0, policy.Offers.Count)
            .Where(o => _trying.Any(i => policy.Experiments[i].Variations.Any(v => v.Propensities[o] is not null)))];
        _always = new bool[policy.Models.Count];
        for (var offer = 0; offer < policy.Offers.Count; offer++)
            if (policy.Offers[offer].Propensity.Model is var model and >= 0 && !_tried.Contains(offer)) _always[model] = true;
    }

    /// <summary>Whether customers differ in the models that they need.</summary>
    public bool IsNeeded => _trying.Length > 0 && _policy.Models.Count > 0;

    /// <summary>Whether that depends on what profiles keep too.</summary>
    public bool IsSticky => _trying.Any(i => _policy.Experiments[i].Sticky is not null);

    /// <summary>Says which models' scores the customer's decisions need.</summary>
    /// <param name="customer">The customer id, UTF-8.</param>
    /// <param name="profile">The customer's profile, where <see cref="IsSticky"/>; empty for none.</param>
    /// <param name="needed">Receives by model whether it is needed.</param>
    public void For(ReadOnlySpan<byte> customer, ReadOnlySpan<byte> profile, Span<bool> needed)
    {
        var count = _policy.Experiments.Count;
        Span<int> variations = count <= MostOnStack ? stackalloc int[count] : new int[count];
        foreach (var i in _trying) variations[i] = _policy.Experiments[i].Assign(customer, profile, out _);
        For(variations, needed);
    }

    /// <summary>The same for a decision whose variations are known; those that offers have where it came to none.</summary>
    /// <param name="variations">By experiment, the variation; -1 for none.</param>
    /// <param name="needed">Receives by model whether it is needed.</param>
    public void For(ReadOnlySpan<int> variations, Span<bool> needed)
    {
        _always.CopyTo(needed);
        foreach (var offer in _tried)
        {
            var term = _policy.Offers[offer].Propensity;
            foreach (var i in _trying)
                if (variations[i] >= 0) term = _policy.Experiments[i].Variations[variations[i]].Propensities[offer] ?? term;
            if (term.Model >= 0) needed[term.Model] = true;
        }
    }

    /// <summary>Where an offer's P comes from in a combination of variations.</summary>
    /// <param name="offer">The offer's index.</param>
    /// <param name="variation">By experiment, the variation; -1 for none.</param>
    public PropensityTerm TermOf(int offer, Func<int, int> variation)
    {
        var term = _policy.Offers[offer].Propensity;
        foreach (var i in _trying)
            if (variation(i) is var arm and >= 0) term = _policy.Experiments[i].Variations[arm].Propensities[offer] ?? term;
        return term;
    }

    /// <summary>The offers that ask a model, and behind them those for which an experiment tries it.</summary>
    public IEnumerable<string> AskedBy(int model) => _policy.Offers.Where(o => o.Propensity.Model == model).Select(o => o.Name)
        .Concat(_trying.Select(i => _policy.Experiments[i]).SelectMany(e => e.Variations.SelectMany(v => _policy.Offers
            .Where((_, offer) => v.Propensities[offer]?.Model == model).Select(o => $"{o.Name} ({e.Name}: {v.Name})"))));
}
