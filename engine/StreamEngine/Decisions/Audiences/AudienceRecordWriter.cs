using System.Buffers.Text;
using System.Text;
using StreamEngine.Connectors;

namespace StreamEngine.Decisions.Audiences;

/// <summary>Why a segment was looked at. The names, in snake case, are the record's symbols.</summary>
internal enum AudienceCause : byte
{
    /// <summary>An event was applied.</summary>
    Event,

    /// <summary>A timer fired, or it was time to look again.</summary>
    Timer,

    /// <summary>An event that was rejected for want of consent has withdrawn it.</summary>
    Consent,
}

/// <summary>A customer's change of a segment.</summary>
internal ref struct AudienceRecord
{
    public int Segment;
    public long Changes;     // with this one: odd where the customer enters
    public AudienceCause Cause;
    public ReadOnlySpan<byte> Customer;
    public Span<byte> Profile;
    public long Time;
    public long Watermark;
}

/// <summary>Writes what customers enter and leave (<c>schemas/audience.avsc</c>). Allocates nothing.</summary>
internal sealed class AudienceRecordWriter
{
    private readonly IdentifierWriter _identifiers;
    private readonly RecordFrame _frame;
    private readonly byte[] _configHash;
    private readonly byte[][] _names, _prefixes;
    private readonly int _fixedBytes;

    /// <summary>Encodes what does not change.</summary>
    /// <param name="engine">The engine's name.</param>
    /// <param name="set">The segments and identifiers.</param>
    /// <param name="configHash">The config's hash.</param>
    /// <param name="frame">How they stand in their topic; null for Avro with the fixed id.</param>
    public AudienceRecordWriter(string engine, SegmentSet set, string configHash, RecordFrame? frame = null)
    {
        _identifiers = new IdentifierWriter(set);
        _frame = frame ?? RecordFrame.Fixed(OutputSchemas.Audience);
        _configHash = SpanWriter.Encode(configHash);
        _names = [.. set.Segments.Select(s => SpanWriter.Encode(s.Name))];
        _prefixes = [.. set.Segments.Select(s => Encoding.UTF8.GetBytes($"{engine}/{s.Name}/"))];
        _fixedBytes = RecordFrame.HeaderBytes + Longest(_names) + Longest(_prefixes) + _configHash.Length + 12 * SpanWriter.MaxLong
            + SpanWriter.MaxPosition + _identifiers.MostBytes;

        static int Longest(byte[][] texts) => texts.Select(t => t.Length).DefaultIfEmpty().Max();
    }

    /// <summary>The most bytes of a record's Avro, without the customer id, which stands in it twice.</summary>
    public int MostBytes => _fixedBytes;

    /// <summary>Writes a record, with the customer id as key.</summary>
    /// <param name="output">The interval's outputs.</param>
    /// <param name="topic">Index of the audience topic among the worker's outputs.</param>
    /// <param name="partition">The audience topic's partition.</param>
    /// <param name="shard">The shard that writes it.</param>
    /// <param name="record">What is written.</param>
    public void Write(OutputBuffer output, int topic, int partition, int shard, in AudienceRecord record)
    {
        output.Begin(topic, partition, shard, Math.Max(0, record.Time), record.Customer);
        var writer = new SpanWriter(output.Reserve(_fixedBytes + 2 * record.Customer.Length));
        _frame.Header(ref writer, topic);
        Span<byte> number = stackalloc byte[SpanWriter.MaxPosition];
        Utf8Formatter.TryFormat(record.Changes, number, out var digits);
        var prefix = _prefixes[record.Segment];
        writer.Long(prefix.Length + record.Customer.Length + 1 + digits);
        writer.Raw(prefix);
        writer.Raw(record.Customer);
        writer.Raw("/"u8);
        writer.Raw(number[..digits]);
        writer.Raw(_names[record.Segment]);
        writer.Long((record.Changes & 1) != 0 ? 0 : 1);
        writer.Long((int)record.Cause);
        writer.Bytes(record.Customer);
        writer.Long(record.Time);
        _identifiers.Write(ref writer, record.Profile);
        writer.Raw(_configHash);
        writer.Long(record.Watermark);
        _frame.Close(output, writer.Length);
    }
}
