using StreamEngine.Activation.Flow;
using StreamEngine.Connectors;

namespace StreamEngine.Activation.Records;

/// <summary>Makes records to be delivered of what was polled. Of the connector's thread.</summary>
/// <param name="activation">The connector.</param>
/// <param name="replay">Whether dead letters are read, of which the connector's own are taken.</param>
/// <param name="delivery">Takes what can't be read.</param>
internal sealed class RecordIntake(CompiledActivation activation, bool replay, Deliverer delivery)
{
    private readonly RecordReader _reader = new(activation.Kind);

    /// <summary>
    /// The record; null where it is not to be delivered. What can't be read is a dead letter, written before this returns.
    /// </summary>
    public ActivationRecord? Read(RecordBatch polled, int index, TopicPartition partition)
    {
        var info = polled[index];
        var origin = (Partition: partition, info.Offset);
        var (key, value, timestamp) = (polled.Key(index).ToArray(), polled.Value(index).ToArray(), info.Timestamp);
        if (replay)
        {
            if (DeadLetter.Read(value) is not { } letter || letter.Activation != activation.Name) return null;
            origin = (new TopicPartition(letter.Topic, letter.Partition), letter.Offset);
            (key, value, timestamp) = (letter.Key, letter.Value, letter.Timestamp);
        }
        try
        {
            if (_reader.Read(value) is not { } json) return null;
            var record = new ActivationRecord(partition, info.Offset, origin, timestamp, key, json);
            if (record.Fields.ValueKind != System.Text.Json.JsonValueKind.Object) throw new InvalidDataException("it is no JSON object");
            // What became a dead letter was wanted; a filter that was changed meanwhile does not let it vanish.
            if (replay || activation.Filter is not { } filter || filter.Takes(record)) return record;
            delivery.Metrics.Filtered();
            return null;
        }
        catch (Exception e) when (e is InvalidDataException or System.Text.Json.JsonException)
        {
            delivery.DeadLetters.WriteAsync(origin.Partition, origin.Offset, timestamp, key, value, new Refusal("unreadable", e.Message))
                .GetAwaiter().GetResult();
            return null;
        }
    }
}
