using StreamEngine.Configuration;
using StreamEngine.Decisions;

namespace StreamEngine.Host.Evaluation;

/// <summary>One candidate of a decision, with its place.</summary>
/// <param name="Offer">The offer's name.</param>
/// <param name="Group">What it is a kind of; empty for none.</param>
/// <param name="Score">P x C x V x L.</param>
/// <param name="Rank">The place from 1; 0 where it has none.</param>
/// <param name="Drop">Why it has none; empty where it has one.</param>
internal sealed record RankedCandidate(string Offer, string Group, double Score, int Rank, string Drop);

/// <summary>
/// Arbitration over a table of candidates, by the rules of the funnel: the priority is a product, the higher one goes first, ties by name,
/// a priority that is no finite number takes no part, and a group has no more places than it may have.
/// </summary>
internal static class RankedCandidates
{
    private const string Option = "candidates";

    /// <summary>The columns that a table of candidates has; a column <c>group</c> may be there too.</summary>
    public static IReadOnlyList<string> Columns { get; } = ["decision", "offer", "p", "c", "v", "l"];

    /// <summary>Ranks the candidates of each decision; decisions stand in the order of their first rows.</summary>
    /// <param name="table">The rows.</param>
    /// <param name="maxPerGroup">The most offers of one group; null for as many as there are.</param>
    /// <param name="errors">Receives every mistake.</param>
    public static IReadOnlyList<(string Decision, IReadOnlyList<RankedCandidate> Offers)> Of(DataTable table, int? maxPerGroup,
        ConfigErrors errors)
    {
        var group = table.Column("group");
        if (maxPerGroup is not null && group < 0)
            errors.Add(table.At(-1, Option), "there is no column 'group'", "Add it, or leave --max-per-group out");
        if (errors.Any) return [];
        var (decision, offer) = (table.Column("decision"), table.Column("offer"));
        var rows = Enumerable.Range(0, table.Rows.Count).Select(row => (Row: row, Decision: table.Text(row, decision),
            Candidate: new RankedCandidate(table.Text(row, offer), group < 0 ? "" : table.Text(row, group), Score(table, row, errors),
                0, ""))).ToArray();
        foreach (var twice in rows.GroupBy(r => (r.Decision, r.Candidate.Offer)).Where(g => g.Count() > 1))
            errors.Add(table.At(twice.Last().Row, Option), $"offer {twice.Key.Offer} stands twice in decision {twice.Key.Decision}",
                "Give each offer one row in a decision");
        return [.. rows.GroupBy(r => r.Decision).Select(d => (d.Key, Rank([.. d.Select(r => r.Candidate)], maxPerGroup ?? int.MaxValue)))];
    }

    private static double Score(DataTable table, int row, ConfigErrors errors) => Priority.Of(table.Number(row, "p", Option, errors),
        table.Number(row, "c", Option, errors), table.Number(row, "v", Option, errors), table.Number(row, "l", Option, errors));

    private static IReadOnlyList<RankedCandidate> Rank(IReadOnlyList<RankedCandidate> candidates, int maxPerGroup)
    {
        var taken = new Dictionary<string, int>();
        var (placed, dropped) = (new List<RankedCandidate>(), new List<RankedCandidate>());
        foreach (var candidate in candidates.OrderByDescending(c => c.Score).ThenBy(c => c.Offer, StringComparer.Ordinal))
        {
            var inGroup = taken.GetValueOrDefault(candidate.Group) + 1;
            var reason = !double.IsFinite(candidate.Score) ? DropReason.BadPriority
                : candidate.Group.Length > 0 && inGroup > maxPerGroup ? DropReason.Diversity : DropReason.None;
            if (reason != DropReason.None) dropped.Add(candidate with { Drop = Spelling.Snake(reason.ToString()) });
            else
            {
                taken[candidate.Group] = inGroup;
                placed.Add(candidate with { Rank = placed.Count + 1 });
            }
        }
        return [.. placed, .. dropped];
    }
}
