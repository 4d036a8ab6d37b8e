namespace StreamEngine.Events;

/// <summary>Decodes one event source's records by projection: only what the config names is materialised.</summary>
public interface IEventDecoder
{
    /// <summary>
    /// Decodes a record's value into <paramref name="target"/> (cleared by the caller). Text fields become slices of <paramref
    /// name="buffer"/> or of the event's scratch space. Customer, id, time, type and consent are filled where the record has them; what is
    /// missing stays absent and is judged here too: the result is <see cref="RejectReason.None"/>, or the first reason among UnknownSchema,
    /// Malformed, WrongType, BadUtf8, MissingCustomer, MissingId, MissingTime. A malformed record leaves in <paramref name="target"/> what
    /// was read before the fault. Where no field has the event time, <see cref="Event.Time"/> is left alone: the caller sets it where it is
    /// the log's timestamp (<see cref="EventSource.TimeIsRecordTimestamp"/>).
    /// </summary>
    /// <param name="buffer">The array that holds the record.</param>
    /// <param name="value">Where the record's value stands in it.</param>
    /// <param name="key">Where the record's key stands in it (empty where there is none).</param>
    /// <param name="target">The event to fill.</param>
    /// <exception cref="Registry.SchemaRegistryException">The record's schema is not known yet and the registry can't be asked: nothing is
    /// wrong with the record, so decode it again.</exception>
    RejectReason Decode(byte[] buffer, Range32 value, Range32 key, Event target);
}

/// <summary>A slice of an array: start and length, 32 bits each.</summary>
public readonly record struct Range32(int Start, int Length)
{
    /// <summary>The bytes of the buffer that it stands for.</summary>
    public ReadOnlySpan<byte> Of(ReadOnlySpan<byte> buffer) => buffer.Slice(Start, Length);
}
