using System.Runtime.CompilerServices;

namespace StreamEngine.Features;

/// <summary>
/// Typed access to a profile's bytes by offset. Offsets come from the compiled layout; the profile's length is checked once per call of
/// <see cref="FeatureSet"/>.
/// </summary>
internal static class Cells
{
    /// <summary>The value at an offset.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ref T At<T>(ref byte profile, int offset) where T : unmanaged =>
        ref Unsafe.As<byte, T>(ref Unsafe.AddByteOffset(ref profile, offset));
}

/// <summary>
/// A value and the event that brought it; ordered by time, then event id, then value, so that no two orders of arrival disagree.
/// </summary>
internal struct Moment
{
    public long Time;
    public ulong Id;
    public double Value;

    /// <summary>Whether this one comes before the other.</summary>
    public readonly bool Before(in Moment other) =>
        Time != other.Time ? Time < other.Time : Id != other.Id ? Id < other.Id : Value < other.Value;
}

/// <summary>The two latest events by time, then event id; <see cref="long.MinValue"/> where there is none.</summary>
internal struct LatestTwo
{
    public long Time;
    public ulong Id;
    public long EarlierTime;
    public ulong EarlierId;

    /// <summary>Takes an event in.</summary>
    public void Add(long time, ulong id)
    {
        if (time > Time || (time == Time && id >= Id))
        {
            EarlierTime = Time;
            EarlierId = Id;
            Time = time;
            Id = id;
        }
        else if (time > EarlierTime || (time == EarlierTime && id > EarlierId))
        {
            EarlierTime = time;
            EarlierId = id;
        }
    }
}

/// <summary>How many distinct UTC days: the newest day, a bit for each of the 64 days that end with it, and the count.</summary>
internal struct DaySet
{
    /// <summary>Days back from the newest in which an event's day is still known to be new or not.</summary>
    public const int Reach = 63;

    public long Newest;
    public ulong Bits;
    public long Count;

    /// <summary>Takes a day in; one further back than <see cref="Reach"/> counts as known.</summary>
    public void Add(long day)
    {
        if (Count == 0) (Newest, Bits, Count) = (day, 1, 1);
        else if (day > Newest)
        {
            var step = day - Newest;
            Bits = (step > Reach ? 0 : Bits << (int)step) | 1;
            Newest = day;
            Count++;
        }
        else if (Newest - day is var back and <= Reach && (Bits >> (int)back & 1) == 0)
        {
            Bits |= 1UL << (int)back;
            Count++;
        }
    }
}

/// <summary>A run of events without a gap; <see cref="End"/> is <see cref="long.MinValue"/> where the place is free.</summary>
internal struct Fragment
{
    public long Start;
    public long End;
}
