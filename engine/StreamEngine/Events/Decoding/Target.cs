namespace StreamEngine.Events.Decoding;

/// <summary>What went wrong with single values, while the record as such could be read.</summary>
[Flags]
internal enum Faults : byte
{
    None = 0,
    WrongType = 1,
    BadUtf8 = 2,
    TooManyItems = 4,
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

    /// <summary>The first slot of values of items; the next ones follow downwards, those of one list side by side.</summary>
    public const int ItemSlot = int.MinValue / 2;
}

/// <summary>A list to project: which field takes it, and what is read of each item.</summary>
/// <param name="Slot">The field's index.</param>
/// <param name="Item">What is wanted of an item, by paths within it; of single values, a node with one target.</param>
/// <param name="Width">Cells of an item.</param>
/// <param name="First">How far the slots of its items are from the first one: slots are numbered over all lists of a source.</param>
/// <param name="Max">The most items.</param>
/// <param name="IsSingle">Whether items are single values.</param>
/// <param name="Separator">What separates items within one text.</param>
internal sealed record ListTarget(int Slot, PathNode Item, int Width, int First, int Max, bool IsSingle, byte Separator)
{
    /// <summary>Takes cells for the next item, to which the slots of items then refer; returns where they begin.</summary>
    public int Begin(Event e, HiddenValues hidden)
    {
        var row = e.Items.Take(Width);
        hidden.Row = row - First;
        return row;
    }

    /// <summary>Ends an item; a single value that is absent is no item. Returns how many items that is.</summary>
    public int End(Event e, int row)
    {
        if (!IsSingle || e.Items.Cells[row].Present) return 1;
        e.Items.Release(row);
        return 0;
    }

    /// <summary>Notes that there are too many items.</summary>
    public Faults TooMany(Event e, string path)
    {
        if (e.Fault.Kind == FaultKind.None) e.Fault = new RecordFault { Kind = FaultKind.Items, Slot = Slot, Path = path, Limit = Max };
        return Faults.TooManyItems;
    }
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

    /// <summary>Where the cells of the item that is being read begin, less the number of its list's first slot.</summary>
    public int Row;

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
        if (slot <= Target.ItemSlot) return ref target.Items.Cells[Row + Target.ItemSlot - slot];
        return ref _others[Target.HiddenSlot - slot];
    }
}
