using StreamEngine.Runtime.Requests;

namespace StreamEngine.Cluster.Routing;

/// <summary>What an asker does next about a request.</summary>
internal enum AskStep
{
    /// <summary>Nothing: a newer attempt is under way, or about to be, and counts.</summary>
    Nothing,

    /// <summary>Wait for the pause, then look again.</summary>
    Pause,

    /// <summary>Ask again.</summary>
    Ask,

    /// <summary>It has an end: tell whoever asked.</summary>
    End,
}

/// <summary>
/// When one request is asked again, from its first attempt to its end: after moved and restoring with growing pauses, after silence by
/// another way, and never beyond its deadline. It knows neither actors nor clocks, so that the simulation runs by the same rule.
/// </summary>
internal sealed class AskRule
{
    private TimeSpan _pause = Patience.FirstPause;

    /// <summary>How often it was asked.</summary>
    public int Attempt { get; private set; }

    /// <summary>Whether the last attempt has led nowhere, so that the next one takes another way.</summary>
    public bool TriesAnother { get; private set; }

    /// <summary>What the last attempt failed with, while nothing is under way; null while something is.</summary>
    public RequestStatus? Failure { get; private set; }

    /// <summary>Whether an answer is to the attempt that is under way.</summary>
    public bool IsNewest(int attempt) => attempt == Attempt && Failure is null;

    /// <summary>A new attempt begins.</summary>
    public void Begin()
    {
        Attempt++;
        Failure = null;
    }

    /// <summary>The attempt is on its way.</summary>
    /// <param name="left">The time until the deadline.</param>
    /// <returns>After how long to look whether something was heard.</returns>
    public TimeSpan Sent(TimeSpan left)
    {
        TriesAnother = false;
        return left < Patience.Silence ? left : Patience.Silence;
    }

    /// <summary>An attempt has brought this.</summary>
    public AskStep Heard(RequestStatus status, int attempt, TimeSpan left)
    {
        if (status is RequestStatus.Moved or RequestStatus.Restoring or RequestStatus.Busy && !IsNewest(attempt)) return AskStep.Nothing;
        if (status is not (RequestStatus.Moved or RequestStatus.Restoring) || left <= _pause) return AskStep.End;
        Failure = status;
        TriesAnother = status == RequestStatus.Moved;
        return AskStep.Pause;
    }

    /// <summary>The pause to take now; the next one is longer.</summary>
    public TimeSpan NextPause()
    {
        var pause = _pause;
        _pause = Patience.Next(pause);
        return pause;
    }

    /// <summary>It was silent for long, a pause is over, or the deadline is there.</summary>
    public AskStep Woken(int attempt, TimeSpan left)
    {
        if (attempt != Attempt) return AskStep.Nothing;
        if (left <= TimeSpan.Zero) return AskStep.End;
        if (Failure is null) TriesAnother = true;
        return AskStep.Ask;
    }
}
