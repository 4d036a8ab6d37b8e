using StreamEngine.Events;
using StreamEngine.State;

namespace StreamEngine.Features;

/// <summary>What became of an event id.</summary>
public enum DuplicateResult
{
    /// <summary>New, and remembered if it is inside the horizon.</summary>
    Added,

    /// <summary>Seen before, inside the horizon.</summary>
    Duplicate,

    /// <summary>New and remembered; for that the longest remembered id was forgotten before its time.</summary>
    AddedButEvicted,
}

/// <summary>
/// Remembers a customer's event ids in the tail of the profile, so that they move, restore and expire with it. An id whose event time is
/// within the horizon of the profile's newest event time is always found, whatever the order of arrival, unless the customer has more ids
/// there than allowed. Ids are compared by their 64-bit hash: two different ids of one customer collide once in about 2^64 / n^2 for n ids.
/// </summary>
/// <remarks>
/// The tail is a queue of ids in order of arrival (see <see cref="DuplicateTail"/>). Expired ids leave at its front. An id with a time
/// ahead of those behind it holds them back for at most as long as events are out of order, so the queue stays within the horizon plus the
/// lateness.
/// </remarks>
public sealed class DuplicateFilter
{
    private readonly StateLayout _layout;
    private readonly long _horizon;
    private readonly int _most;
    private readonly bool _isGiven;

    private DuplicateFilter(long horizon, int most, bool isGiven, StateLayout layout)
    {
        _horizon = horizon;
        _most = Math.Max(most, DuplicateTail.Smallest);
        _isGiven = isGiven;
        _layout = layout;
    }

    /// <summary>Bytes of the smallest tail.</summary>
    internal static int SmallestTail { get; } = DuplicateTail.Length(DuplicateTail.Smallest);

    /// <summary>The most ids that are remembered of one customer.</summary>
    public int Most => _most;

    /// <summary>What it means, and what can be done, where a customer has more.</summary>
    public string Evicting => $"a customer has more than {_most} event ids inside duplicates.horizon, so the longest remembered are "
        + "forgotten early, and a repeat of one would count again (streamengine.duplicates.evicted counts them). Let fewer events in, "
        + "shorten duplicates.horizon, or raise duplicates.max_per_customer, and state.memory where validate says so";

    /// <summary>Bytes of a profile with that many.</summary>
    public long LargestProfile => _layout.Needed + DuplicateTail.Length(_most);

    /// <summary>Makes the filter; null where the horizon is 0.</summary>
    public static DuplicateFilter? Compile(DuplicateOptions options, StateLayout layout)
    {
        if (options.Horizon <= TimeSpan.Zero) return null;
        layout.Reserve("duplicates", 0, "tail: queue of hash and time, index from 32 entries on");
        return new DuplicateFilter(options.Horizon.Ticks / TimeSpan.TicksPerMillisecond, options.MaxPerCustomer,
            options.Node["max_per_customer"] is not null, layout);
    }

    /// <summary>
    /// The filter for profiles of at most so many bytes, once the layout is whole: it remembers as many ids as fit, and not more than it
    /// did. Null where a number that the config asks for does not fit, or not even the fewest do.
    /// </summary>
    /// <param name="largestProfile">The most bytes of a profile.</param>
    /// <param name="fitting">How many ids fit.</param>
    public DuplicateFilter? Within(long largestProfile, out int fitting)
    {
        var room = largestProfile - _layout.Needed;
        var (fits, over) = (0, _most + 1);
        while (over - fits > 1)
        {
            var middle = fits + (over - fits) / 2;
            if (DuplicateTail.Length(middle) <= room) fits = middle;
            else over = middle;
        }
        fitting = fits;
        return fits < _most && (_isGiven || fits < DuplicateTail.Smallest) ? null : new DuplicateFilter(_horizon, fits, _isGiven, _layout);
    }

