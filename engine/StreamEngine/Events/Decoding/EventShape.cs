using StreamEngine.Events.Tables;

namespace StreamEngine.Events.Decoding;

/// <summary>
/// A source compiled: which paths go where, and how id, customer, time and consent come about. Shared by its decoders; immutable.
/// </summary>
internal sealed class EventShape
{
    /// <summary>The source's index.</summary>
    public required int Source { get; init; }

    /// <summary>All wanted paths.</summary>
    public required PathNode Root { get; init; }

    /// <summary>The type of every event, where none is declared in the data; a shared array.</summary>
    public required byte[]? FixedType { get; init; }

    /// <summary>The slot that takes the record's key; null where it is not read.</summary>
    public required int? KeySlot { get; init; }

    /// <summary>Whether the log's timestamp is the event time where no field is: the caller sets it, the decoder leaves it alone.</summary>
    public required bool TimeIsRecords { get; init; }

    /// <summary>The slots of which the first that has a value is the customer id; null where only one can be.</summary>
    public required int[]? Customers { get; init; }

    /// <summary>The slots of which the first that has a value is the event id; null where only one can be.</summary>
    public required int[]? Ids { get; init; }

    /// <summary>The slots of which the first that has a value is the event time; null where only one can be.</summary>
    public required int[]? Times { get; init; }

    /// <summary>Whether customer and id are put into their normal form.</summary>
    public required bool Normalize { get; init; }

    /// <summary>The purposes that the source's records speak of, a bit each: of others they say neither yes nor no.</summary>
    public required ulong SpokenConsent { get; init; }

    /// <summary>What a record consents to before it was read: every purpose where no source at all has consent, else none.</summary>
    public required ulong UnsaidConsent { get; init; }

    /// <summary>The slots that are hashed to an id where the data has none; null where it always has one.</summary>
    public required int[]? HashSlots { get; init; }

    /// <summary>How many slots are hashed or chosen from only.</summary>
    public required int HiddenCount { get; init; }

    /// <summary>The declared purposes.</summary>
    public required Purposes Purposes { get; init; }

    /// <summary>Enum symbols' shared arrays.</summary>
    public required SymbolTable Symbols { get; init; }

    /// <summary>What is looked up in tables once a record is decoded, in this order.</summary>
    public required Lookup[] Lookups { get; init; }

    /// <summary>Sets what does not come from the record's value.</summary>
    public Faults Begin(byte[] buffer, Range32 key, Event target, HiddenValues hidden)
    {
        hidden.Clear();
        target.Source = Source;
        target.Consent = UnsaidConsent;
        target.ConsentSpoken = SpokenConsent;
        if (FixedType is not null) target.Type.Set(FixedType, 0, FixedType.Length);
        if (KeySlot is not { } slot || key.Length <= 0) return Faults.None;
        if (!Utf8Text.IsValid(buffer.AsSpan(key.Start, key.Length)))
        {
            target.Note(FaultKind.Utf8, slot, RecordPart.Key, 0, buffer, key.Start, key.Length);
            return Faults.BadUtf8;
        }
        hidden.Slot(target, slot).Set(buffer, key.Start, key.Length);
        return Faults.None;
    }

    /// <summary>Judges a record whose bytes could be read: the first of the reasons in their order.</summary>
    public RejectReason Finish(Faults faults, Event target, HiddenValues hidden)
    {
        if (Customers is not null) target.Customer = First(Customers, target, hidden);
        if (Ids is not null) target.Id = First(Ids, target, hidden);
        if (Times is not null) hidden.Time = First(Times, target, hidden);
        if (hidden.Time.Present) target.Time = hidden.Time.Bits;
        if (Normalize && (faults & Faults.BadUtf8) == 0)
        {
            NormalForm.Compose(ref target.Customer, target.Scratch);
            NormalForm.Compose(ref target.Id, target.Scratch);
        }
        var hasId = target.Id.Length > 0;
        if (hasId) target.IdHash = Hash64.Of(target.Id.Text);
        else if (HashSlots is not null) hasId = Hash(target, hidden);
        if ((faults & Faults.WrongType) != 0) return RejectReason.WrongType;
        if ((faults & Faults.BadUtf8) != 0) return RejectReason.BadUtf8;
        if ((faults & Faults.TooManyItems) != 0) return RejectReason.TooManyItems;
        if (target.Customer.Length == 0) return RejectReason.MissingCustomer;
        if (!hasId) return RejectReason.MissingId;
        if (!TimeIsRecords && !hidden.Time.Present) return RejectReason.MissingTime;
        foreach (var lookup in Lookups) lookup.Apply(target);
        return RejectReason.None;
    }

    /// <summary>The first value that is there, and is no empty text.</summary>
    private static FieldValue First(int[] slots, Event target, HiddenValues hidden)
    {
        foreach (var slot in slots)
        {
            ref var value = ref hidden.Slot(target, slot);
            if (value.Present && (value.Buffer is null || value.Length > 0)) return value;
        }
        return default;
    }

    /// <summary>
    /// Chains the hash over the values. An absent one turns the chain in a way that no text does: it is no value of its own. False where
    /// all are absent.
    /// </summary>
    private bool Hash(Event target, HiddenValues hidden)
    {
        var any = false;
        var hash = 0UL;
        foreach (var slot in HashSlots!)
        {
            ref var value = ref hidden.Slot(target, slot);
            any |= value.Present;
            hash = !value.Present ? Hash64.Of([], ~hash) : value.Buffer is null ? Hash64.Of(value.Bits, hash)
                : Hash64.Of(value.Text, hash);
        }
        if (any) target.IdHash = hash;
        return any;
    }
}
