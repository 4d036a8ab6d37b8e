using System.Globalization;
using StreamEngine.Events;

namespace StreamEngine.Runtime;

/// <summary>Why a record is in a partition that its customer does not hash to. The names, in snake case, are the metric's labels.</summary>
public enum Misplacement : byte
{
    /// <summary>It has no key, so that its producer put it anywhere.</summary>
    NoKey,

    /// <summary>Its key is not the customer id.</summary>
    OtherKey,

    /// <summary>Its key is the customer id, hashed by another function or over another number of partitions.</summary>
    OtherHash,
}

/// <summary>What a shard has seen of misplaced records since it was asked last. Belongs to the shard's thread.</summary>
internal sealed class MisplacedRecords
{
    private readonly long[] _counts = new long[3];

    /// <summary>How many, by <see cref="Misplacement"/>.</summary>
    public ReadOnlySpan<long> Counts => _counts;

    /// <summary>The source of the last.</summary>
    public int Source { get; private set; }

    /// <summary>The offset of the last.</summary>
    public long Offset { get; private set; }

    /// <summary>Whether there is any.</summary>
    public bool Any { get; private set; }

    /// <summary>There is one more.</summary>
    public void Add(int source, long offset, Misplacement why)
    {
        (Source, Offset, Any) = (source, offset, true);
        _counts[(int)why]++;
    }

    /// <summary>Forgets them.</summary>
    public void Clear()
    {
        Array.Clear(_counts);
        Any = false;
    }
}

/// <summary>
/// Records in partitions that their customers do not hash to: told at the first one, and again at widening intervals while more come. Any
/// thread may call it.
/// </summary>
internal sealed class Misplacements(CompiledEngine engine, TimeProvider time, Action<WorkerEvent> report)
{
    private static readonly TimeSpan FirstAgain = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan MostBetween = TimeSpan.FromMinutes(10);
    private static readonly string[] Words = ["without a key", "with a key that is not the customer id",
        "keyed by the customer id, which is hashed otherwise"];

    private readonly long[] _counts = new long[Words.Length];
    private TimeSpan _wait;
    private long _told;

    /// <summary>Takes what a shard has seen, and forgets it there.</summary>
    public void Take(int partition, MisplacedRecords seen)
    {
        lock (_counts)
        {
            for (var i = 0; i < _counts.Length; i++) _counts[i] += seen.Counts[i];
            if (_wait == TimeSpan.Zero || time.GetElapsedTime(_told) >= _wait)
            {
                _told = time.GetTimestamp();
                _wait = _wait == TimeSpan.Zero ? FirstAgain : _wait * 3 < MostBetween ? _wait * 3 : MostBetween;
                Tell(partition, seen);
            }
        }
        seen.Clear();
    }

    /// <summary>What a producer has to do.</summary>
    public static string KeyThem(EventSourceOptions source) => "Let the producer key its records by the customer id "
        + $"({string.Join(" or ", source.Customer.All)}), hashed as Kafka's Java client does (librdkafka's clients: "
        + "partitioner=murmur2_random), and keep the number of partitions";

    private void Tell(int partition, MisplacedRecords seen)
    {
        var source = engine.Events.Sources[seen.Source];
        var kinds = Words.Select((words, i) => (Count: _counts[i], Words: words)).Where(k => k.Count > 0)
            .Select(k => $"{Text(k.Count)} {k.Words}");
        var refused = engine.Options.Runtime.WrongPartition == WrongPartitionFate.Refuse;
        report(new WorkerEvent(true, $"Records are in partitions that their customers do not hash to, {Text(_counts.Sum())} so far: "
            + $"{string.Join(", ", kinds)}; the last one is topic '{source.Topic}', partition {partition}, offset {seen.Offset}. "
            + (refused ? "They go to the dead letter (runtime.wrong_partition: refuse). " : "Such customers have several profiles, and "
                + "caps, features and duplicates hold in each by itself; with runtime.wrong_partition: refuse these records go to the dead "
                + "letter. ") + KeyThem(source.Options) + "."));
    }

    private static string Text(long n) => n.ToString("N0", CultureInfo.InvariantCulture);
}
