using StreamEngine.Events.Avro;

namespace StreamEngine.Events.Decoding;

/// <summary>
/// Which step reads a value of a schema into a target: the straight one for the usual pairs, a conversion for others, none where there is
/// no sense in it.
/// </summary>
internal static class ScalarSteps
{
    /// <summary>The step, or null where the schema can't become the target's type.</summary>
    public static Step? For(AvroSchema w, AvroSchema? r, Target target, SymbolTable symbols)
    {
        var logical = w.Logical != AvroLogical.None || r is null ? w.Logical : r.Logical;
        var scale = w.Logical == AvroLogical.Decimal ? w.Scale : r?.Scale ?? 0;
        var type = target.Type;
        switch (w.Kind)
        {
            case AvroKind.String or AvroKind.Bytes when type == FieldType.String && logical != AvroLogical.Decimal:
                return new Step(Op.Text, target.Slot);
            case AvroKind.Enum:
                return type == FieldType.String ? new Step(Op.Enum, target.Slot, Symbols(w, r, symbols)) : null;
            case AvroKind.Long when type == FieldType.Int || target.Natural:
                return new Step(Op.Long, target.Slot);
            case AvroKind.Long when type == FieldType.Timestamp && logical == AvroLogical.TimestampMillis:
                return new Step(Op.Millis, target.Slot);
            case AvroKind.Double when type == FieldType.Double:
                return new Step(Op.Double, target.Slot);
        }
        return Converts(w.Kind, logical, target) ? new Step(Op.Convert, 0, new ScalarSource(target, w.Kind, logical, scale, w.Size)) : null;
    }

    /// <summary>The step that reads consents, or null where the schema is nothing of the kind.</summary>
    public static Step? Consent(AvroSchema w, Purposes purposes)
    {
        var source = (w.Kind, w.Element?.Kind) switch
        {
            (AvroKind.String, _) => new ConsentSource(ConsentKind.Text, []),
            (AvroKind.Array, AvroKind.String) => new ConsentSource(ConsentKind.Texts, []),
            (AvroKind.Array, AvroKind.Enum) => new ConsentSource(ConsentKind.Symbols, [.. w.Element!.Symbols.Select(purposes.Bit)]),
            (AvroKind.Map, AvroKind.Boolean) => new ConsentSource(ConsentKind.Flags, []),
            _ => null,
        };
        return source is null ? null : new Step(Op.Consent, 0, source);
    }

    /// <summary>The step that reads a yes or no to some purposes, or null where the schema is nothing of the kind.</summary>
    public static Step? Flag(AvroSchema w, ulong purposes) => w.Kind switch
    {
        AvroKind.Boolean or AvroKind.Int or AvroKind.Long or AvroKind.String => new Step(Op.Flag, 0, new FlagSource(purposes, w.Kind, [])),
        AvroKind.Enum => new Step(Op.Flag, 0, new FlagSource(purposes, w.Kind,
            [.. w.Symbols.Select(s => ConsentWords.IsGiven(System.Text.Encoding.UTF8.GetBytes(s)))])),
        _ => null,
    };

    private static EnumSource Symbols(AvroSchema w, AvroSchema? r, SymbolTable symbols) =>
        new([.. w.Symbols
            .Select(s => (r is { Kind: AvroKind.Enum } ? AvroResolution.Symbol(r, s) : s) is { } known ? symbols.Of(known) : null)]);

    private static bool Converts(AvroKind kind, AvroLogical logical, Target target)
    {
        var number = target.Type is FieldType.Double or FieldType.Decimal or FieldType.Int;
        if (logical == AvroLogical.Decimal) return number || target.Natural;
        return kind switch
        {
            AvroKind.Int or AvroKind.Long => target.Type != FieldType.Timestamp
                || logical is not (AvroLogical.TimeMillis or AvroLogical.TimeMicros),
            AvroKind.Float or AvroKind.Double => target.Type != FieldType.Bool,
            AvroKind.Boolean => target.Type is FieldType.Bool or FieldType.String,
            AvroKind.String => true,
            AvroKind.Bytes => false,
            AvroKind.Fixed => target.Type == FieldType.String,
            _ => false,
        };
    }
}
