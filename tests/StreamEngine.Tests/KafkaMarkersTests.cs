using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests;

/// <summary>Transactions that a broker calls complete and has no marker of, from lines as Kafka's DumpLogSegments prints them.</summary>
public sealed class KafkaMarkersTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("markers-").FullName;

    public KafkaMarkersTests()
    {
        foreach (var folder in new[] { "__transaction_state-0", "out-0", "out-1", "in-0" })
            File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(_data, folder)).FullName, "0.log"), "");
    }

    public void Dispose() => Directory.Delete(_data, recursive: true);

    [Fact]
    public void A_complete_transaction_without_a_marker_is_found_and_an_unfinished_one_is_not()
    {
        // Committed to both partitions, aborted, committed to one, and prepared only.
        string[] states = [State(2, "out", "0,1"), State(4), State(1, "out", "0"), State(3, "out", "0"), State(5), State(2, "out", "0"),
            State(4), State(2, "out", "1")];
        Assert.Empty(Missing(states, [.. Log("out-0", "COMMIT", "ABORT", "COMMIT"), .. Log("out-1", "COMMIT")]));
        Assert.Equal(["out-0: 1 COMMIT of 2 of producer 3"],
            Missing(states, [.. Log("out-0", "COMMIT", "ABORT"), .. Log("out-1", "COMMIT")]));
        Assert.Equal(["out-0: 2 COMMIT of 2 of producer 3", "out-1: 1 COMMIT of 1 of producer 3"],
            Missing(states, Log("out-0", "ABORT", "ABORT")));
        Assert.Equal(["out-0: 1 ABORT of 1 of producer 3"],
            Missing(states, [.. Log("out-0", "COMMIT", "COMMIT"), .. Log("out-1", "COMMIT")]));
    }

    private IReadOnlyList<string> Missing(string[] states, string[] logs) => KafkaMarkers.Missing(_data, arguments =>
    {
        Assert.DoesNotContain("in-0", arguments, StringComparison.Ordinal);
        return arguments.StartsWith("--transaction-log-decoder", StringComparison.Ordinal) ? states : logs;
    });

    private static string State(int status, string topic = "", string partitions = "") =>
        "| offset: 0 CreateTime: 1 keySize: 18 valueSize: 45 sequence: -1 headerKeys: [] key: {\"type\":\"0\",\"data\":"
        + "{\"transactionalId\":\"shop-a-0\"}} payload: {\"version\":\"1\",\"data\":{\"producerId\":3,\"previousProducerId\":3,"
        + $"\"producerEpoch\":0,\"transactionStatus\":{status},\"transactionPartitions\":"
        + (topic.Length > 0 ? $"[{{\"topic\":\"{topic}\",\"partitionIds\":[{partitions}]}}]" : "[]")
        + ",\"transactionStartTimestampMs\":1}}";

    private string[] Log(string partition, params string[] markers) => [$"Dumping {Path.Combine(_data, partition, "0.log")}",
        .. markers.SelectMany(m => new[]
        {
            "baseOffset: 1 lastOffset: 1 count: 1 baseSequence: -1 lastSequence: -1 producerId: 3 producerEpoch: 0 isControl: true",
            $"| offset: 1 CreateTime: 1 keySize: 4 valueSize: 6 sequence: -1 headerKeys: [] endTxnMarker: {m} coordinatorEpoch: 0",
        })];
}
