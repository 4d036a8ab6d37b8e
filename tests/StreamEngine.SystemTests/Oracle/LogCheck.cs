using StreamEngine.Connectors;

namespace StreamEngine.SystemTests.Oracle;

/// <summary>Topics of one run.</summary>
internal sealed record RunTopics(string Events, string Decisions, string Actions, string DeadLetter, string Late);

/// <summary>
/// Reads everything that a run read and wrote, as a read-committed reader sees it, and holds it against the oracle: decisions, actions,
/// dead letters and late records, each exactly once; or, where they may come again, each at least once and always the same to the byte.
/// </summary>
internal sealed class LogCheck(ILog log, JobDefinition job, RunTopics topics, string schemas, bool repeats = false,
    Func<string, Ask?>? asked = null)
{
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(200);
    private readonly Report _report = new();
    private readonly Dictionary<string, byte[]> _first = [];

    /// <summary>Compares all partitions.</summary>
    public Report Run()
    {
        var decisions = new OutputSchema(Path.Combine(schemas, "decision.avsc"), 113);
        var folds = new List<PartitionFold>();
        for (var p = 0; p < log.Partitions(topics.Events); p++)
        {
            var fold = new PartitionFold(job, topics.Events, p, _report, asked);
            fold.Run(Read(topics.Events, p),
                [.. Read(topics.Decisions, p).Select(r => (r.Value, Decision: new DecisionRecord(decisions.Read(r.Value), r.Offset)))
                .Where(r => !CameBefore($"decision {r.Decision.DecisionId}", r.Value)).Select(r => r.Decision)]);
            folds.Add(fold);
            var high = log.Watermarks(new TopicPartition(topics.Events, p)).High;
            if (log.Committed(job.Name, new TopicPartition(topics.Events, p)) is var committed && committed != high && high > 0)
                _report.Wrong($"partition {p}: the group stands at {committed}, the topic ends at {high}");
        }
        if (job.Actions is not null) Actions(folds);
        DeadLetters(folds);
        Late(folds);
        return _report;
    }

    /// <summary>All decisions and marks, by partition and in the order of the log.</summary>
    public List<DecisionRecord> Decisions()
    {
        var schema = new OutputSchema(Path.Combine(schemas, "decision.avsc"), 113);
        return [.. ReadAll(topics.Decisions).Select(r => new DecisionRecord(schema.Read(r.Value), r.Offset))];
    }

    private void Actions(List<PartitionFold> folds)
    {
        var schema = new OutputSchema(Path.Combine(schemas, "action.avsc"), 109);
        var expected = folds.SelectMany(f => f.Served).DistinctBy(d => d.DecisionId).ToDictionary(d => d.DecisionId);
        var found = new HashSet<string>();
        foreach (var record in ReadAll(topics.Actions))
        {
            _report.Checked++;
            var action = schema.Read(record.Value);
            var id = (string)action["action_id"]!;
            if (CameBefore($"action {id}", record.Value)) continue;
            if (!found.Add(id)) _report.Doubled($"action {id}");
            else if (!expected.TryGetValue(id, out var d)) _report.Unexpected($"action {id}");
            else if (((string)action["customer_id"]!, (string)action["offer"]!, (double)action["probability"]!, (double)action["priority"]!,
                (string)action["trigger"]!, (string)action["placement"]!, (string)action["event_id"]!, (long)action["event_time"]!,
                (double)action["selection_probability"]!)
                != (d.Customer, d.Offer, d.ChosenP, d.ChosenPriority, d.Trigger, d.Placement, d.EventId, d.EventTime,
                    d.SelectionProbability))
                _report.Wrong($"action {id} is not its decision's");
            else if (!record.Key.AsSpan().SequenceEqual(System.Text.Encoding.UTF8.GetBytes(d.Customer)))
                _report.Wrong($"action {id} has another key");
        }
        foreach (var id in expected.Keys.Where(id => !found.Contains(id))) _report.Lost($"action {id}");
    }

    private void DeadLetters(List<PartitionFold> folds)
    {
        var schema = new OutputSchema(Path.Combine(schemas, "dead-letter.avsc"), 103);
        var expected = new Dictionary<(long, long), string>();
        for (var p = 0; p < folds.Count; p++)
            foreach (var (offset, reason) in folds[p].DeadLetters) expected[(p, offset)] = reason;
        var found = new HashSet<(long, long)>();
        foreach (var record in ReadAll(topics.DeadLetter))
        {
            _report.Checked++;
            var letter = schema.Read(record.Value);
            var at = ((long)letter["partition"]!, (long)letter["offset"]!);
            var reason = (string)letter["reason"]!;
            if (CameBefore($"dead letter {at}", record.Value)) continue;
            if (!found.Add(at)) _report.Doubled($"dead letter {at}");
            else if (!expected.TryGetValue(at, out var wanted)) _report.Unexpected($"dead letter {at}: {reason}");
            else if (reason != wanted) _report.Wrong($"dead letter {at}: {reason}, expected {wanted}");
            else if (reason == "no-consent" && letter["bytes"] is not null) _report.Wrong($"dead letter {at} keeps bytes without consent");
        }
        foreach (var (at, reason) in expected.Where(e => !found.Contains(e.Key))) _report.Lost($"dead letter {at}: {reason}");
    }

    private void Late(List<PartitionFold> folds)
    {
        var late = Enumerable.Range(0, log.Partitions(topics.Late)).SelectMany(p => Read(topics.Late, p))
            .Select(r => Convert.ToHexString(r.Value)).ToLookup(v => v);
        var expected = folds.SelectMany(f => f.Late).Select(r => Convert.ToHexString(r.Value)).ToLookup(v => v);
        foreach (var value in late.Select(g => g.Key).Union(expected.Select(g => g.Key)))
        {
            var (found, wanted) = (late[value].Count(), expected[value].Count());
            _report.Checked += found;
            if (found < wanted) _report.Lost($"late record, {wanted - found} of {wanted}");
            else if (found > wanted && wanted > 0 && repeats) _report.Saw("repeated");
            else if (found > wanted && wanted > 0) _report.Doubled($"late record, {found} times instead of {wanted}");
            else if (found > wanted) _report.Unexpected("late record");
        }
    }

    /// <summary>Whether the record is one that may come again, and has.</summary>
    private bool CameBefore(string id, byte[] value)
    {
        if (!repeats || _first.TryAdd(id, value)) return false;
        if (!value.AsSpan().SequenceEqual(_first[id])) _report.Wrong($"{id} has two contents");
        _report.Saw("repeated");
        return true;
    }

    private IEnumerable<LogRecord> ReadAll(string topic) => Enumerable.Range(0, log.Partitions(topic)).SelectMany(p => Read(topic, p));

    private List<LogRecord> Read(string topic, int partition)
    {
        var at = new TopicPartition(topic, partition);
        var (low, high) = log.Watermarks(at);
        var records = new List<LogRecord>();
        if (high <= low) return records;
        using var reader = log.OpenReader();
        reader.Assign(at, low);
        var batch = new RecordBatch();
        var idle = 0;
        while (reader.Position < high)
        {
            reader.Read(batch, 5_000, Slice);
            for (var i = 0; i < batch.Count; i++)
                records.Add(new LogRecord(batch[i].Offset, batch[i].Timestamp, batch.Key(i).ToArray(), batch.Value(i).ToArray()));
            idle = batch.Count > 0 ? 0 : idle + 1;
            if (idle > 300) throw new TimeoutException($"{topic}[{partition}] can't be read past {reader.Position} (it ends at {high})");
        }
        return records;
    }
}
