using System.Collections.Concurrent;

namespace StreamEngine.Decisions;

/// <summary>
/// Which models a customer's decisions need: those that offers have by themselves, but where the customer's variation of an experiment asks
/// another one. Made once for each combination of variations that comes up; safe to use from several threads.
/// </summary>
public sealed class ModelPlan
{
    private readonly DecisionPolicy _policy;
    private readonly int[] _trying;   // the experiments that try propensities
    private readonly ConcurrentDictionary<int, bool[]> _known = [];

    internal ModelPlan(DecisionPolicy policy)
    {
        _policy = policy;
        _trying = [.. Enumerable.Range(0, policy.Experiments.Count)
            .Where(i => policy.Experiments[i].Variations.Any(v => v.Propensities.Any(p => p is not null)))];
    }

    /// <summary>Whether customers differ in the models that they need.</summary>
    public bool IsNeeded => _trying.Length > 0 && _policy.Models.Count > 0;

    /// <summary>Whether that depends on what profiles keep too.</summary>
    public bool IsSticky => _trying.Any(i => _policy.Experiments[i].Sticky is not null);

    /// <summary>By model, whether the customer's decisions need its score.</summary>
    /// <param name="customer">The customer id, UTF-8.</param>
    /// <param name="profile">The customer's profile, where <see cref="IsSticky"/>; empty for none.</param>
    public ReadOnlySpan<bool> For(ReadOnlySpan<byte> customer, ReadOnlySpan<byte> profile)
    {
        var number = 0;
        foreach (var i in _trying) number = Number(number, i, _policy.Experiments[i].Assign(customer, profile, out _));
        return Of(number);
    }

    /// <summary>The same for a decision whose variations are known; those that offers have where it came to none.</summary>
    /// <param name="variations">By experiment, the variation; -1 for none.</param>
    /// <param name="number">A number for the combination of variations, as far as models go.</param>
    public ReadOnlySpan<bool> For(ReadOnlySpan<int> variations, out int number)
    {
        number = 0;
        foreach (var i in _trying) number = Number(number, i, variations[i]);
        return Of(number);
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

    private int Number(int before, int experiment, int variation) =>
        before * (_policy.Experiments[experiment].Variations.Length + 1) + variation + 1;

    private bool[] Of(int number) => _known.TryGetValue(number, out var models) ? models : _known[number] = Make(number);

    private bool[] Make(int number)
    {
        var variations = new int[_policy.Experiments.Count];
        Array.Fill(variations, -1);
        foreach (var i in _trying.Reverse())
        {
            var count = _policy.Experiments[i].Variations.Length + 1;
            variations[i] = number % count - 1;
            number /= count;
        }
        var needed = new bool[_policy.Models.Count];
        for (var offer = 0; offer < _policy.Offers.Count; offer++)
            if (TermOf(offer, i => variations[i]).Model is var model and >= 0) needed[model] = true;
        return needed;
    }
}
