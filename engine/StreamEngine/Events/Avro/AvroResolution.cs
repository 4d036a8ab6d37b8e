namespace StreamEngine.Events.Avro;

/// <summary>Which part of a writer's schema becomes which part of a reader's (Avro specification, "Schema Resolution").</summary>
internal static class AvroResolution
{
    /// <summary>
    /// Whether data of the writer can be read as the reader, as far as this level shows: kinds, promotions, names, element types.
    /// </summary>
    public static bool Matches(AvroSchema writer, AvroSchema reader)
    {
        if (writer.Kind == AvroKind.Union || reader.Kind == AvroKind.Union) return true;
        if (writer.Kind != reader.Kind) return Promotes(writer.Kind, reader.Kind);
        return writer.Kind switch
        {
            AvroKind.Array or AvroKind.Map => Matches(writer.Element!, reader.Element!),
            AvroKind.Fixed => writer.Size == reader.Size && SameName(writer, reader),
            AvroKind.Record or AvroKind.Enum => SameName(writer, reader),
            _ => true,
        };
    }

    /// <summary>
    /// What of the reader's schema reads the writer's value: the schema itself, or a branch of a union: the first of the same full name,
    /// else the first of the same kind, else the first that it can be promoted to. (With the first that matches at all, a string would be
    /// bytes in a union that has both.) Null where nothing does.
    /// </summary>
    public static AvroSchema? Branch(AvroSchema writer, AvroSchema reader)
    {
        if (reader.Kind != AvroKind.Union) return Matches(writer, reader) ? reader : null;
        AvroSchema? found = null;
        var best = 0;
        foreach (var branch in reader.Branches)
        {
            if (!Matches(writer, branch)) continue;
            var rank = branch.Kind != writer.Kind ? 1 : branch.FullName != writer.FullName ? 2 : 3;
            if (rank > best) (found, best) = (branch, rank);
        }
        return found;
    }

    /// <summary>The reader's field that a writer's field fills: by name, else by the reader's alias; null where it is dropped.</summary>
    public static AvroField? ReaderField(AvroSchema reader, AvroSchema writer, AvroField field)
    {
        if (reader.Field(field.Name) is { } same) return same;
        return reader.FieldByAlias(field.Name) is { } renamed && writer.Field(renamed.Name) is null ? renamed : null;
    }

    /// <summary>The reader's symbol for a writer's: itself, or the reader's default; null where there is neither.</summary>
    public static string? Symbol(AvroSchema reader, string symbol) => reader.HasSymbol(symbol) ? symbol : reader.DefaultSymbol;

    private static bool Promotes(AvroKind writer, AvroKind reader) => (writer, reader) switch
    {
        (AvroKind.Int, AvroKind.Long or AvroKind.Float or AvroKind.Double) => true,
        (AvroKind.Long, AvroKind.Float or AvroKind.Double) => true,
        (AvroKind.Float, AvroKind.Double) => true,
        (AvroKind.String, AvroKind.Bytes) or (AvroKind.Bytes, AvroKind.String) => true,
        _ => false,
    };

    /// <summary>Unqualified names count, as the specification says; an alias of the reader counts too.</summary>
    private static bool SameName(AvroSchema writer, AvroSchema reader) =>
        writer.Name == reader.Name || reader.Aliases.Any(a => a == writer.FullName || a[(a.LastIndexOf('.') + 1)..] == writer.Name);
}
