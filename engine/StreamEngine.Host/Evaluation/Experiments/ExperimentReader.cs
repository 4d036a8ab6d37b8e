using System.Globalization;
using System.Text.Json;
using Avro;
using StreamEngine.Connectors;
using StreamEngine.Decisions.Outcomes;
using StreamEngine.Host.Cli;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Logs;
using StreamEngine.Host.Replay;
using StreamEngine.Host.Run;

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

    /// <summary>Reads the results of <c>replay</c>.</summary>
    /// <exception cref="LogException">A file is missing, or a line is no JSON.</exception>
    public void ReadFolder(string folder, CancellationToken stop)
    {
        foreach (var (name, take) in new (string, Action<LoggedRecord>)[] { ("decisions", Decision), ("outcomes", Outcome) })
        {
            var path = Path.Combine(folder, $"{name}.ndjson");
            if (!File.Exists(path))
                throw new LogException($"{path} is not there. Make it: `streamengine replay --config FILE --events FILES --out {folder}`.");
            var number = 0;
            foreach (var line in File.ReadLines(path))
            {
                stop.ThrowIfCancellationRequested();
                number++;
                try
                {
                    using var json = JsonDocument.Parse(line);
                    take(new LoggedRecord(json.RootElement));
                }
                catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
                {
                    throw new LogException($"{path}:{number}: not a record that replay writes: {e.Message}");
                }
            }
        }
    }

    /// <summary>Reads a log's topics from their beginning to their ends of now.</summary>
    /// <exception cref="LogException">A topic is missing, or the log can't be read.</exception>
    public void ReadLog(Invocation call)
    {
        using var log = LogOptions.OpenExisting(call, _options.Kafka);
        Read(call, log, _options.Outputs.Decisions, "decision", Decision);
        Read(call, log, _options.Outputs.Outcomes, "outcome", Outcome);
    }

    private static void Read(Invocation call, ILog log, string topic, string schema, Action<LoggedRecord> take)
    {
        if (log.Partitions(topic) == 0) throw new LogException($"topic '{topic}' does not exist. Make it: `topics create`.");
        using var avro = new AvroJson(schema, Stream.Null);
        long unread = 0;
        using var tail = new TopicTail([topic], record =>
        {
            try
            {
                if (record.Value is [(byte)'{', ..])
                {
                    using var json = JsonDocument.Parse(record.Value);
                    take(new LoggedRecord(json.RootElement));
                }
                else take(new LoggedRecord(avro.Read(record.Value)));
            }
            catch (Exception e) when (e is AvroException or JsonException or IOException or ArgumentException or IndexOutOfRangeException
                or KeyNotFoundException)
            {
                unread++;
            }
            return false; // nothing is kept of it
        }, call.Stop);
        tail.Use(log);
        tail.ToBeginning();
        var ends = tail.Ends();
        for (var more = true; more;) tail.Round(ends, out more);
        if (unread > 0) call.Say(LogLevel.Warning, $"{unread} records of {topic} can't be read and are left out");
        if (tail.Unfinished.Count > 0)
            call.Say(LogLevel.Warning, $"what is at the end of {string.Join(", ", tail.Unfinished.Select(p => string.Create(
                CultureInfo.InvariantCulture, $"{p.Topic}[{p.Partition}]")))} is in a transaction that is not committed");
    }

    private void Decision(LoggedRecord record)
    {
        if (record.Text("kind") is not ("decision" or "") || !IsWanted(record.Time("event_time"))) return;
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
            if (_experiments.TryGetValue(experiment, out var data)) data.CameTrue(customer, variation, kind, record.Number("value"));
    }

    private bool IsWanted(DateTimeOffset? time) => (_since is null || time >= _since) && (_until is null || time < _until);

    private void Miss(string experiment, string variation)
    {
        var what = $"{experiment}/{variation}";
        _unknown[what] = _unknown.GetValueOrDefault(what) + 1;
    }
}
