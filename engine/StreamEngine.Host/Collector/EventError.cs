using StreamEngine.Events;

namespace StreamEngine.Host.Collector;

/// <summary>Why an event was not taken.</summary>
/// <param name="Index">Its place in the request, from 0.</param>
/// <param name="Reason">A word, as dead letters have it.</param>
/// <param name="Field">The field at fault; null where no single one is.</param>
/// <param name="Detail">What exactly is wrong, with how the value begins.</param>
/// <param name="Remedy">What to do.</param>
internal sealed record EventError(int Index, string Reason, string? Field, string Detail, string Remedy)
{
    /// <summary>What to do about a reason.</summary>
    public static string RemedyOf(RejectReason reason) => reason switch
    {
        RejectReason.Malformed => "Send one JSON object an event (in an Avro source: one record as its schema has it).",
        RejectReason.WrongType => "Send the field as the source declares it.",
        RejectReason.BadUtf8 => "Encode texts as UTF-8.",
        RejectReason.Oversized => "Send less with the event.",
        RejectReason.MissingCustomer => "Say whose event it is, in one of the source's customer fields.",
        RejectReason.MissingId => "Give every event an id of its own, and the same one when it is sent again.",
        RejectReason.MissingTime => "Say when it happened.",
        RejectReason.FutureTime => "Set the sender's clock right; times are in milliseconds, or ISO 8601 with an offset.",
        RejectReason.TooOld => "Look whether the time is in seconds where milliseconds are asked for.",
        RejectReason.UnknownSchema => "Register the schema, or frame the record as the source says.",
        _ => "Look at the source in the engine's config.",
    };
}
