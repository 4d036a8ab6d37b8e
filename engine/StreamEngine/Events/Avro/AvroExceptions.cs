using StreamEngine.Configuration;

namespace StreamEngine.Events.Avro;

/// <summary>A schema can't be used: says where in its JSON, and why. What stands in the schema is shown fit for a terminal.</summary>
public sealed class AvroSchemaException(string message, int line) : FormatException($"line {line}: {Printable.Short(message)}")
{
    /// <summary>The line in the schema's text, from 1.</summary>
    public int Line { get; } = line;

    /// <summary>The message without the place.</summary>
    public string Reason { get; } = Printable.Short(message);
}

/// <summary>
/// Avro data can't be read or written: malformed bytes, or a writer's schema that does not resolve to the reader's. Never thrown on the way
/// of an event. What stands in the data is shown fit for a terminal.
/// </summary>
public sealed class AvroException(string message) : FormatException(Printable.Short(message));