    /// <summary>
    /// A profile that was kept where more ids were allowed, with as many of its newest ids as are allowed now; as it is where it fits.
    /// </summary>
    /// <param name="profile">The profile.</param>
    /// <param name="buffer">Where the shorter one is made.</param>
    public ReadOnlySpan<byte> Fit(ReadOnlySpan<byte> profile, ref byte[] buffer)
    {
        var start = _layout.FixedLength;
        var length = start + DuplicateTail.Length(_most);
        if (profile.Length <= length) return profile;
        if (buffer.Length < length) buffer = new byte[length];
        var shorter = buffer.AsSpan(0, length);
        shorter.Clear();
        profile[..start].CopyTo(shorter);
        var kept = new DuplicateTail(shorter[start..]);
        kept.Grow(_most);
        new DuplicateTail(profile[start..]).CopyNewestTo(kept);
        return shorter;
    }

    /// <summary>
    /// The length a profile needs to remember one more id. Expired ids make room first; then the space doubles, up to the allowed number.
    /// </summary>
    /// <param name="profile">The profile; empty or without a tail where it is new.</param>
    /// <param name="idHash">The id's hash.</param>
    /// <param name="time">The event's time, ms.</param>
    public int RequiredLength(ReadOnlySpan<byte> profile, ulong idHash, long time)
    {
        var start = _layout.FixedLength;
        if (profile.Length < start + DuplicateTail.Length(DuplicateTail.Smallest))
            return start + DuplicateTail.Length(DuplicateTail.Smallest);
        var tail = new DuplicateTail(profile[start..]);
        if (tail.Capacity == 0) return profile.Length;
        var room = tail.Count < tail.Capacity || tail.Capacity >= _most || tail.FirstTime < Oldest(profile, time, created: false);
        return room ? profile.Length : Math.Max(profile.Length, start + DuplicateTail.Length(Math.Min(tail.Capacity * 2, _most)));
    }

    /// <summary>Whether an id is remembered.</summary>
    /// <param name="profile">The profile.</param>
    /// <param name="idHash">The id's hash.</param>
    /// <param name="time">The event's time, ms.</param>
    public bool Contains(ReadOnlySpan<byte> profile, ulong idHash, long time)
    {
        if (profile.Length <= _layout.FixedLength) return false;
        var tail = new DuplicateTail(profile[_layout.FixedLength..]);
        return tail.Capacity > 0 && tail.Contains(idHash, Oldest(profile, time, created: false));
    }

    /// <summary>Looks an id up and remembers it.</summary>
    /// <param name="profile">The profile, at least the required length.</param>
    /// <param name="idHash">The id's hash.</param>
    /// <param name="time">The event's time, ms.</param>
    /// <param name="created">Whether the profile is new.</param>
    public DuplicateResult TryAdd(Span<byte> profile, ulong idHash, long time, bool created)
    {
        var oldest = Oldest(profile, time, created);
        var tail = new DuplicateTail(profile[_layout.FixedLength..]);
        if (tail.Capacity == 0) tail.Grow(_most);
        if (tail.Contains(idHash, oldest)) return DuplicateResult.Duplicate;
        if (time < oldest) return DuplicateResult.Added;

        while (tail.Count > 0 && tail.FirstTime < oldest) tail.RemoveFirst();
        if (tail.Count == tail.Capacity) tail.Grow(_most);
        var evict = tail.Count == tail.Capacity;
        if (evict) tail.RemoveFirst();
        tail.Add(idHash, time);
        return evict ? DuplicateResult.AddedButEvicted : DuplicateResult.Added;
    }

    /// <summary>The oldest event time that is still inside the horizon.</summary>
    private long Oldest(ReadOnlySpan<byte> profile, long time, bool created)
    {
        var newest = created ? time : Math.Max(time, System.Runtime.InteropServices.MemoryMarshal.Read<long>(profile));
        return newest - _horizon;
    }
}
