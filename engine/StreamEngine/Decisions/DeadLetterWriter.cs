using System.Security.Cryptography;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Events;

namespace StreamEngine.Decisions;

/// <summary>One rejected record: where it stood and why it was rejected.</summary>
public ref struct DeadLetter
{
    /// <summary>Why.</summary>
    public RejectReason Reason;

    /// <summary>What exactly, UTF-8; may be empty. Must not hold personal data.</summary>
    public ReadOnlySpan<byte> Detail;

    /// <summary>Index of the source topic, in the worker's list.</summary>
    public int Topic;

    /// <summary>The partition.</summary>
    public int Partition;

    /// <summary>The offset.</summary>
    public long Offset;

    /// <summary>The record's timestamp in the log, ms.</summary>
    public long Timestamp;

    /// <summary>The record's key; empty where it has none or must not be kept.</summary>
    public ReadOnlySpan<byte> Key;

    /// <summary>The value as it was read: only its hash is written.</summary>
    public ReadOnlySpan<byte> Original;

    /// <summary>The value to keep, masked where need be.</summary>
    public ReadOnlySpan<byte> Kept;

    /// <summary>Whether <see cref="Kept"/> is written; false for a record without consent and for a tombstone.</summary>
    public bool Keep;

    /// <summary>Whether fields were masked in <see cref="Kept"/>.</summary>
    public bool Masked;
}

/// <summary>Writes dead letters (<c>schemas/dead-letter.avsc</c>). Allocates nothing.</summary>
/// <param name="sourceTopics">The source topics, in the worker's order.</param>
/// <param name="frame">How they stand in their topic; null for Avro with the fixed id.</param>
public sealed class DeadLetterWriter(IReadOnlyList<string> sourceTopics, RecordFrame? frame = null)
{
    private readonly byte[][] _topics = sourceTopics.Select(SpanWriter.Encode).ToArray();
    private readonly RecordFrame _frame = frame ?? RecordFrame.Fixed(OutputSchemas.DeadLetter);
    private readonly byte[][] _reasons = Enum.GetValues<RejectReason>().Select(r => SpanWriter.Encode(Spelling.Kebab(r.ToString())))
        .ToArray();

    /// <summary>Writes a dead letter under the record's own key.</summary>
    /// <param name="output">The interval's outputs.</param>
    /// <param name="topic">Index of the dead-letter topic among the worker's outputs.</param>
    /// <param name="partition">The dead-letter topic's partition.</param>
    /// <param name="letter">The rejected record.</param>
    public void Write(OutputBuffer output, int topic, int partition, in DeadLetter letter)
    {
        output.Begin(topic, partition, letter.Partition, letter.Timestamp, letter.Key);
        var length = Value(output, topic, letter, letter.Keep);
        // As JSON a value may be longer than it was. What the log would not take is told by position and hash.
        if (letter.Keep && letter.Key.Length + length > output.MaxRecordBytes) length = Value(output, topic, letter, keep: false);
        output.Advance(length);
        output.End();
    }

    /// <summary>Writes the value into the buffer's free space; not yet taken as written.</summary>
    private int Value(OutputBuffer output, int topic, in DeadLetter letter, bool keep)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        Span<byte> hex = stackalloc byte[2 * SHA256.HashSizeInBytes];
        SHA256.HashData(letter.Original, hash);
        Convert.TryToHexStringLower(hash, hex, out _);
        var (reason, source) = (_reasons[(int)letter.Reason], _topics[letter.Topic]);
        var writer = new SpanWriter(output.Reserve(RecordFrame.HeaderBytes + reason.Length + source.Length + letter.Detail.Length
            + letter.Kept.Length + hex.Length + 1 + 7 * SpanWriter.MaxLong));
        _frame.Header(ref writer, topic);
        writer.Raw(reason);
        writer.Bytes(letter.Detail);
        writer.Raw(source);
        writer.Long(letter.Partition);
        writer.Long(letter.Offset);
        writer.Long(letter.Timestamp);
        writer.Long(keep ? 1 : 0);
        if (keep) writer.Bytes(letter.Kept);
        writer.Bytes(hex);
        writer.Bool(keep && letter.Masked);
        return _frame.Form(output, writer.Length);
    }
}
