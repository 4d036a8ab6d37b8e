namespace StreamEngine.Events.Decoding;

/// <summary>What went wrong with single values, while the record as such could be read.</summary>
[Flags]
internal enum Faults : byte
{
    None = 0,
    WrongType = 1,
    BadUtf8 = 2,
}

/// <summary>One value to project: where it stands in the record, and where and as what it goes.</summary>
/// <param name="Slot">A field's index, or one of the constants below.</param>
/// <param name="Path">The dotted path in the record.</param>
/// <param name="Type">The type to convert to.</param>
/// <param name="Scale">Digits after the point, for decimals.</param>
/// <param name="Time">How times are written.</param>
/// <param name="Rules">What texts of the source mean beyond the common grammar; null where nothing.</param>
/// <param name="Natural">Take the value as it is, number or text: for hashing.</param>
/// <param name="IsOneOf">Whether another path may have the value: then an empty text is none, also where it could be no time.</param>
internal sealed record Target(int Slot, string Path, FieldType Type, int Scale, TimeFormat Time, TextRules? Rules = null,
    bool Natural = false, bool IsOneOf = false)
{
    public const int TypeSlot = -1, IdSlot = -2, CustomerSlot = -3, TimeSlot = -4;

    /// <summary>The first slot of values that are hashed or chosen from; the next ones follow downwards.</summary>
    public const int HiddenSlot = -5;
}

/// <summary>What a source's texts mean beyond the common grammar.</summary>
internal sealed class TextRules(byte[][] nulls, bool comma)
{
    /// <summary>The longest number with a comma that is read.</summary>
    public const int MostDigits = 64;

    /// <summary>Whether numbers have a decimal comma.</summary>
    public bool Comma => comma;

    /// <summary>Whether a text stands for no value.</summary>
    public bool IsNull(ReadOnlySpan<byte> text)
    {
        foreach (var word in nulls)
            if (text.SequenceEqual(word)) return true;
        return false;
    }

    /// <summary>Writes a number's text with a point for its comma; false where it has a point, or is too long for a number.</summary>
    public static bool TryPoint(ReadOnlySpan<byte> text, Span<byte> to)
    {
        if (text.Length > to.Length || text.Contains((byte)'.')) return false;
        text.Replace(to, (byte)',', (byte)'.');
        return true;
    }
}

/// <summary>Values of a record that have no place in <see cref="Event"/>.</summary>
internal sealed class HiddenValues(int others)
{
    public FieldValue Time;
    private readonly FieldValue[] _others = new FieldValue[others];

    public void Clear()
    {
        Time = default;
        Array.Clear(_others);
    }

    /// <summary>The slot's place: a field of the event, or one of its named values, or a value here.</summary>
    public ref FieldValue Slot(Event target, int slot)
    {
        if (slot >= 0) return ref target.Fields[slot];
        if (slot == Target.TypeSlot) return ref target.Type;
        if (slot == Target.IdSlot) return ref target.Id;
        if (slot == Target.CustomerSlot) return ref target.Customer;
        if (slot == Target.TimeSlot) return ref Time;
        return ref _others[Target.HiddenSlot - slot];
    }
}
