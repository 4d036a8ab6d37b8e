namespace StreamEngine.Events;

/// <summary>
/// One decoded customer event: reused from record to record, so nothing of it may be kept past the batch. Text fields are slices of the
/// batch's buffer (or of its scratch space) and stay valid until the batch ends.
/// </summary>
public sealed class Event(FieldCatalog catalog)
{
    /// <summary>The declared fields.</summary>
    public FieldCatalog Catalog { get; } = catalog;

    /// <summary>The projected fields, indexed as in <see cref="FieldCatalog"/>.</summary>
    public readonly FieldValue[] Fields = new FieldValue[catalog.Count];

    /// <summary>The event type: the value of the declared type field, or the event source's name.</summary>
    public FieldValue Type;

    /// <summary>The event id as text; absent where the id is a hash of fields.</summary>
    public FieldValue Id;

    /// <summary>A 64-bit hash of the event id (of the fields, for <c>hash(...)</c>): breaks ties in time and finds duplicates.</summary>
    public ulong IdHash;

    /// <summary>The customer id.</summary>
    public FieldValue Customer;

    /// <summary>Event time, milliseconds since 1970-01-01 UTC.</summary>
    public long Time;

    /// <summary>
    /// The purposes that the record consents to, a bit per declared purpose in order; all ones where no source has consent.
    /// </summary>
    public ulong Consent;

    /// <summary>The purposes that the record's source speaks of; the others are left as the customer's other events say.</summary>
    public ulong ConsentSpoken;

    /// <summary>
    /// What the record says of consent: a text of it, the last one where there are several, and of a field for one purpose what is neither
    /// yes nor no; absent where it says nothing. For the warning that all of a source's records lack consent.
    /// </summary>
    public FieldValue ConsentSaid;

    /// <summary>The first thing wrong with the record that was decoded; for its dead letter.</summary>
    public RecordFault Fault;

    /// <summary>How many of its values were too large for the fixed-point sums that wanted them.</summary>
    public int NotAdded;

    /// <summary>How often one of its texts took the place of another one among a customer's strongest.</summary>
    public int NamesEvicted;

    /// <summary>Its texts that features keep, by the place that their inputs give them; valid while the event is taken in.</summary>
    internal KeptText[] Kept = [];

    /// <summary>How many of its keys were in no row, by table: the event's own, and those of its items.</summary>
    internal readonly int[] LookupsMissed = new int[catalog.Tables];

    /// <summary>The rows of the tables that are topics: whoever decodes says as of which versions, and has logged it.</summary>
    internal Tables.TableViews Tables = Events.Tables.TableViews.None;

    /// <summary>Index of the event source (in config order) that the record came from.</summary>
    public int Source;

    /// <summary>Text made while decoding (JSON unescaping, CSV quotes): grows with the batch, reset by <see cref="BeginBatch"/>.</summary>
    public ScratchBuffer Scratch { get; } = new();

    /// <summary>The items of its lists: grow with the batch, reset by <see cref="BeginBatch"/>.</summary>
    public ItemCells Items { get; } = new();

    /// <summary>
    /// What breaks ties in time while it is taken in: the hash of its id; for an item of a list with the item's place in the last bits.
    /// </summary>
    internal ulong Tie;

    /// <summary>Forgets the last batch's scratch text and items.</summary>
    public void BeginBatch()
    {
        Scratch.Reset();
        Items.Release(0);
    }

    /// <summary>Forgets the last record's values.</summary>
    public void Clear()
    {
        Array.Clear(Fields);
        Type = Id = Customer = ConsentSaid = default;
        IdHash = 0;
        Time = 0;
        Consent = ConsentSpoken = 0;
        Fault.Kind = FaultKind.None;
        NotAdded = NamesEvicted = 0;
        Array.Clear(LookupsMissed);
    }

    /// <summary>Notes what is wrong with the record; only the first counts.</summary>
    internal RejectReason Note(FaultKind kind, long number = 0, long limit = 0, RejectReason reason = RejectReason.Malformed)
    {
        if (Fault.Kind == FaultKind.None) Fault = new RecordFault { Kind = kind, Slot = int.MinValue, Number = number, Limit = limit };
        return reason;
    }

    /// <summary>Notes what a field says that is for these purposes alone.</summary>
    internal void SetConsent(ulong purposes, bool given)
    {
        Consent = given ? Consent | purposes : Consent & ~purposes;
        ConsentSaid.Present = true;
    }

    /// <summary>Notes that a value does not fit the slot it was meant for; only the first counts.</summary>
    internal void Note(FaultKind kind, int slot, string? path, long number = 0, byte[]? buffer = null, int start = 0, int length = 0)
    {
        if (Fault.Kind != FaultKind.None) return;
        Fault = new RecordFault { Kind = kind, Slot = slot, Path = path, Number = number };
        if (buffer is not null) Fault.Value.Set(buffer, start, length);
    }
}

/// <summary>Append-only bytes whose earlier slices stay valid while it grows (a full chunk is kept until reset, not copied).</summary>
public sealed class ScratchBuffer
{
    private byte[] _chunk = new byte[4096];
    private int _used;

    /// <summary>Reserves <paramref name="length"/> bytes and says where they begin in <paramref name="buffer"/>.</summary>
    public int Take(int length, out byte[] buffer)
    {
        if (_used + length > _chunk.Length)
        {
            _chunk = new byte[Math.Max(_chunk.Length * 2, length)];
            _used = 0;
        }
        buffer = _chunk;
        _used += length;
        return _used - length;
    }

    /// <summary>Makes all space free again.</summary>
    public void Reset() => _used = 0;
}
