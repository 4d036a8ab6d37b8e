using StreamEngine.Connectors;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Replay.Comparison;

/// <summary>
/// Two policies over the same events: takes what each writes, step by step, and keeps counts alone. Memory grows with the customers to whom
/// something is shown (some 30 bytes for each, placement and policy) and with nothing else.
/// </summary>
internal sealed class PolicyComparison
{
    /// <summary>Placements that come behind so many others are counted together: an event may name any.</summary>
    public const int MostPlacements = 100;

    /// <summary>What stands for those.</summary>
    public const string OtherPlacements = "(others)";

    private readonly CompiledEngine[] _engines;
    private readonly IReadOnlyList<string>[] _offers;
    private readonly SortedDictionary<string, PlacementComparison> _placements = new(StringComparer.Ordinal);
    private readonly NameTable _names = new();
    private readonly DecisionMatcher _matcher;
    private readonly Action<DecisionPair> _changed;

    /// <param name="a">The first policy's engine.</param>
    /// <param name="b">The second policy's engine.</param>
    /// <param name="changed">Told of every decision that is not the same, in the order of causes.</param>
    public PolicyComparison(CompiledEngine a, CompiledEngine b, Action<DecisionPair> changed)
    {
        _engines = [a, b];
        _offers = [.. _engines.Select(e => (IReadOnlyList<string>)[.. e.Policy.Offers.Select(o => o.Name)])];
        _changed = changed;
        _matcher = new DecisionMatcher(Found);
    }

    /// <summary>By placement, in the order of their names.</summary>
    public IReadOnlyDictionary<string, PlacementComparison> Placements => _placements;

    /// <summary>Everything; for the end.</summary>
    public PlacementComparison Total()
    {
        var total = new PlacementComparison(_offers);
        foreach (var placement in _placements.Values) total.Add(placement);
        return total;
    }

    /// <summary>Takes what both have written in a step.</summary>
    public void Step(FileRun a, FileRun b)
    {
        Take(0, a.Outputs);
        Take(1, b.Outputs);
        _matcher.EndStep(a.Shard.Counters.Watermark, b.Shard.Counters.Watermark);
    }

    /// <summary>Both are at their end.</summary>
    public void End() => _matcher.End();

    private void Take(int policy, OutputBuffer outputs)
    {
        for (var i = 0; i < outputs.Count; i++)
        {
            if (outputs[i].Topic != _engines[policy].Outputs.Decisions) continue;
            var value = outputs.Value(i);
            if (ComparedDecision.Read(value, _names, out var record) is not { } decision) continue;
            At(decision).Policies[policy].Count(decision, record, value, _names);
            _matcher.Take(policy, decision);
        }
    }

    private void Found(DecisionPair pair)
    {
        if (At(pair.Any).Count(pair)) _changed(pair);
    }

    private PlacementComparison At(ComparedDecision decision)
    {
        var name = decision.Opening.Placement;
        if (_placements.TryGetValue(name, out var placement)) return placement;
        if (_placements.Count >= MostPlacements) name = OtherPlacements;
        if (!_placements.TryGetValue(name, out placement)) _placements[name] = placement = new PlacementComparison(_offers);
        return placement;
    }
}
