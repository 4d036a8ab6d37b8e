namespace StreamEngine.Events.Avro;

/// <summary>The kinds of Avro schema.</summary>
public enum AvroKind : byte
{
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Record,
    Enum,
    Array,
    Map,
    Union,
    Fixed,
}

/// <summary>
/// Logical types: what the underlying value stands for. An unknown or invalid one counts as none, as the specification asks.
/// </summary>
public enum AvroLogical : byte
{
    None,

    /// <summary>Big-endian two's complement in bytes or fixed, with precision and scale.</summary>
    Decimal,

    /// <summary>Int: days since 1970-01-01.</summary>
    Date,

    /// <summary>Int: milliseconds since midnight.</summary>
    TimeMillis,

    /// <summary>Long: microseconds since midnight.</summary>
    TimeMicros,

    /// <summary>Long: milliseconds since 1970-01-01 UTC.</summary>
    TimestampMillis,

    /// <summary>Long: microseconds since 1970-01-01 UTC.</summary>
    TimestampMicros,

    /// <summary>Long: nanoseconds since 1970-01-01 UTC.</summary>
    TimestampNanos,

    /// <summary>String, or fixed of 16 bytes.</summary>
    Uuid,

    /// <summary>Fixed of 12 bytes: months, days, milliseconds.</summary>
    Duration,
}
