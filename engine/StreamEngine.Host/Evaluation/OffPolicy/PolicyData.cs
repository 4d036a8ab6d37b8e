using StreamEngine.Host.Evaluation.Experiments;

namespace StreamEngine.Host.Evaluation.OffPolicy;

/// <summary>
/// Served decisions with what the evaluated policy would have done and what came of them. A decision counts once its outcomes are closed:
/// when that is does not depend on what came.
/// </summary>
/// <param name="policy">The evaluated policy.</param>
/// <param name="reward">A kind of outcome, or <see cref="Value"/>.</param>
/// <param name="placement">Only this placement; null for all.</param>
/// <param name="learned">By placement that learns, what it learns from.</param>
internal sealed class PolicyData(IEvaluatedPolicy policy, string reward, string? placement,
    IReadOnlyDictionary<string, string>? learned = null)
{
    /// <summary>The reward that is the value of conversions less refunds.</summary>
    public const string Value = "value";

    private readonly Dictionary<string, Sample> _waiting = [];

    /// <summary>The decisions whose reward is known.</summary>
    public List<Sample> Samples { get; } = [];

    /// <summary>Decisions whose outcomes are not closed yet.</summary>
    public int Open => _waiting.Count;

    /// <summary>Decisions whose customer consents no more: nothing can be concluded from them.</summary>
    public int Withdrawn { get; private set; }

    /// <summary>Decisions whose outcomes were closed early, as newer ones took the room; they count with what had come.</summary>
    public int Displaced { get; private set; }

    /// <summary>Decisions whose record has no probability above 0 and up to 1.</summary>
    public int Unusable { get; private set; }

    /// <summary>Decisions in which the evaluated policy's offer was no candidate, so that it takes the best one.</summary>
    public int Replaced { get; private set; }

    /// <summary>Decisions of which the log does not tell what the evaluated policy would have done.</summary>
    public int Unknown { get; private set; }

    /// <summary>
    /// Decisions with a candidate whose P and V are what was learnt of another reward than the one that counts: they are no model of it.
    /// </summary>
    public int OtherReward { get; private set; }

    /// <summary>
    /// The evaluated policy's probability that lies on offers that the log could not have shown, as their own probability there was 0; of
    /// all served.
    /// </summary>
    public double Uncovered => _served == 0 ? 0 : _uncovered / _served;

    private int _served;
    private double _uncovered;

    /// <summary>Takes a decision record.</summary>
    public void Decision(LoggedRecord record)
    {
        if (placement is not null && record.Text("placement") != placement) return;
        if (record.Text("outcome") == "no_offer") policy.HadNothing(record);
        if (record.Text("outcome") != "served") return;
        if (record.Record("chosen") is not { } chosen) return;
        var logged = record.Number("selection_probability");
        if (logged is not (> 0 and <= 1))
        {
            Unusable++;
            return;
        }
        var name = chosen.Text("offer");
        // The default offer went before arbitration, whatever the policy.
        var drawn = record.Numbers("candidate_probabilities").ToList();
        var candidates = record.Records("candidates").Select((c, i) => (Record: c, Drawn: i < drawn.Count ? drawn[i] : (double?)null))
            .Where(c => chosen.Flag("is_default") ? c.Record.Text("offer") == name
                : c.Record.Text("drop") is "" or "lost_arbitration" or "diversity")
            .Select(c => new LoggedCandidate(c.Record.Text("offer"), c.Record.Factor("p"), c.Record.Factor("v"),
                c.Record.Factor("priority"), c.Drawn, c.Record.Text("p_source") == "learned"))
            .OrderByDescending(c => c.Priority).ThenBy(c => c.Offer, StringComparer.Ordinal).ToList();
        var at = candidates.FindIndex(c => c.Offer == name);
        if (at < 0)
        {
            Unusable++;
            return;
        }
        if (policy.Choose(record, candidates) is not { } choice)
        {
            Unknown++;
            return;
        }
        _served++;
        if (choice.IsReplaced) Replaced++;
        if (choice.Candidates.Any(c => c.IsLearned) && learned?.GetValueOrDefault(record.Text("placement")) != reward) OtherReward++;
        var target = choice.Probabilities;
        // Where nothing was drawn, and in records of an earlier version, the chosen one's probability tells what the others had.
        _uncovered += choice.Candidates.Count == 0 ? 1
            : choice.Candidates.Select((c, i) => (c.Drawn is { } p ? p <= 0 : logged == 1 && c.Offer != name) ? target[i] : 0).Sum();
        var (own, expected) = (-1, 0.0);
        for (var i = 0; i < target.Length; i++)
        {
            if (choice.Candidates[i].Offer == name) own = i;
            expected += target[i] * Model(choice.Candidates[i]);
        }
        _waiting[record.Text("decision_id")] = new Sample(record.Text("customer_id"), logged, own < 0 ? 0 : target[own], 0,
            own < 0 ? 0 : Model(choice.Candidates[own]), expected);
    }

    /// <summary>Takes an outcome record; all decisions were taken before.</summary>
    public void Outcome(LoggedRecord record)
    {
        var status = record.Text("status");
        if (status is not ("closed" or "displaced" or "withdrawn")
            || !_waiting.Remove(record.Text("decision_id"), out var sample)) return;
        if (status == "withdrawn")
        {
            Withdrawn++;
            return;
        }
        if (status == "displaced") Displaced++;
        Samples.Add(sample with { Reward = reward == Value ? record.Number("value") : record.Texts("outcomes").Contains(reward) ? 1 : 0 });
    }

    /// <summary>P says how likely the outcome is; P x V what it is worth.</summary>
    private double Model(LoggedCandidate candidate) => reward == Value ? candidate.P * candidate.V : candidate.P;
}
