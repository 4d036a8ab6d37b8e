namespace StreamEngine.Events;

/// <summary>Why a record was not admitted. The names, in kebab case, are the dead letter's reasons and the metric's labels.</summary>
public enum RejectReason : byte
{
    /// <summary>Admitted.</summary>
    None,

    /// <summary>The Confluent schema id or single-object fingerprint is not in the registry.</summary>
    UnknownSchema,

    /// <summary>The bytes end early, have trailing rubbish, or are no valid JSON, CSV or Avro.</summary>
    Malformed,

    /// <summary>A field's value does not fit its declared type (a text where a number is declared, a value out of range).</summary>
    WrongType,

    /// <summary>Text is not valid UTF-8.</summary>
    BadUtf8,

    /// <summary>The record is larger than the configured limit.</summary>
    Oversized,

    /// <summary>The record belongs to no customer.</summary>
    MissingCustomer,

    /// <summary>The event has no id and the config does not say how to make one.</summary>
    MissingId,

    /// <summary>The event has no time.</summary>
    MissingTime,

    /// <summary>The record is in a partition that its key does not hash to, and the config refuses such records.</summary>
    WrongPartition,

    /// <summary>Event time is further in the future than allowed.</summary>
    FutureTime,

    /// <summary>Event time is before the earliest allowed.</summary>
    TooOld,

    /// <summary>The customer did not consent to the purposes that the event type needs.</summary>
    NoConsent,

    /// <summary>Event time is before the watermark by more than the lateness; goes to the late topic.</summary>
    Late,

    /// <summary>An event with this id was applied already.</summary>
    Duplicate,

    /// <summary>A list of the event has more items than the config allows.</summary>
    TooManyItems,
}
