using System.Globalization;
using StreamEngine.Configuration;
using StreamEngine.Decisions;

namespace StreamEngine.Host.Replay.Comparison;

/// <summary>Writes <c>changes.csv</c>: a row for each decision that is not the same by both policies.</summary>
internal sealed class ChangesFile(string directory) : IDisposable
{
    /// <summary>The file's name.</summary>
    public const string Name = "changes.csv";

    private static readonly string[] Columns = ["outcome", "offer", "treatment", "channel", "priority", "expected_value"];

    private readonly FeatureCsv _csv = Begin(Path.Combine(directory, Name));

    /// <summary>Rows so far.</summary>
    public long Rows { get; private set; }

    /// <summary>Writes a row.</summary>
    public void Write(DecisionPair pair)
    {
        var opening = pair.Any.Opening;
        _csv.Write(
        [
            pair.A is null ? "only_b" : pair.B is null ? "only_a" : "changed", opening.Customer, ReplayWarnings.Text(opening.DecidedAt),
            opening.Trigger, opening.Placement, pair.A?.Id ?? "", pair.B?.Id ?? "", .. Cells(pair.A), .. Cells(pair.B),
        ]);
        Rows++;
    }

    /// <inheritdoc/>
    public void Dispose() => _csv.Dispose();

    private static FeatureCsv Begin(string path)
    {
        var csv = FeatureCsv.Create(path);
        csv.Write(["change", "customer_id", "decided_at", "trigger", "placement", "decision_a", "decision_b",
            .. Columns.Select(c => $"{c}_a"), .. Columns.Select(c => $"{c}_b")]);
        return csv;
    }

    private static string[] Cells(ComparedDecision? decision)
    {
        if (decision is null) return ["", "", "", "", "", ""];
        var served = decision.Outcome == Outcome.Served;
        return [Spelling.Snake(decision.Outcome.ToString()), decision.Offer, decision.Treatment, decision.Channel,
            served ? Number(decision.Priority) : "", served ? Number(decision.ExpectedValue) : ""];
    }

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
