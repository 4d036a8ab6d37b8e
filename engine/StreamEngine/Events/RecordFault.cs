namespace StreamEngine.Events;

/// <summary>What a decoder can find wrong with a record.</summary>
public enum FaultKind : byte
{
    /// <summary>Nothing so far.</summary>
    None,

    /// <summary>A text is not what its field is declared as.</summary>
    Text,

    /// <summary>A whole number is not.</summary>
    Integer,

    /// <summary>A floating-point number (its bits) is not.</summary>
    Floating,

    /// <summary>True or false is not.</summary>
    Flag,

    /// <summary>There is an object, an array, or another type where a single value is declared, or the other way round.</summary>
    Structure,

    /// <summary>A text is not UTF-8.</summary>
    Utf8,

    /// <summary>The record has no bytes.</summary>
    Empty,

    /// <summary>JSON that is no object.</summary>
    NoObject,

    /// <summary>No JSON, from the byte <see cref="RecordFault.Number"/> on.</summary>
    Syntax,

    /// <summary>JSON that is nested deeper than <see cref="RecordFault.Limit"/> levels.</summary>
    Deep,

    /// <summary>A line of <see cref="RecordFault.Number"/> fields for <see cref="RecordFault.Limit"/> columns.</summary>
    Fields,

    /// <summary>A quote that is not closed, or has text behind it, in the field <see cref="RecordFault.Number"/>.</summary>
    Quote,

    /// <summary>Avro bytes that end early, go on behind the value, or can't be right.</summary>
    Bytes,

    /// <summary>No frame as the config says.</summary>
    Frame,

    /// <summary>The schema id <see cref="RecordFault.Number"/> can't be used.</summary>
    SchemaId,

    /// <summary>The schema fingerprint <see cref="RecordFault.Number"/> can't be used.</summary>
    Fingerprint,

    /// <summary>A list with more than <see cref="RecordFault.Limit"/> items.</summary>
    Items,
}

/// <summary>
/// The first thing wrong with a record, as its decoder saw it, so that a dead letter can say it: <see cref="EventSource.Explain"/> makes a
/// text of it. Values are slices that live as long as the event's.
/// </summary>
public struct RecordFault
{
    /// <summary>What is wrong.</summary>
    public FaultKind Kind;

    /// <summary>The path of the value; null where <see cref="Slot"/> tells it, or nothing does.</summary>
    public string? Path;

    /// <summary>The slot that the value was meant for.</summary>
    public int Slot;

    /// <summary>A number that goes with the kind.</summary>
    public long Number;

    /// <summary>A limit that goes with the kind.</summary>
    public long Limit;

    /// <summary>The value's text.</summary>
    public FieldValue Value;
}
