namespace StreamEngine.Runtime;

/// <summary>Closes those of a customer's decisions whose windows the watermark has passed.</summary>
internal sealed class CloseUpdate(ShardState shard) : ProfileUpdate(shard)
{
    private ReadOnlyMemory<byte> _customer;
    private long _due;
    private bool _writes;

    protected override ReadOnlySpan<byte> Key => _customer.Span;

    /// <summary>In: by what cause, whose decisions, when the closing was due, and whether it is counted and written.</summary>
    public void Set(Cause cause, ReadOnlyMemory<byte> customer, long due, bool writes) =>
        (Cause, _customer, _due, _writes) = (cause, customer, due, writes);

    protected override void Change(Span<byte> profile, bool created)
    {
        if (!Covered) State.Outcomes!.Close(profile, _customer.Span, _due, _writes);
    }
}
