using System.Text.Json;
using System.Text.RegularExpressions;

namespace StreamEngine.Testing;

/// <summary>
/// Holds a broker's word against its data. A transaction that its log says is complete has a marker in each of its partitions, of a commit
/// or of an abort: a Kafka broker from 4.1 on takes partitions that have no leader at the moment for deleted ones (KAFKA-20734), and one
/// that is told to stop or just starts writes transactions as complete without their markers (seen in its data: PrepareCommit and
/// CompleteCommit 50 ms apart while its partitions had no leader any more). The client was told that they are committed; the next
/// transaction of that producer decides over their records.
/// </summary>
public static partial class KafkaMarkers
{
    private const string PrepareCommit = "2", PrepareAbort = "3", CompleteCommit = "4", CompleteAbort = "5";

    /// <summary>Finds the partitions that lack markers.</summary>
    /// <param name="data">The broker's data folder, a test's: its logs are dumped as text.</param>
    /// <param name="dump">Runs Kafka's DumpLogSegments with these arguments; returns its lines.</param>
    /// <returns>For each partition and producer, how many markers of how many are missing.</returns>
    public static IReadOnlyList<string> Missing(string data, Func<string, IEnumerable<string>> dump)
    {
        var states = Files(data, name => name.StartsWith("__transaction_state", StringComparison.Ordinal));
        var due = Due(dump($"--transaction-log-decoder --files {states}"));
        var written = Written(dump($"--deep-iteration --files {Files(data, name => due.Keys.Any(k => k.Partition == name))}"));
        return [.. due.Where(d => written.GetValueOrDefault(d.Key) < d.Value)
            .OrderBy(d => d.Key.Partition, StringComparer.Ordinal).ThenBy(d => d.Key.Kind, StringComparer.Ordinal)
            .Select(d => $"{d.Key.Partition}: {d.Value - written.GetValueOrDefault(d.Key)} {d.Key.Kind} of {d.Value} of producer "
                + d.Key.Producer)];
    }

    /// <summary>The markers that complete transactions must have, by producer, partition and kind.</summary>
    private static Dictionary<(long Producer, string Partition, string Kind), int> Due(IEnumerable<string> lines)
    {
        var due = new Dictionary<(long, string, string), int>();
        var prepared = new Dictionary<string, (string Complete, string Kind, JsonElement State)>();
        foreach (var match in lines.Select(l => State().Match(l)).Where(m => m.Success))
        {
            var id = match.Groups["id"].Value;
            using var json = JsonDocument.Parse(match.Groups["state"].Value);
            var state = json.RootElement.GetProperty("data");
            var status = state.GetProperty("transactionStatus").GetRawText();
            if (status == PrepareCommit) prepared[id] = (CompleteCommit, "COMMIT", state.Clone());
            else if (status == PrepareAbort) prepared[id] = (CompleteAbort, "ABORT", state.Clone());
            else if (prepared.Remove(id, out var end) && status == end.Complete)
                foreach (var topic in end.State.GetProperty("transactionPartitions").EnumerateArray())
                    foreach (var partition in topic.GetProperty("partitionIds").EnumerateArray())
                    {
                        var key = (end.State.GetProperty("producerId").GetInt64(),
                            $"{topic.GetProperty("topic").GetString()}-{partition}", end.Kind);
                        due[key] = due.GetValueOrDefault(key) + 1;
                    }
        }
        return due;
    }

    private static Dictionary<(long Producer, string Partition, string Kind), int> Written(IEnumerable<string> lines)
    {
        var written = new Dictionary<(long, string, string), int>();
        var (partition, producer) = ("", 0L);
        foreach (var line in lines)
        {
            if (line.StartsWith("Dumping ", StringComparison.Ordinal))
                partition = Path.GetFileName(Path.GetDirectoryName(line["Dumping ".Length..]))!;
            else if (Batch().Match(line) is { Success: true } batch) producer = long.Parse(batch.Groups["producer"].Value);
            else if (Marker().Match(line) is { Success: true } marker)
            {
                var key = (producer, partition, marker.Groups["kind"].Value);
                written[key] = written.GetValueOrDefault(key) + 1;
            }
        }
        return written;
    }

    private static string Files(string data, Func<string, bool> wanted) => string.Join(',', Directory.GetDirectories(data)
        .Where(d => wanted(Path.GetFileName(d))).Order(StringComparer.Ordinal)
        .SelectMany(d => Directory.GetFiles(d, "*.log").Order(StringComparer.Ordinal)));

    [GeneratedRegex("""key: \{.*"transactionalId":"(?<id>[^"]+)"\}\} payload: (?<state>\{.*\})""")]
    private static partial Regex State();

    [GeneratedRegex("^baseOffset: .* producerId: (?<producer>-?[0-9]+) ")]
    private static partial Regex Batch();

    [GeneratedRegex("endTxnMarker: (?<kind>COMMIT|ABORT) ")]
    private static partial Regex Marker();
}
