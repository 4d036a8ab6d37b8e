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

    /// <summary>Whether the record's key is the customer id.</summary>
    public required bool CustomerIsKey { get; init; }

    /// <summary>Whether the log's timestamp is the event time: the caller sets it, the decoder leaves it alone.</summary>
    public required bool TimeIsRecords { get; init; }

    /// <summary>Whether the data carry consent; without, every purpose counts as given.</summary>
    public required bool HasConsent { get; init; }

    /// <summary>The slots that are hashed to an id; null where the data has an id.</summary>
    public required int[]? HashSlots { get; init; }

    /// <summary>How many hidden slots are hashed only.</summary>
    public required int HiddenCount { get; init; }

    /// <summary>The declared purposes.</summary>
    public required Purposes Purposes { get; init; }

    /// <summary>Enum symbols' shared arrays.</summary>
    public required SymbolTable Symbols { get; init; }

    /// <summary>Sets what does not come from the record's value.</summary>
    public Faults Begin(byte[] buffer, Range32 key, Event target, HiddenValues hidden)
    {
        hidden.Clear();
        target.Source = Source;
        target.Consent = HasConsent ? 0 : ulong.MaxValue;
        if (FixedType is not null) target.Type.Set(FixedType, 0, FixedType.Length);
        if (!CustomerIsKey || key.Length <= 0) return Faults.None;
        if (!Utf8Text.IsValid(buffer.AsSpan(key.Start, key.Length)))
        {
            target.Note(FaultKind.Utf8, Target.CustomerSlot, "key", 0, buffer, key.Start, key.Length);
            return Faults.BadUtf8;
        }
        target.Customer.Set(buffer, key.Start, key.Length);
        return Faults.None;
    }

    /// <summary>Judges a record whose bytes could be read: the first of the reasons in their order.</summary>
    public RejectReason Finish(Faults faults, Event target, HiddenValues hidden)
    {
        if (hidden.Time.Present) target.Time = hidden.Time.Bits;
        var hasId = HashSlots is null ? target.Id.Length > 0 : Hash(target, hidden);
        if (HashSlots is null && hasId) target.IdHash = Hash64.Of(target.Id.Text);
        if ((faults & Faults.WrongType) != 0) return RejectReason.WrongType;
        if ((faults & Faults.BadUtf8) != 0) return RejectReason.BadUtf8;
        if (target.Customer.Length == 0) return RejectReason.MissingCustomer;
        if (!hasId) return RejectReason.MissingId;
        return TimeIsRecords || hidden.Time.Present ? RejectReason.None : RejectReason.MissingTime;
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
