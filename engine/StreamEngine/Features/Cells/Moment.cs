using StreamEngine.Events;

namespace StreamEngine.Features;

/// <summary>
/// A value and the event that brought it; ordered by time, then event id, then value, so that no two orders of arrival disagree.
/// </summary>
internal struct Moment
{
    public long Time;
    public ulong Id;
    public double Value;

    /// <summary>Of an event.</summary>
    public static Moment Of(in InputValue input, Event e) => new() { Time = e.Time, Id = e.Tie, Value = input.Value };

    /// <summary>Whether this one comes before the other.</summary>
    public readonly bool Before(in Moment other) =>
        Time != other.Time ? Time < other.Time : Id != other.Id ? Id < other.Id : Value < other.Value;
}
