namespace StreamEngine.Events.Avro;

/// <summary>A schema can't be used: says where in its JSON, and why.</summary>
public sealed class AvroSchemaException(string message, int line, int column)
    : FormatException($"line {line}, column {column}: {message}")
{
    /// <summary>The line in the schema's text, from 1.</summary>
    public int Line { get; } = line;

    /// <summary>The column in bytes, from 1.</summary>
    public int Column { get; } = column;

    /// <summary>The message without the place.</summary>
    public string Reason { get; } = message;
}

/// <summary>
/// Avro data can't be read or written: malformed bytes, or a writer's schema that does not resolve to the reader's. Never thrown on the way
/// of an event.
/// </summary>
public sealed class AvroException(string message) : FormatException(message);
