namespace StreamEngine.Decisions;

/// <summary>
/// What a shard's decisions know of the arms of placements that learn: each offer's tally in each such placement, all of a placement as of
/// one time, that of its newest reward. Belongs to the shard's thread.
/// </summary>
public sealed class ArmBeliefs
{
    private readonly Exploration[] _placements;
    private readonly string[][] _names;
    private readonly ArmTally[][] _tallies;

    internal ArmBeliefs(DecisionPolicy policy)
    {
        _placements = [.. policy.Explorations];
        _names = ArmNames.Of(policy);
        _tallies = [.. _placements.Select(p => p.Learns ? new ArmTally[policy.Offers.Count] : [])];
    }

    /// <summary>An arm's tally.</summary>
    internal ref readonly ArmTally Of(int exploration, int offer) => ref _tallies[exploration][offer];

    /// <summary>Takes the arms' numbers as they are from now on.</summary>
    /// <param name="find">A number by its name; empty where there is none.</param>
    internal void Take(NumberOf find)
    {
        for (var i = 0; i < _placements.Length; i++)
        {
            if (_placements[i].Thompson is not { } rule) continue;
            var (tallies, newest) = (_tallies[i], 0.0);
            for (var offer = 0; offer < tallies.Length; offer++)
            {
                tallies[offer] = ArmTally.Read(find(_names[i][offer]));
                newest = Math.Max(newest, tallies[offer].AsOf);
            }
            // An arm that was not shown for long is known less and less, though nothing of its own has come. The half-life is that of the
            // config, not of the arm's last reward: another one reaches arms that earn nothing any more too.
            foreach (ref var tally in tallies.AsSpan()) tally = (tally with { HalfLife = rule.HalfLife }).Forget(newest);
        }
    }

    /// <summary>A number by its name.</summary>
    internal delegate ReadOnlySpan<double> NumberOf(string name);
}
