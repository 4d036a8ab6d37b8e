using System.Buffers.Binary;

namespace StreamEngine.Events.Decoding;

/// <summary>
/// Decodes Avro records: finds the writer's schema by the record's frame, then runs the projection compiled for it. Belongs to one thread.
/// </summary>
internal sealed class AvroEventDecoder(AvroSource source) : IEventDecoder
{
    private readonly HiddenValues _hidden = new(source.Shape.HiddenCount);

    // The last schemas seen: a topic rarely has more than one or two at a time.
    private ProjectionProgram? _byId;
    private ProjectionProgram? _byFingerprint;
    private int _id;
    private ulong _fingerprint;

    /// <inheritdoc/>
    public RejectReason Decode(byte[] buffer, Range32 value, Range32 key, Event target)
    {
        var shape = source.Shape;
        var faults = shape.Begin(buffer, key, target, _hidden);
        if (value.Length < 0 || (ulong)(uint)value.Start + (uint)value.Length > (uint)buffer.Length)
            return target.Note(FaultKind.Empty);
        var frame = AvroFrame.Of(buffer.AsSpan(value.Start, value.Length), source.Framing, source.Bare is not null);
        var program = frame.Kind switch
        {
            AvroFrameKind.Confluent => ById(frame.Id),
            AvroFrameKind.SingleObject => ByFingerprint(frame.Fingerprint),
            AvroFrameKind.Bare => source.Bare,
            _ => null,
        };
        if (frame.Kind == AvroFrameKind.Malformed) return target.Note(FaultKind.Frame);
        if (program is null || program.Unresolved is not null) return Unknown(frame, target);
        var end = value.Start + value.Length;
        var at = program.Run(buffer, value.Start + frame.Length, end, target, _hidden, ref faults);
        return at == end ? shape.Finish(faults, target, _hidden) : Broken(target);
    }

    private static RejectReason Unknown(in AvroFrame frame, Event target) => frame.Kind switch
    {
        AvroFrameKind.Confluent => target.Note(FaultKind.SchemaId, frame.Id, reason: RejectReason.UnknownSchema),
        AvroFrameKind.SingleObject => target.Note(FaultKind.Fingerprint, (long)frame.Fingerprint, reason: RejectReason.UnknownSchema),
        _ => target.Note(FaultKind.Frame, reason: RejectReason.UnknownSchema),
    };

    private static RejectReason Broken(Event target)
    {
        // What a value before the fault was like says nothing where the bytes are wrong.
        target.Fault.Kind = FaultKind.None;
        return target.Note(FaultKind.Bytes);
    }

    private ProjectionProgram? ById(int id)
    {
        if (_byId is not null && _id == id) return _byId;
        // The registry may be away: only an answer is remembered, or the next try would take the last schema for this one.
        var program = source.ById(id);
        (_id, _byId) = (id, program);
        return program;
    }

    private ProjectionProgram? ByFingerprint(ulong fingerprint)
    {
        if (_byFingerprint is not null && _fingerprint == fingerprint) return _byFingerprint;
        var program = source.ByFingerprint(fingerprint);
        (_fingerprint, _byFingerprint) = (fingerprint, program);
        return program;
    }
}

/// <summary>How an Avro record says which schema wrote it.</summary>
internal enum AvroFrameKind : byte
{
    /// <summary>Nothing fits, and there is no schema for bare records.</summary>
    Unknown,

    /// <summary>The bytes end within the frame, or are not framed as the config says.</summary>
    Malformed,
    Confluent,
    SingleObject,
    Bare,
}

/// <summary>The frame before a record's Avro binary.</summary>
internal readonly record struct AvroFrame(AvroFrameKind Kind, int Length, int Id = 0, ulong Fingerprint = 0)
{
    /// <summary>
    /// Reads the frame; in automatic framing the first bytes tell, and what fits neither is bare where there is a schema for that.
    /// </summary>
    public static AvroFrame Of(ReadOnlySpan<byte> value, AvroFraming framing, bool bare)
    {
        if (framing == AvroFraming.Bare) return new(AvroFrameKind.Bare, 0);
        if (value.Length == 0) return new(AvroFrameKind.Malformed, 0);
        if (framing != AvroFraming.SingleObject && value[0] == 0)
            return value.Length < 5 ? new(AvroFrameKind.Malformed, 0)
                : new(AvroFrameKind.Confluent, 5, BinaryPrimitives.ReadInt32BigEndian(value[1..]));
        if (framing != AvroFraming.Confluent && value[0] == 0xc3 && (value.Length < 2 || value[1] == 0x01))
            return value.Length < 10 ? new(AvroFrameKind.Malformed, 0)
                : new(AvroFrameKind.SingleObject, 10, 0, BinaryPrimitives.ReadUInt64LittleEndian(value[2..]));
        if (framing != AvroFraming.Auto) return new(AvroFrameKind.Malformed, 0);
        return new(bare ? AvroFrameKind.Bare : AvroFrameKind.Unknown, 0);
    }
}
