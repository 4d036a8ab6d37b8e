using StreamEngine.Connectors;
using StreamEngine.Decisions.Outcomes;
using StreamEngine.Host.Cli;
using StreamEngine.Host.Configuration;

namespace StreamEngine.Host.Evaluation.Experiments;

/// <summary>Reads who was decided for in which variation, and what came of it: from a log's topics, or a replay's files.</summary>
internal sealed class ExperimentReader
{
    private readonly HostOptions _options;
    private readonly DateTimeOffset? _since, _until;
    private readonly Dictionary<string, ExperimentData> _experiments;
    private readonly Dictionary<string, long> _unknown = [];

    /// <param name="options">The config.</param>
    /// <param name="since">Only decisions from then on.</param>
    /// <param name="until">Only decisions before then.</param>
    public ExperimentReader(HostOptions options, DateTimeOffset? since, DateTimeOffset? until)
    {
        (_options, _since, _until) = (options, since, until);
        _experiments = options.Decisions.Experiments.ToDictionary(e => e.Name, e => new ExperimentData(e));
    }

    /// <summary>What is known of each experiment, in the config's order.</summary>
    public IEnumerable<ExperimentData> Experiments => _options.Decisions.Experiments.Select(e => _experiments[e.Name]);

    /// <summary>Assignments that the config does not know, and how many there were.</summary>
    public IReadOnlyDictionary<string, long> Unknown => _unknown;

    /// <summary>Reads all decisions, then all outcomes.</summary>
    /// <param name="call">The command, which says what log there is.</param>
    /// <param name="folder">The results of a replay in place of a log.</param>
    /// <exception cref="LogException">What is read is missing, or can't be read.</exception>
    public void Read(Invocation call, string? folder) => LoggedRecords.Read(call, _options, folder, Decision, Outcome);

    private void Decision(LoggedRecord record)
    {
        // An outcome tells when its decision was made, so decisions are bounded by that too: a late event's own time is another one.
        if (record.Text("kind") is not ("decision" or "") || !IsWanted(record.Time("decided_at") ?? record.Time("event_time"))) return;
        var customer = record.Text("customer_id");
        if (customer.Length == 0) return;
        foreach (var (experiment, variation) in record.Assignments())
            if (!(_experiments.TryGetValue(experiment, out var data) && data.Decided(customer, variation))) Miss(experiment, variation);
    }

    private void Outcome(LoggedRecord record)
    {
        // The closing has the same outcomes once more; one that was late counts for nothing.
        if (record.Text("status") != "counted" || !IsWanted(record.Time("decided_at"))) return;
        var customer = record.Text("customer_id");
        if (customer.Length == 0 || !Enum.TryParse<OutcomeKind>(record.Text("kind"), ignoreCase: true, out var kind)) return;
        foreach (var (experiment, variation) in record.Assignments())
            if (_experiments.TryGetValue(experiment, out var data))
                data.CameTrue(customer, variation, record.Text("outcome_id"), kind, record.Number("value"));
    }

    private bool IsWanted(DateTimeOffset? time) => (_since is null || time >= _since) && (_until is null || time < _until);

    private void Miss(string experiment, string variation)
    {
        var what = $"{experiment}/{variation}";
        _unknown[what] = _unknown.GetValueOrDefault(what) + 1;
    }
}
