using StreamEngine.Events;

namespace StreamEngine.Expressions;

/// <summary>What an expression sees when it runs: reused, owned by a shard.</summary>
public sealed class EvalContext
{
    /// <summary>The event's projected fields (<c>event.NAME</c>); for a timer's decision all absent.</summary>
    public FieldValue[] Fields = [];

    /// <summary>The items of the event's lists.</summary>
    public ItemCells Items = ItemCells.None;

    /// <summary>The cell of <see cref="Items"/> where the item begins that an expression reads (<c>item.NAME</c>).</summary>
    internal int Item;

    /// <summary>The event's type (<c>event.type</c>).</summary>
    public FieldValue Type;

    /// <summary>Event time, ms (<c>event.time</c>).</summary>
    public long Time;

    /// <summary>The consented purposes, a bit each (<c>consent.NAME</c>).</summary>
    public ulong Consent;

    /// <summary>The feature vector's array (<c>features.NAME</c>).</summary>
    public double[] Features = [];

    /// <summary>Where the vector begins in <see cref="Features"/>.</summary>
    public int FeatureBase;

    /// <summary>The variables of macros, by how deep they nest: <c>x</c> in <c>list.exists(x, x > 1)</c>.</summary>
    internal readonly FieldValue[] Variables = new FieldValue[MaxVariables];

    /// <summary>How deep macros may nest.</summary>
    internal const int MaxVariables = 8;

    /// <summary>Points at a decoded event.</summary>
    public void Use(Event e)
    {
        Fields = e.Fields;
        Items = e.Items;
        Type = e.Type;
        Time = e.Time;
        Consent = e.Consent;
    }
}
