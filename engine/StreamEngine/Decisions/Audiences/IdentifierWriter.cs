namespace StreamEngine.Decisions.Audiences;

/// <summary>Writes what partners know a customer by, an Avro map of texts. Allocates nothing.</summary>
/// <param name="set">The identifiers.</param>
internal sealed class IdentifierWriter(SegmentSet set)
{
    private readonly byte[][] _names = [.. set.Identifiers.Select(i => SpanWriter.Encode(i.Name))];

    /// <summary>The most bytes of the map.</summary>
    public int MostBytes => 2 * SpanWriter.MaxLong + _names.Sum(n => n.Length + SpanWriter.MaxLong + KnownIdentifier.MaxBytes);

    /// <summary>Writes those that are known of a customer.</summary>
    public void Write(ref SpanWriter writer, Span<byte> profile)
    {
        var count = 0;
        foreach (var identifier in set.Identifiers) count += KnownIdentifier.In(profile, identifier.Slot).Text.IsEmpty ? 0 : 1;
        if (count > 0) writer.Long(count);
        for (var i = 0; i < _names.Length; i++)
        {
            ref var known = ref KnownIdentifier.In(profile, set.Identifiers[i].Slot);
            if (known.Text.IsEmpty) continue;
            writer.Raw(_names[i]);
            writer.Bytes(known.Text);
        }
        WriteNone(ref writer);
    }

    /// <summary>Writes an empty map.</summary>
    public static void WriteNone(ref SpanWriter writer) => writer.Long(0);
}
