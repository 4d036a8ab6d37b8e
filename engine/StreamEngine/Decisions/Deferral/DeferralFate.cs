namespace StreamEngine.Decisions;

/// <summary>What becomes of a decision that quiet hours let wait. The names, in snake case, are the metric's labels.</summary>
public enum DeferralFate : byte
{
    /// <summary>Nothing waits.</summary>
    None,

    /// <summary>It waits.</summary>
    Deferred,

    /// <summary>It was made anew at their end.</summary>
    Decided,

    /// <summary>A newer one of the same trigger and placement waits in its place.</summary>
    Replaced,

    /// <summary>It was the oldest of as many as may wait, and one of another trigger or placement waits in its place.</summary>
    Displaced,

    /// <summary>Their end is further than <c>max_wait</c>, or it came when the config had the trigger no more.</summary>
    Expired,

    /// <summary>Its placement is too long to be kept.</summary>
    TooLong,
}
